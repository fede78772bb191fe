"""What each month is compared with, kept as data: the bins of its references, and the members in them.

Here: which months make a reference, and its bins. Elsewhere: counts by month (`gold.monthly_profiles`), the comparison
(`psi_results.py`), the arithmetic (`psi.py`).

    year_before   the twelve months before, without those that are unlike their year
    season        the same month a year before, so that a winter is compared with a winter
    trained       the index months that the version in service was trained on

Predictions are compared with months that the same version scored: another version is not a change of members.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import dagster as dg
import pyspark.sql.types as T
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from claims_assets import columns as c
from claims_assets.contracts import Contract, compiled
from claims_assets.features.as_of import WINDOW_MONTHS
from claims_assets.models.registered import MODELS
from claims_assets.models.training import REACH
from claims_assets.models.windows import JUDGED
from claims_assets.monitoring.psi import MINOR, Bins, EmptyReference, Profile, bins_of, chance, psi, together
from claims_assets.partitions import MONTH, add_months
from claims_assets.predictions.monthly_profiles import FEATURES, NUMBER, POPULATION, WORD, value_of
from claims_assets.predictions.scoring import choose
from claims_assets.runtime.tracking import Tracking
from claims_assets.table import Window, table

if TYPE_CHECKING:
    import pandas as pd

YEAR_BEFORE, SEASON, TRAINED = REFERENCES = ("year_before", "season", "trained")
MONTHS, LEAST_MONTHS = 12, 6
"""Of the year before: all seasons; at least half of it."""
UNLIKE = MINOR / 2
"""Index beyond chance from which on a month of the year before is no reference. Ours: of four years of a synthetic plan
no month but those whose files came late has .02."""
OLDEST_VERSION = 24
"""Months that a version may have served and still be compared with what it was trained on; the retraining asks for
another one after three."""
REACHED = OLDEST_VERSION + REACH + JUDGED

FIRST = "first_month"

History = Annotated[DataFrame, Window(REACHED + 1)]
Ranks = Annotated[T.ArrayType, T.IntegerType(), True]
Ends = Annotated[T.ArrayType, T.DoubleType(), True]
Counts = Annotated[T.ArrayType, T.LongType(), True]


class ReferenceProfiles(Contract):
    """What each month is compared with: one row per claim month, subject, column, reference and training month.

    `bins` are those of `ranks`, then of `words`, then rarer words of the reference, words that it does not have, and
    missing values; see `monitoring/psi.py`.
    """

    claim_month: str = c.claim_month()
    subject: str = c.required("features, population, fraud_autoencoder, or the registered name of the model.")
    column_name: str = c.required("Column that is compared.")
    reference: str = c.required("year_before, season or trained.", isin=list(REFERENCES))
    trained_month: str = c.required("Of trained: as of when the version was trained; else empty.")
    months: c.Words = c.required("The months that make the reference; none: there is none yet.")
    left_out: c.Words = c.required("Months of the year before that are unlike the others.")
    ranks: Ranks = c.required("Last rank of each bin of numbers but the last.")
    ends: Ends = c.required("The same as values.")
    words: c.Words = c.required("Words with a bin of their own.")
    rarer: c.Words = c.required("Other words of the reference.")
    counts: Counts = c.required("Members of all its months in each bin.")
    mean: c.Number = c.optional("Mean of the numbers; NULL: none.")

    class Config:
        unique = ["claim_month", "subject", "column_name", "reference", "trained_month"]


@table(
    ReferenceProfiles,
    phi="limited",
    domain="risk",
    deps=[dg.AssetKey(["models", "promotion"])],
    resources=("tracking",),
)
def reference_profiles(gold_monthly_profiles: History, tracking: Tracking, months: list[str]) -> DataFrame:
    """The references of the asked months."""
    asked, trained = list(months), trained_on(tracking, months)
    schema = compiled(ReferenceProfiles).spark_schema()
    first = gold_monthly_profiles.groupBy("subject", "column_name").agg(F.min(MONTH).alias(FIRST))
    compared = gold_monthly_profiles.where(F.col(MONTH).isin(_compared(asked, trained)))
    of_columns = compared.join(first, ["subject", "column_name"]).groupBy("subject", "column_name")
    return of_columns.applyInPandas(lambda rows: of_column(rows, asked, trained), schema)


def _compared(asked: Sequence[str], trained: "Trained") -> list[str]:
    """The asked months and all that may be a reference of theirs."""
    years = {add_months(m, -back) for m in asked for back in range(MONTHS + 1)}
    return sorted(years.union(*(indexes for m in asked for indexes in trained[m].values())))


Trained = Mapping[str, Mapping[str, Sequence[str]]]
"""Claim month -> training month of the versions in service -> the index months that they were trained on."""


def trained_on(tracking: Tracking, months: Sequence[str]) -> Trained:
    """What the versions in service in each month were trained on.

    Raises:
        EmptyReference: the registry does not say it of a version.
    """
    found: dict[str, dict[str, Sequence[str]]] = {m: {} for m in months}
    known: dict[str, Sequence[str]] = {}
    for model in MODELS:
        versions = tracking.versions(model.name)
        for month in months:
            chosen = choose(versions, month)
            if not chosen:
                continue
            version = chosen[0]
            if version.as_of_month not in known:
                told = tracking.params(version).get("train_indexes", "")
                known[version.as_of_month] = tuple(m for m in told.split(", ") if m)
            if not known[version.as_of_month]:
                raise EmptyReference(
                    f"The run of {model.name} version {version.version} does not say by `train_indexes` what it was"
                    f" trained on, so drift can't be measured: train as of {version.as_of_month} again."
                )
            found[month][version.as_of_month] = known[version.as_of_month]
    return found


Value = tuple[str, int, str, int, float]
"""Kind, rank, word, members, total."""


@dataclass(frozen=True)
class Column:
    """The profiles of one column by month."""

    subject: str
    name: str
    first: str
    """The oldest month that has values."""
    profiles: Mapping[str, Profile]
    """Of the months that are compared."""
    versions: Mapping[str, int | None]
    """Month -> version that predicted; None: the rule, or no prediction."""

    @property
    def is_prediction(self) -> bool:
        return self.subject not in (FEATURES, POPULATION)

    def before(self, month: str) -> list[str]:
        """The months of the year before that may be compared with it: a full look-back, and the same version."""
        first = add_months(self.first, WINDOW_MONTHS - 1)
        year = [add_months(month, -back) for back in range(MONTHS, 0, -1)]
        return [
            m
            for m in year
            if m in self.profiles
            and m >= first
            and not (self.is_prediction and self.versions[m] != self.versions[month])
        ]


def of_column(rows: "pd.DataFrame", asked: Sequence[str], trained: Trained) -> "pd.DataFrame":
    """Rows of ReferenceProfiles for one column, of the asked months in which it has values."""
    import pandas as pd

    column = column_of(rows)
    found = [row for month in asked if month in column.profiles for row in _of_month(column, month, trained[month])]
    return pd.DataFrame(found, columns=pd.Index(compiled(ReferenceProfiles).columns), dtype=object)


def column_of(rows: "pd.DataFrame") -> Column:
    """One column's rows of `gold.monthly_profiles`, and FIRST."""
    values: dict[str, list[Value]] = {}
    versions: dict[str, int | None] = {}
    names = (MONTH, "model_version", "value_kind", "rank", "word", "members", "total")
    for month, version, *value in zip(*[rows[n].tolist() for n in names], strict=True):
        values.setdefault(month, []).append(tuple(value))
        # NaN is how pandas holds a version that is not there.
        versions[month] = None if version is None or version != version else int(version)
    profiles = {month: profile_of(of_month) for month, of_month in values.items()}
    subject, name, first = (rows[n].iloc[0] for n in ("subject", "column_name", FIRST))
    return Column(subject, name, first, profiles, versions)


def profile_of(values: Iterable[Value]) -> Profile:
    """One month of one column."""
    numbers: dict[int, int] = {}
    words: dict[str, int] = {}
    missing, totals = 0, []
    for kind, rank, word, members, total in values:
        if kind == NUMBER:
            numbers[int(rank)] = int(members)
        elif kind == WORD:
            words[word] = int(members)
        else:
            missing += int(members)
        totals.append(float(total))
    # Not by `sum`, which depends on the order, and the engine gives rows in any.
    return Profile(numbers, words, missing, math.fsum(totals))


def _of_month(column: Column, month: str, trained: Mapping[str, Sequence[str]]) -> Iterator[dict[str, Any]]:
    year = column.before(month)
    odd = unlike(column.profiles, year)
    kept = [m for m in year if m not in odd]
    fewest = 1 if column.is_prediction else LEAST_MONTHS
    yield _row(column, month, YEAR_BEFORE, kept if len(kept) >= fewest else [], odd)
    if column.is_prediction:
        return
    season = add_months(month, -MONTHS)
    # Also where it is unlike its year, as a winter may be: what is far from one reference only is not told.
    if season in year:
        yield _row(column, month, SEASON, [season])
    if column.subject == FEATURES:
        for as_of, indexes in sorted(trained.items()):
            known = [m for m in indexes if m in column.profiles]
            if len(known) < len(indexes):
                first, last = min(indexes), max(indexes)
                raise EmptyReference(
                    f"gold.monthly_profiles lacks months from {first} to {last}, on which the version as of {as_of} in"
                    f" service was trained: build it with `claims run --from {first} --to {month}`, or train again."
                )
            yield _row(column, month, TRAINED, known, trained_month=as_of)


def unlike(profiles: Mapping[str, Profile], months: Sequence[str]) -> list[str]:
    """Months that are unlike the others together, such as one whose files came late; none where too few would stay."""
    if len(months) <= LEAST_MONTHS:
        return []
    whole = together([profiles[m] for m in months])
    bins = bins_of(whole)
    everybody, odd = bins.counts(whole), []
    for month in months:
        own = bins.counts(profiles[month])
        others = [e - o for e, o in zip(everybody, own, strict=True)]
        if psi(others, own) - chance(others, own) > UNLIKE:
            odd.append(month)
    return odd if len(months) - len(odd) >= LEAST_MONTHS else []


def _row(
    column: Column, month: str, reference: str, months: Sequence[str], odd: Sequence[str] = (), trained_month: str = ""
) -> dict[str, Any]:
    whole = together([column.profiles[m] for m in months])
    bins = bins_of(whole) if whole.members else Bins((), ())
    return {
        MONTH: month,
        "subject": column.subject,
        "column_name": column.name,
        "reference": reference,
        "trained_month": trained_month,
        "months": list(months),
        "left_out": list(odd),
        "ranks": list(bins.ranks),
        "ends": [value_of(r) for r in bins.ranks],
        "words": list(bins.words),
        "rarer": sorted(bins.rarer),
        "counts": bins.counts(whole) if whole.members else [],
        "mean": whole.mean,
    }
