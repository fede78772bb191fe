"""Inpatient bills joined to stays: transfers, interim bills and contiguous claims of one member are one stay.

Here: the days that a bill covers, which bills are of one stay, and the part of a stay that lies in a month. Elsewhere:
emergency visits, and the table (`silver/encounters.py`); what an inpatient line is (`silver/codes.py`).
"""

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

REACH_MONTHS = 12
"""Claim months, counted with its own, in which bills are looked for that a bill may continue."""
LONGEST_BILL_DAYS = 365
"""An admission, last day or discharge further from the first day of service is taken for a typing error."""
STILL_A_PATIENT = "[23]$"
"""Last digit of the type of bill: interim, first or continuing claim (NUBC); 4 is the last one, with a discharge."""
CONTIGUOUS_DAYS = 1
"""An admission on the day of a discharge or the next one goes on with the stay."""

_STAY = ("member_id", "as_of", "opened")


def inpatient_bills(inpatient_lines: DataFrame) -> DataFrame:
    """Lines of one claim and claim month as one row: its days, and what adds up.

    `admitted` to `reach` are the days it covers. `ends` is the discharge; of an interim bill the day after its last,
    as the member spends that night in the hospital too; NULL where neither is known. `first_day` lies in the month.
    """
    dated = inpatient_lines.withColumns({"admitted": _admitted(), "through": _within("service_to_date")})
    discharged = F.when(F.col("discharge_date") >= F.col("admitted"), _within("discharge_date"))
    goes_on = F.col("bill_type_code").rlike(STILL_A_PATIENT)
    after_last = F.when(goes_on, F.date_add(F.greatest("through", "service_from_date"), 1))
    in_month = F.date_format("admitted", "yyyy-MM") == F.col("claim_month")
    return (
        dated.withColumn("discharged", discharged)
        .groupBy("member_id", "claim_month", "claim_id")
        .agg(
            F.min("admitted").alias("admitted"),
            F.min(F.coalesce(F.when(in_month, F.col("admitted")), "service_from_date")).alias("first_day"),
            F.max(F.greatest("service_from_date", "through", "discharged")).alias("reach"),
            F.max(F.coalesce("discharged", after_last)).alias("ends"),
            F.coalesce(F.min("provider_id"), F.lit("")).alias("facility"),
            F.min(F.when(F.col("diagnosis_code_1").isNotNull(), F.struct("claim_line_number", "diagnosis_code_1")))
            .getField("diagnosis_code_1")
            .alias("diagnosis"),
            F.max("emergency_flag").alias("bills_emergency"),
            F.count("*").alias("lines"),
            F.sum("paid_amount").alias("paid"),
            F.max("known_from").alias("known"),
        )
    )


def _admitted() -> Column:
    """Day of admission; first day of service where it is missing, lies in a later month or can't be right."""
    admit, first = F.col("admit_date"), F.col("service_from_date")
    last = F.greatest(first, _within("service_to_date"), _within("discharge_date"))
    usable = admit.between(F.date_sub(first, LONGEST_BILL_DAYS), last)
    in_sight = F.date_format(admit, "yyyy-MM") <= F.col("claim_month")
    # Not when().otherwise(): where its condition excludes NULL, the embedded engine's plans disagree and it fails.
    return F.coalesce(F.when(usable & in_sight, admit), first)


def _within(name: str) -> Column:
    """The day, where it can be of the same bill."""
    first, day = F.col("service_from_date"), F.col(name)
    earliest, latest = F.date_sub(first, LONGEST_BILL_DAYS), F.date_add(first, LONGEST_BILL_DAYS)
    return F.when(day.between(earliest, latest), day)


def stay_parts(bills: DataFrame, months: Sequence[str]) -> DataFrame:
    """One row per stay and asked month with bills of it: what its bills of that month say, and which part came first.

    A month sees the bills of its own and the eleven claim months before, whichever months are asked for with it.
    `nights` are those after the part before (after the admission, for the first part), so that the parts add up to
    discharge minus admission; NULL where the last bill says neither a discharge nor that the stay goes on.
    """
    own, before = F.col("claim_month") == F.col("as_of"), F.col("claim_month") < F.col("as_of")
    part = F.struct("claim_month", "first_day", "facility")
    said = F.when(own & F.col("diagnosis").isNotNull(), F.struct("first_day", "facility", "claim_id", "diagnosis"))
    stays = _opened(_spread(bills, months)).groupBy(*_STAY).agg(
        F.min(part).alias("first"),
        F.min(F.when(own, part)).alias("own"),
        F.min("admitted").alias("admitted"),
        F.max(F.when(before, F.col("ends"))).alias("ended_before"),
        F.max("ends").alias("ends"),
        F.max(F.when(own, F.col("ends"))).alias("own_ends"),
        F.max(F.when(own, F.col("reach"))).alias("reach"),
        F.max(F.when(own, F.col("from_emergency"))).alias("from_emergency"),
        F.min(said).getField("diagnosis").alias("diagnosis"),
        F.sum(F.when(own, 1).otherwise(0).cast("bigint")).alias("claims"),
        F.sum(F.when(own, F.col("lines"))).alias("lines"),
        F.sum(F.when(own, F.col("paid"))).alias("paid"),
        F.max(F.when(own, F.col("known"))).alias("known"),
    )  # fmt: skip
    nights = F.datediff("ends", F.coalesce("ended_before", "admitted")).cast("int")
    return stays.where("claims > 0").withColumn("nights", F.when(F.col("own_ends") >= F.col("reach"), nights))


def _spread(bills: DataFrame, months: Sequence[str]) -> DataFrame:
    """Each bill once for every asked month that sees it (`as_of`)."""
    seen_by = [months_later(F.col("claim_month"), n) for n in range(REACH_MONTHS)]
    return bills.withColumn("as_of", F.explode(F.array(*seen_by))).where(F.col("as_of").isin(list(months)))


def _opened(bills: DataFrame) -> DataFrame:
    """With the day on which the bill's stay began (`opened`)."""
    by_day = Window.partitionBy("member_id", "as_of").orderBy("admitted")
    reached = F.max("reach").over(by_day.rowsBetween(Window.unboundedPreceding, -1))
    opens = reached.isNull() | (F.col("admitted") > F.date_add(reached, CONTIGUOUS_DAYS))
    # Admissions ascend, so the newest opening is the largest one so far.
    opened = F.max("opening").over(by_day.rowsBetween(Window.unboundedPreceding, Window.currentRow))
    return bills.withColumn("opening", F.when(opens, F.col("admitted"))).withColumn("opened", opened)


def months_later(month: Column, n: int) -> Column:
    """`add_months` of a claim month, as a Column."""
    return F.date_format(F.add_months(F.to_date(F.concat(month, F.lit("-01"))), n), "yyyy-MM")
