"""Emergency visits and hospital nights as they were known: each counted once, however many bills tell of it.

Made of claim versions, not of `silver.encounters`: that table says what stands today, so a void that arrives later
would change an earlier valuation. Elsewhere: spans of months (`as_of.py`), visits and stays with their admissions,
facilities and costs (`silver/encounters.py`).
"""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from claims_assets.features.as_of import disjoint
from claims_assets.silver.codes import is_emergency, is_inpatient
from claims_assets.silver.service_categories import EMERGENCY, INPATIENT, INPATIENT_BILLS
from claims_assets.silver.stays import LONGEST_BILL_DAYS, STILL_A_PATIENT

ED_VISITS, INPATIENT_DAYS = "ed_visits", "inpatient_days"
_EVENT = ("member_id", "service_category", "day")


def visit_movements(lines: DataFrame, window: int) -> DataFrame:
    """Visits and nights that begin (+1) or cease (-1) to be known: `incurred`, `moved`, `service_category`, counts.

    - A visit is a member and day with a line of the category emergency, as in `gold.member_features`, in the month of
      that day. Emergency lines of an inpatient bill are lines of the stay.
    - A night is a member and date in hospital, in the month in which it falls: from the admission to the day before the
      discharge; of a bill of a stay that goes on (type of bill xx2, xx3) to its last day. Overlapping bills, transfers
      and interim bills tell of a night once. Bills with neither discharge nor such a type tell of none.

    Args:
        lines: with `service_category`, `served`, `known` and `cancelled` (NULL: it stands) as month numbers.
        window: as-of months in which a line counts, from its month of service; a run reads no line longer. A bill of
            so long a stay that it leaves before a night's month does takes the night along.
    """
    told = _visits(lines).unionByName(_nights(lines))
    incurred = F.year("day") * 12 + F.month("day") - 1
    spans = told.withColumn("incurred", incurred).withColumns(
        {
            "span_start": F.greatest("known", "incurred"),
            "span_end": F.least(F.col("cancelled") - 1, F.col("served") + window - 1),
        }
    )
    counted = disjoint(spans.where("span_start <= span_end"), [*_EVENT, "incurred"])
    known = counted.groupBy("service_category", "incurred", "span_start", "span_end").agg(F.count("*").alias("n"))
    move = F.explode(
        F.array(
            F.struct(F.col("span_start").alias("moved"), F.col("n").alias("change")),
            F.struct((F.col("span_end") + 1).alias("moved"), (-F.col("n")).alias("change")),
        )
    )
    return known.select("service_category", "incurred", move.alias("move")).select(
        "service_category",
        "incurred",
        "move.moved",
        *[
            F.when(F.col("service_category") == category, F.col("move.change")).alias(name)
            for name, category in ((ED_VISITS, EMERGENCY), (INPATIENT_DAYS, INPATIENT))
        ],
    )


def may_tell() -> Column:
    """Holds for every line that tells of a visit or a night, and is cheaper to ask than the service category."""
    return is_emergency() | is_inpatient() | F.coalesce(F.col("bill_type_code").rlike(INPATIENT_BILLS), F.lit(False))


def _visits(lines: DataFrame) -> DataFrame:
    visiting = lines.where(F.col("service_category") == EMERGENCY)
    return visiting.select(*_EVENT[:2], F.col("service_from_date").alias("day"), "served", "known", "cancelled")


def _nights(lines: DataFrame) -> DataFrame:
    """One row for each night that a line of an inpatient bill tells of."""
    last = F.date_sub(_end(), 1)
    bills = lines.where(F.col("service_category") == INPATIENT).select(
        *_EVENT[:2], _start().alias("first"), last.alias("last"), "served", "known", "cancelled"
    )
    # A sequence counts down where it ends before it starts.
    stayed = bills.where("first <= last").distinct()
    return stayed.withColumn("day", F.explode(F.sequence("first", "last"))).drop("first", "last")


def _start() -> Column:
    """Admission; first day of service where it is missing, later, or too far away to be right."""
    first, admit = F.col("service_from_date"), F.col("admit_date")
    return F.coalesce(F.when(admit.between(F.date_sub(first, LONGEST_BILL_DAYS), first), admit), first)


def _end() -> Column:
    """Day after the last night that is known; NULL where neither a discharge nor an interim bill tells it."""
    goes_on = F.col("bill_type_code").rlike(STILL_A_PATIENT)
    through = F.greatest(_within("service_to_date"), F.col("service_from_date"))
    return F.coalesce(_within("discharge_date"), F.when(goes_on, F.date_add(through, 1)))


def _within(name: str) -> Column:
    """The day, where it can be of the same bill."""
    first, day = F.col("service_from_date"), F.col(name)
    return F.when(day.between(F.date_sub(first, LONGEST_BILL_DAYS), F.date_add(first, LONGEST_BILL_DAYS)), day)
