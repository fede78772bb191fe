"""Does a training row know the future? Its features once more, from inputs cut at the index month.

The tables say themselves what was known when; here it is not asked. Every input is cut first: what was received or
served later is taken out, a later void or replacement is undone, and the members are worked out by the table of
today's truth from the records that are left. Then the same features are made of it, and each cell is compared.
Elsewhere: the rows (`features/risk_training_rows.py`), what a difference means for a model (`models/governance/`).
"""

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from claims_assets.contracts import compiled
from claims_assets.features.as_of import WINDOW_MONTHS
from claims_assets.features.member_conditions import member_conditions
from claims_assets.features.member_features import MemberFeatures, member_features
from claims_assets.features.risk_training_rows import JUDGED_MONTHS
from claims_assets.partitions import MONTH, add_months
from claims_assets.runtime.lake import Lake
from claims_assets.silver.codes import normal_id
from claims_assets.silver.member_months import member_months
from claims_assets.table import Window

KEY = "member_id"
SHARES = 1_000
"""Steps of the share of members that is looked at."""


def differing_features(lake: Lake, spark: SparkSession, index_month: str, share: float) -> dict[str, int]:
    """Column of `gold.member_features` -> cells of the training rows that differ from what was known; all 0 is right.

    Under `member_id`: rows of members who were not known to be enrolled in the index month.

    Args:
        index_month: month as of which the features are; the rows are those judged fifteen months later.
        share: part of the members to look at, the same ones every time.

    Raises:
        NeverWritten: a table that the check reads has not been built.
    """
    judged = add_months(index_month, JUDGED_MONTHS)
    stored = lake.read(spark, "gold", "risk_training_rows", [judged]).transform(lambda f: _sampled(f, share))
    return differing(stored, _known_then(lake, spark, index_month, share))


def differing(stored: DataFrame, known: DataFrame) -> dict[str, int]:
    """Cells of `stored` that are not those of `known`, by column; both with one row a member."""
    names = [n for n in compiled(MemberFeatures).columns if n not in (KEY, MONTH)]
    left = stored.select(KEY, *[F.col(n).alias(f"stored_{n}") for n in names])
    right = known.select(KEY, F.lit(True).alias("is_known"), *names)
    same = {n: F.col(n).eqNullSafe(F.col(f"stored_{n}")) for n in names}
    differ = [F.sum(F.when(F.col("is_known") & ~x, 1).otherwise(0)).alias(n) for n, x in same.items()]
    unknown = F.sum(F.when(F.col("is_known").isNull(), 1).otherwise(0)).alias(KEY)
    found = left.join(right, KEY, "left").agg(unknown, *differ).first()
    return {n: int(count or 0) for n, count in found.asDict().items()} if found else {}


def _known_then(lake: Lake, spark: SparkSession, month: str, share: float) -> DataFrame:
    """`gold.member_features` of one month and a share of the members, of inputs that end with the month."""
    window = Window(WINDOW_MONTHS).reach([month])
    versions = lake.read(spark, "silver", "claim_versions", window).transform(lambda v: _sampled(v, share))
    records = lake.read(spark, "bronze", "member_eligibility").transform(lambda r: _sampled(r, share))
    members = member_months(records_until(records, month), [month])
    known = versions_until(versions, month)
    return member_features(known, members, member_conditions(known, members, [month]), [month])


def versions_until(claim_versions: DataFrame, month: str) -> DataFrame:
    """Claim versions as a lake of that month would hold them: nothing later, and nothing cancelled later."""
    cancelled = F.when(F.col("cancelled_on") <= month, F.col("cancelled_on"))
    return claim_versions.where((F.col("known_from") <= month) & (F.col(MONTH) <= month)).withColumn(
        "cancelled_on", cancelled
    )


def records_until(eligibility: DataFrame, month: str) -> DataFrame:
    """Eligibility records received by the end of the month; without a month of receipt, those effective by then."""
    known = F.coalesce("received_month", F.date_format("effective_date", "yyyy-MM"))
    return eligibility.where(known <= month)


def _sampled(frame: DataFrame, share: float) -> DataFrame:
    """The rows of some members, whatever table they are in."""
    if share >= 1:
        return frame
    return frame.where(F.pmod(F.crc32(normal_id(F.col(KEY))), F.lit(SHARES)) < int(share * SHARES))
