"""How far each input, prediction and attribute of a month has moved from its references: one row each.

Here: the comparison of `gold.monthly_profiles` with `monitoring.reference_profiles`. Elsewhere: the arithmetic
(`psi.py`), what follows for a model (`drift.py`), the picture (`drift_plot.py`). Holds shares and indexes only; those
that tell of one to ten members are left out.
"""

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from claims_assets import columns as c
from claims_assets.contracts import Compiled, Contract, compiled
from claims_assets.models.plot import LEAST_MEMBERS
from claims_assets.monitoring.drift_plot import heat_map
from claims_assets.monitoring.psi import (
    VERDICTS,
    Bins,
    EmptyReference,
    Profile,
    chance,
    drift_score,
    moved_share,
    psi,
    verdict,
)
from claims_assets.monitoring.reference_profiles import REFERENCES, ReferenceProfiles, profile_of
from claims_assets.partitions import MONTH
from claims_assets.predictions.monthly_profiles import FEATURES, POPULATION, MonthlyProfiles, value_of
from claims_assets.table import table

if TYPE_CHECKING:
    import pandas as pd

NO_REFERENCE = "no_reference"
KEY = (MONTH, "subject", "column_name")
GRAIN = (MONTH, "subject", "column_name", "reference", "trained_month")
NO_REFERENCE_YET = "No month before may be compared with it: fewer than six have a full look-back."
NEW_VERSION = "No month before was scored by the same version."
PICTURED = 12
"""Months of the picture."""


def _told(description: str, **checks: Any):
    return c.optional(f"{description} NULL: see `absent`, or it tells of one to ten members.", **checks)


class PsiResults(Contract):
    """How far values have moved: one row per claim month, subject, column, reference and training month."""

    claim_month: str = c.claim_month()
    subject: str = c.required("features, population, fraud_autoencoder, or the registered name of the model.")
    column_name: str = c.required("Column that is compared.")
    reference: str = c.required("What it is compared with: year_before, season or trained.", isin=list(REFERENCES))
    trained_month: str = c.required("Of trained: as of when the version in service was trained; else empty.")
    members: c.Count = c.count("Members of the month.")
    reference_members: c.Count = c.count("Members of all months of the reference; 0: there is none.")
    reference_months: c.Count = c.count("Months of the reference.")
    psi: c.Number = c.optional("Population stability index, smoothed; NULL: see `absent`.", ge=0.0)
    psi_by_chance: c.Number = c.optional("Index that as many members drawn alike reach once in 10,000.", ge=0.0)
    drift_score: c.Number = c.optional(
        "Index less that expected by chance, as 1 - exp(-5 x); 0: chance explains it.",
        in_range={"min_value": 0, "max_value": 1},
    )
    verdict: str = c.required("stable, minor or major, by the index; or no_reference.", isin=[*VERDICTS, NO_REFERENCE])
    moved_share: c.Number = c.optional("Share of members that would have to change bins.", ge=0.0, le=1.0)
    missing_share: c.Number = _told("Share of members without a value.", ge=0.0, le=1.0)
    reference_missing_share: c.Number = _told("The same of the reference.", ge=0.0, le=1.0)
    outside_share: c.Number = _told("Share of members with a value beyond all of the reference.", ge=0.0, le=1.0)
    mean: c.Number = c.optional("Mean of the numbers; NULL: none, or they are words.")
    deviation: c.Number = c.optional("Standard deviation of the numbers, by their ranges; NULL: none.", ge=0.0)
    reference_mean: c.Number = c.optional("The same of the reference.")
    absent: str = c.optional("Why there is no index.")

    class Config:
        unique = list(GRAIN)


@table(PsiResults, phi="none", domain="risk", picture=heat_map, picture_months=PICTURED)
def psi_results(gold_monthly_profiles: DataFrame, monitoring_reference_profiles: DataFrame) -> DataFrame:
    """Every column of a month against each of its references."""
    now = _packed(gold_monthly_profiles, compiled(MonthlyProfiles), "now")
    before = _packed(monitoring_reference_profiles, compiled(ReferenceProfiles), "before")
    both = now.join(before, list(KEY), "left")
    return both.mapInPandas(of_batches, compiled(PsiResults).spark_schema())


def _packed(rows: DataFrame, contract: Compiled, name: str) -> DataFrame:
    """One row for each month, subject and column, with all that is known of them as a list."""
    fields = F.struct(*[n for n in contract.columns if n not in KEY])
    return rows.groupBy(*KEY).agg(F.collect_list(fields).alias(name))


def of_batches(batches: "Iterator[pd.DataFrame]") -> "Iterator[pd.DataFrame]":
    """Rows of PsiResults.

    Raises:
        EmptyReference: a month has members and no row that says what it is compared with.
    """
    import pandas as pd

    columns = pd.Index(compiled(PsiResults).columns)
    for batch in batches:
        found = [row for packed in batch.to_dict("records") for row in _of_one(packed)]
        yield pd.DataFrame(found, columns=columns, dtype=object)


def _of_one(packed: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The column of one month against each of its references."""
    key = {name: packed[name] for name in KEY}
    if packed["before"] is None or not len(packed["before"]):
        month, subject, column = key.values()
        raise EmptyReference(
            f"monitoring.reference_profiles has no reference for {column} of {subject} in {month}: build it with"
            f" `claims run --from {month} --to {month}`."
        )
    now = profile_of((v["value_kind"], v["rank"], v["word"], v["members"], v["total"]) for v in packed["now"])
    for reference in sorted(packed["before"], key=lambda r: (r["reference"], r["trained_month"])):
        yield _row(now, key | reference)


def _row(now: Profile, reference: dict[str, Any]) -> dict[str, Any]:
    row = {name: reference[name] for name in GRAIN} | {
        "members": now.members,
        "mean": now.mean,
        "deviation": deviation(now),
        "reference_months": len(reference["months"]),
    }
    counts = [int(n) for n in reference["counts"]]
    if not sum(counts):
        is_model = reference["subject"] not in (FEATURES, POPULATION)
        absent = NEW_VERSION if is_model else NO_REFERENCE_YET
        return row | {"reference_members": 0, "verdict": NO_REFERENCE, "absent": absent}
    bins = Bins(tuple(int(r) for r in reference["ranks"]), tuple(reference["words"]), frozenset(reference["rarer"]))
    return row | dict(_compared(bins, counts, bins.counts(now))) | {"reference_mean": _none(reference["mean"])}


def _compared(bins: Bins, before: Sequence[int], now: Sequence[int]) -> Iterator[tuple[str, Any]]:
    everybody, others = sum(now), sum(before)
    yield "reference_members", others
    # An index of two equal rows may be a hair below zero.
    yield "psi", max(0.0, psi(before, now))
    yield "psi_by_chance", chance(before, now)
    yield "drift_score", drift_score(before, now)
    yield "verdict", verdict(psi(before, now))
    yield "moved_share", moved_share(before, now)
    yield "missing_share", shown(now[-1], everybody)
    yield "reference_missing_share", shown(before[-1], others)
    yield "outside_share", shown(bins.outside(now), everybody)


def deviation(of: Profile) -> float | None:
    """Standard deviation of the numbers, as if each had the upper end of its range (2 % wide)."""
    known, mean = sum(of.numbers.values()), of.mean
    if mean is None:
        return None
    # In the order of the ranks: a sum of floats depends on it.
    squares = sum(n * (value_of(rank) - mean) ** 2 for rank, n in sorted(of.numbers.items()))
    return math.sqrt(squares / known)


def shown(some: int, everybody: int) -> float | None:
    """Their share; None where it tells that they, or the others, are one to ten."""
    if 0 < some < LEAST_MEMBERS or 0 < everybody - some < LEAST_MEMBERS:
        return None
    return some / everybody


def _none(value: Any) -> float | None:
    return None if value is None or value != value else float(value)
