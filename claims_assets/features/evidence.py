"""Evidence of diagnoses: which lines can tell of one, on which days, and whether that is enough to hold it present.

Every position of a line is read, and a line tells of all that its codes name. Codes are matched by their beginning,
without dots, in the system that was in force on the day of service. Elsewhere: which codes name what (`conditions.py`,
`comorbidities.py`), when a line counts (`as_of.py`).
"""

from collections.abc import Sequence
from datetime import date
from typing import Protocol

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from claims_assets.bronze.claim_links import MEDICAL
from claims_assets.features.as_of import SPAN, spread
from claims_assets.silver.codes import is_inpatient

ICD_10_CM_FROM = date(2015, 10, 1)
"""Day of service from which ICD-10-CM replaced ICD-9-CM (45 CFR 162.1002)."""
DIAGNOSES = tuple(f"diagnosis_code_{n}" for n in range(1, 13))
PROCEDURES = ("procedure_code_1", "procedure_code_2")

INPATIENT_DAYS, OUTPATIENT_DAYS = 1, 2
"""So many days of either kind are enough; the CMS Chronic Conditions Warehouse asks the same for most conditions."""

TEST_CLAIM_TYPES = ("PROF", "OP")
"""Claims on which a test is billed by itself; an emergency or inpatient facility states what it treated."""
TEST_PROCEDURES = (("70010", "77260"), ("77800", "78999"), ("80047", "89398"))
"""CPT of imaging, nuclear diagnostics, laboratory and pathology: a test ordered to rule a disease out names it too.

Radiation treatment (77261-77799) and radioactive drugs (79005-79999) are treatments, so they stay evidence. The same
line is drawn by CMS: of CPT 70010-89398, only codes of these two ranges are on the list of procedures whose diagnoses
count for risk adjustment of Medicare Advantage (2026 list of eligible CPT/HCPCS codes).
"""

MOST_GROUPS = 63
"""Bits of a positive bigint."""
COUNT_BITS, COUNTS = 9, 7
"""Counts of days side by side in one bigint: a window of twelve months has fewer than 2 to the 9th days, so that no sum
runs over into the next one."""


class CodeGroup(Protocol):
    """What codes stand for, and the name of the column that says it is present."""

    @property
    def column(self) -> str: ...
    @property
    def icd_10_cm(self) -> tuple[str, ...]: ...
    @property
    def icd_9_cm(self) -> tuple[str, ...]: ...


def present(counted: DataFrame, groups: Sequence[CodeGroup]) -> DataFrame:
    """One row per member_id and `as_of` month with any code of a group; one boolean per group, never NULL.

    Groups are bits of one number here: a column each would mean dozens of tests of every line and month.

    Args:
        counted: the lines that count, as `as_of.counting` gives them.
        groups: at most MOST_GROUPS.
    """
    if len(groups) > MOST_GROUPS:
        raise ValueError(f"{len(groups)} groups of codes asked for: ask for {MOST_GROUPS} at a time.")
    told = _codes_told(counted)
    # Every worker gets the codes: by code, the lines of the commonest ones would all go to one.
    named = told.join(F.broadcast(_groups_named(told, groups)), ["is_icd_9", "code"])
    by_span = named.groupBy("member_id", "service_from_date", *SPAN).agg(
        F.bit_or(F.when(F.col("inpatient"), F.col("groups"))).alias("inpatient"),
        F.bit_or(F.when(~F.col("inpatient"), F.col("groups"))).alias("outpatient"),
    )
    # A day counts once a month, however many versions and lines of it count then.
    by_day = spread(by_span).groupBy("member_id", "as_of", "service_from_date").agg(
        F.coalesce(F.bit_or("inpatient"), F.lit(0)).alias("inpatient"),
        F.coalesce(F.bit_or("outpatient"), F.lit(0)).alias("outpatient"),
    )  # fmt: skip
    words = range(-(-len(groups) // COUNTS))
    counts = by_day.groupBy("member_id", "as_of").agg(
        *[
            F.sum(_side_by_side(kind, word)).alias(f"{kind}_{word}")
            for kind in ("inpatient", "outpatient")
            for word in words
        ]
    )
    return counts.select(
        "member_id",
        "as_of",
        *[
            ((_days("inpatient", n) >= INPATIENT_DAYS) | (_days("outpatient", n) >= OUTPATIENT_DAYS)).alias(
                group.column
            )
            for n, group in enumerate(groups)
        ],
    )


def total(numbers: Sequence[Column]) -> Column:
    """Sum of a row's columns, as a tree of halves: a chain of dozens nests deeper than an engine reads."""
    if len(numbers) == 1:
        return numbers[0]
    half = len(numbers) // 2
    return total(numbers[:half]) + total(numbers[half:])


def is_test_only() -> Column:
    """The line bills tests and nothing else, so its diagnoses may be what was to be ruled out; never NULL."""
    given = F.coalesce(*PROCEDURES).isNotNull()
    tests = [F.coalesce(_is_test(F.col(name)), F.lit(True)) for name in PROCEDURES]
    return F.coalesce(F.col("claim_type").isin(*TEST_CLAIM_TYPES), F.lit(False)) & given & tests[0] & tests[1]


def _is_test(procedure: Column) -> Column:
    (first, *others) = [procedure.between(*ends) for ends in TEST_PROCEDURES]
    for other in others:
        first = first | other
    return first


def _codes_told(counted: DataFrame) -> DataFrame:
    """One row for each diagnosis code of a line that can be evidence."""
    lines = counted.where((F.col("claim_feed") == MEDICAL) & ~is_test_only())
    before = F.coalesce(F.col("service_from_date") < F.lit(ICD_10_CM_FROM), F.lit(False))
    return lines.select(
        "member_id",
        "service_from_date",
        *SPAN,
        is_inpatient().alias("inpatient"),
        before.alias("is_icd_9"),
        F.explode(F.array_compact(F.array(*DIAGNOSES))).alias("code"),
    )


def _groups_named(told: DataFrame, groups: Sequence[CodeGroup]) -> DataFrame:
    """Each distinct code that names a group, with the groups as bits: a code is matched once, not once a line."""
    codes = told.select("is_icd_9", "code").distinct()
    bits = []
    for n, group in enumerate(groups):
        now, before = (F.col("code").rlike(_pattern(given)) for given in (group.icd_10_cm, group.icd_9_cm))
        named = F.when(F.col("is_icd_9"), before).otherwise(now)
        bits.append(F.when(named, F.lit(1 << n).cast("bigint")).otherwise(F.lit(0).cast("bigint")))
    return codes.withColumn("groups", total(bits)).where(F.col("groups") != 0)


def _pattern(beginnings: tuple[str, ...]) -> str:
    """A code begins with one of these; `?` stands for any one character."""
    return f"^({'|'.join(beginnings)})".replace("?", ".")


def _side_by_side(kind: str, word: int) -> Column:
    """The bits of COUNTS groups, COUNT_BITS apart: a sum of such numbers is the sum of each bit by itself.

    Each bit j is moved by every multiple of 8, and of the copies the one at 9 j is kept; no two meet, as j is below 8.
    """
    bits = F.shiftright(kind, COUNTS * word).bitwiseAND(_bigint((1 << COUNTS) - 1))
    moved = bits * _bigint(sum(1 << (COUNT_BITS - 1) * j for j in range(COUNTS)))
    return moved.bitwiseAND(_bigint(sum(1 << COUNT_BITS * j for j in range(COUNTS))))


def _days(kind: str, n: int) -> Column:
    """Days of the kind that have the bit of group `n`."""
    word, place = divmod(n, COUNTS)
    return F.shiftright(f"{kind}_{word}", COUNT_BITS * place).bitwiseAND(_bigint((1 << COUNT_BITS) - 1))


def _bigint(number: int) -> Column:
    return F.lit(number).cast("bigint")
