"""Cost per member per month by service category, as it was known in each month and as it will be when all is paid.

Here: the table, and the movements it is made of. Elsewhere: categories (`silver/service_categories.py`), visits and
nights (`visits_and_nights.py`), triangles and rates (`valuation.py`), factors (`completion.py`). How to read it, with a
worked example: `docs/pmpm.md`.
"""

from typing import Annotated

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from claims_assets import columns as c
from claims_assets.contracts import Contract, rule
from claims_assets.features.pmpm_plot import picture
from claims_assets.features.valuation import BASES, EXPOSED, MOVED, VALUED, VALUED_MONTHS, valued
from claims_assets.features.visits_and_nights import ED_VISITS, INPATIENT_DAYS, may_tell, visit_movements
from claims_assets.partitions import month_index
from claims_assets.silver.codes import counts_as_cost
from claims_assets.silver.enrolment import enrolled_on
from claims_assets.silver.service_categories import SERVICE_CATEGORIES, service_category
from claims_assets.table import Window, table

READ_MONTHS = VALUED_MONTHS + 1
"""One month before the oldest valued one is read too: its stays have nights in that one."""
ValuedMonths = Annotated[DataFrame, Window(READ_MONTHS)]
"""An input read for the months of service that an as-of month values, and the one before."""
ValuedMonthsAsKnown = Annotated[DataFrame, Window(READ_MONTHS, as_known=True)]
"""The same of an input whose later news change nothing."""

AGES = {"min_value": 0, "max_value": VALUED_MONTHS - 1}


class Pmpm(Contract):
    """Cost per member per month: one row per as-of month, month of service and service category.

    Every month of service with members has all categories, so amounts add up over rows; members and member months
    repeat in each, so take them once.
    """

    claim_month: str = c.required("As-of month: only what was known by its end counts.", str_matches=c.MONTH_PATTERN)
    incurred_month: str = c.required("Month of service, at most 23 months earlier.", str_matches=c.MONTH_PATTERN)
    service_category: str = c.required("Kind of service; each claim line has one.", isin=SERVICE_CATEGORIES)
    age_months: c.Whole = c.required("Months from the month of service to the as-of month.", in_range=AGES)
    members: c.Count = c.count("Members enrolled on any day of the month of service; the same in every category.")
    member_months: c.Number = c.required(
        "Denominator: enrolled days over the days of the month, summed over members; the same in every category.", ge=0
    )
    claims: c.Count = c.count("Paid claims with a line of the category; a claim of two categories counts in both.")
    claim_lines: c.Count = c.count("Paid claim lines of members enrolled in the month of service.")
    paid: c.Total = c.required("Paid by the plan for these lines, USD.")
    completion_factor: c.Number = c.optional("Share of the final amount that is paid; NULL: history is too short.")
    completion_basis: str = c.optional("Whose history made the factor: the category's, or all together.", isin=BASES)
    completed_paid: c.Total = c.amount("Paid amount when all is in, estimated: paid over completion factor, USD.")
    is_mature: bool = c.flag("Factor of at least 0.9 and three months of run-out.")
    pmpm: c.Number = c.optional("Paid over member months, USD; NULL without members.")
    completed_pmpm: c.Number = c.optional("Completed paid over member months, USD.")
    claim_lines_outside_enrolment: c.Count = c.count("Paid lines of members not enrolled then; in no other column.")
    paid_outside_enrolment: c.Total = c.required("Paid for these, USD; in no other column.")
    ed_visits: c.Count = c.field("Emergency visits known, on the row of emergency only.", ge=0)
    ed_visits_per_1000: c.Number = c.field("Emergency visits per 1,000 members and year.", ge=0.0)
    inpatient_days: c.Count = c.field("Nights in hospital in the month, on the row of inpatient only.", ge=0)
    inpatient_days_per_1000: c.Number = c.field("Nights in hospital per 1,000 members and year.", ge=0.0)

    class Config:
        unique = ["claim_month", "incurred_month", "service_category"]
        metadata = {
            "rules": {"a_mature_month_has_a_factor": rule("not is_mature or completion_factor is not null", "block")}
        }


@table(Pmpm, phi="limited", picture=picture)
def pmpm(
    silver_claim_versions: ValuedMonthsAsKnown, silver_member_months: ValuedMonths, months: list[str]
) -> DataFrame:
    """Values the 24 months of service up to each asked month with what was known by its end.

    - Paid lines count from the month they were known until a void or replacement was known.
    - Completed by the chain ladder of the category as of that month: the latest twelve steps of each age, without the
      two that grew most and the two that grew least, weighted by volume. A category of fewer than 271 claims takes the
      factors of all. Nothing is assumed to be paid after the oldest age seen, which must be twelve months at least.
    - Visits and nights are counted as they are known, not completed.
    - Members are today's truth: a retroactive enrolment changes the denominators of months already valued.
    """
    lines, telling = (
        _lines(versions).transform(lambda x: with_enrolment(x, silver_member_months))
        for versions in (silver_claim_versions, silver_claim_versions.where(may_tell()))
    )
    facts = [_payments(lines), visit_movements(telling.where("enrolled"), READ_MONTHS), _members(silver_member_months)]
    numbers = [F.coalesce(F.col(n), F.lit(0)).cast("bigint").alias(n) for n in (*MOVED, *EXPOSED)]
    together = facts[0].unionByName(facts[1], allowMissingColumns=True).unionByName(facts[2], allowMissingColumns=True)
    asked = [month_index(m) for m in months]
    return (
        together.select("incurred", "moved", "service_category", *numbers)
        .groupBy(F.lit("all").alias("facts"))
        .applyInPandas(lambda movements: valued(movements, asked), VALUED)
        .select(*_named())
    )


def with_enrolment(lines: DataFrame, member_months: DataFrame) -> DataFrame:
    """Adds `enrolled`: the member of the line was enrolled on the first day of its service.

    False for members whom no eligibility file knows. The only place that decides it.
    """
    days = member_months.select("member_id", "claim_month", "enrolment_by_day")
    found = lines.join(days, ["member_id", "claim_month"], "left")
    return found.withColumn("enrolled", enrolled_on(F.col("service_from_date"))).drop("enrolment_by_day")


def _lines(claim_versions: DataFrame) -> DataFrame:
    """Paid lines that counted in any month, from `known` until `cancelled` (month numbers), with their category."""
    served = _number(F.col("claim_month"))
    months = {
        "served": served,
        "known": F.greatest(served, _number(F.col("known_from"))),
        "cancelled": _number(F.col("cancelled_on")),
        "service_category": service_category(),
    }
    lines = claim_versions.where(counts_as_cost()).withColumns(months)
    return lines.where(F.col("cancelled").isNull() | (F.col("cancelled") > F.col("known")))


def _payments(lines: DataFrame) -> DataFrame:
    """What was paid (+) and taken back (-) by month of service, category and month."""
    cents = (F.coalesce("paid_amount", F.lit(0)) * 100).cast("bigint")
    when = ("served", "service_category", "known", "cancelled", "enrolled")
    per_claim = lines.groupBy(*when, "claim_feed", "claim_id").agg(
        F.sum(cents).alias("cents"), F.count("*").alias("lines")
    )
    sums = per_claim.groupBy(*when).agg(
        F.sum("cents").alias("cents"), F.sum("lines").alias("lines"), F.count("*").alias("claims")
    )
    moves = sums.withColumn(
        "move",
        F.explode(
            F.array(
                F.struct(F.col("known").alias("moved"), F.lit(1).alias("sign")),
                F.struct(F.col("cancelled").alias("moved"), F.lit(-1).alias("sign")),
            )
        ),
    ).where("move.moved is not null")
    sign, inside = F.col("move.sign"), F.col("enrolled")
    return moves.select(
        F.col("served").alias("incurred"),
        F.col("move.moved").alias("moved"),
        "service_category",
        F.when(inside, sign * F.col("cents")).alias("paid"),
        F.when(inside, sign * F.col("claims")).alias("claims"),
        F.when(inside, sign * F.col("lines")).alias("claim_lines"),
        F.when(~inside, sign * F.col("cents")).alias("paid_outside"),
        F.when(~inside, sign * F.col("lines")).alias("lines_outside"),
    )


def _members(member_months: DataFrame) -> DataFrame:
    """Members and enrolled days of each month of service."""
    month = _number(F.col("claim_month"))
    return (
        member_months.groupBy("claim_month")
        .agg(F.count("*").alias("members"), F.sum(F.col("enrolled_days").cast("bigint")).alias("enrolled_days"))
        .select(month.alias("incurred"), month.alias("moved"), *EXPOSED)
    )


def _named() -> list[Column]:
    """The columns of the contract: months as text, cents as dollars."""
    as_they_are = (
        "service_category", "age_months", "members", "member_months", "claims", "claim_lines", "completion_factor",
        "completion_basis", "is_mature", "pmpm", "completed_pmpm", ED_VISITS, f"{ED_VISITS}_per_1000", INPATIENT_DAYS,
        f"{INPATIENT_DAYS}_per_1000",
    )  # fmt: skip
    return [
        _month(F.col("as_of")).alias("claim_month"),
        _month(F.col("incurred")).alias("incurred_month"),
        *[F.col(n) for n in as_they_are],
        _dollars("paid").alias("paid"),
        _dollars("completed_paid").alias("completed_paid"),
        F.col("lines_outside").alias("claim_lines_outside_enrolment"),
        _dollars("paid_outside").alias("paid_outside_enrolment"),
    ]


def _dollars(cents: str) -> Column:
    return (F.col(cents).cast("decimal(18,0)") * F.lit("0.01").cast("decimal(3,2)")).cast("decimal(18,2)")


def _month(number: Column) -> Column:
    return F.format_string("%04d-%02d", F.floor(number / 12).cast("int"), number % 12 + 1)


def _number(month: Column) -> Column:
    return F.substring(month, 1, 4).cast("int") * 12 + F.substring(month, 6, 2).cast("int") - 1
