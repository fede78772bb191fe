"""What a member needs by vaccine, in one row: `gold.immunization_gaps` turned from rows into lists and sentences.

Elsewhere: the statuses (`features/vaccine_status.py`), who is listed for them (`standing.py`).
"""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from claims_assets.features.vaccine_status import STATUSES

KEY = ("member_id", "claim_month")
LISTS = {
    "vaccines_overdue": ("overdue",),
    "vaccines_due": ("overdue", "due"),
    "vaccines_no_evidence": ("no_evidence",),
    "vaccines_to_discuss": ("discuss",),
    "vaccines_contraindicated": ("contraindicated",),
    "vaccines_complete": ("complete",),
    "vaccines_not_yet": ("not_yet",),
}
"""Column -> statuses of the vaccines in it."""
SAID = {"overdue": ("overdue",), "due": ("due",), "no_evidence": ("no_evidence",), "discuss": ("discuss",)}
"""Sentence `_said_<name>` -> statuses of the vaccines in it."""


def vaccine_needs(gaps: DataFrame) -> DataFrame:
    """One row per member and as-of month: the LISTS, whether it `_has_*` a vaccine of a status, `first_due_since`,
    `dose_evidence` and the sentences of SAID.
    """
    told = gaps.withColumns({"_piece": _piece(), "_evidence": _evidence()})
    lists = [_collected(F.when(_is(of), F.col("vaccine"))).alias(name) for name, of in LISTS.items()]
    said = [
        F.concat_ws(", ", _collected(F.when(_is(of), F.col("_piece")))).alias(f"_said_{n}") for n, of in SAID.items()
    ]
    has = [F.max(_is((status,))).alias(f"_has_{status}") for status in STATUSES]
    return told.groupBy(*KEY).agg(
        *lists,
        *has,
        *said,
        F.min("due_since").alias("first_due_since"),
        _collected(F.when(_is(("complete",)) & (F.col("_evidence") != ""), F.col("_evidence"))).alias("dose_evidence"),
    )


def no_needs() -> dict[str, Column]:
    """Empty lists and sentences for members without any row."""
    empty = F.array().cast("array<string>")
    lists = {name: F.coalesce(F.col(name), empty) for name in (*LISTS, "dose_evidence")}
    lists |= {f"_has_{status}": F.coalesce(f"_has_{status}", F.lit(False)) for status in STATUSES}
    return lists | {f"_said_{n}": F.coalesce(F.col(f"_said_{n}"), F.lit("")) for n in SAID}


def _is(statuses: tuple[str, ...]) -> Column:
    return F.col("status").isin(*statuses)


def _piece() -> Column:
    """`zoster since 2025-03-01 (rule zoster_50)`; a dose that may be elsewhere is due by the schedule only."""
    since = F.concat(F.lit(" since "), F.coalesce("due_since", "next_due_date").cast("string"))
    return F.concat("vaccine", F.coalesce(since, F.lit("")), F.lit(" (rule "), "rule_id", F.lit(")"))


def _evidence() -> Column:
    joined = F.concat_ws(" ", F.array_sort("evidence"))
    return F.when(joined == "", F.lit("")).otherwise(F.concat(F.col("vaccine"), F.lit(": "), joined))


def _collected(values: Column) -> Column:
    """In order, whatever the order of rows; where there is nothing, the embedded engine collects a missing array."""
    return F.array_sort(F.coalesce(F.collect_list(values), F.array().cast("array<string>")))
