"""Whether a month is like those before it: one row per subject and condition, with its value, limits and verdict.

Here: the table. Elsewhere: the conditions and their limits (`drift_rules.py`), how far each column moved
(`psi_results.py`), how predictions came out (`model_performance.py`).
"""

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from claims_assets import columns as c
from claims_assets.contracts import Contract, compiled
from claims_assets.models.registered import MODELS
from claims_assets.monitoring.drift_rules import CONDITIONS, VERDICTS, conditions
from claims_assets.partitions import MONTH
from claims_assets.predictions.monthly_profiles import FEATURES, POPULATION
from claims_assets.table import table

if TYPE_CHECKING:
    import pandas as pd

SUBJECTS = (FEATURES, POPULATION, *[m.name for m in MODELS])


class Drift(Contract):
    """Whether a month is like those before it: one row per claim month, subject and condition."""

    claim_month: str = c.claim_month()
    subject: str = c.required("features, population, or the registered name of a model.", isin=list(SUBJECTS))
    condition: str = c.required("What is asked; docs/monitoring.md says how.", isin=list(CONDITIONS))
    value: c.Number = c.optional("The answer; NULL: it can't be known, see `about`.")
    at_least: c.Number = c.optional("Least value that is fine; NULL: there is none.")
    at_most: c.Number = c.optional("Largest value that is fine; NULL: there is none.")
    verdict: str = c.required("ok, warning, critical or unknown.", isin=list(VERDICTS))
    about: str = c.required("The column that it is about, or why it is unknown.")

    class Config:
        unique = ["claim_month", "subject", "condition"]


@table(Drift, phi="none", domain="risk")
def drift(monitoring_psi_results: DataFrame, monitoring_model_performance: DataFrame) -> DataFrame:
    """The conditions of each month."""
    moved = _packed(monitoring_psi_results, "moved")
    performance = _packed(monitoring_model_performance, "performance")
    return moved.join(performance, MONTH, "left").mapInPandas(of_batches, compiled(Drift).spark_schema())


def _packed(rows: DataFrame, name: str) -> DataFrame:
    """One row a month, with all its rows as a list: they are few."""
    fields = F.struct(*[n for n in rows.columns if n != MONTH])
    return rows.groupBy(MONTH).agg(F.collect_list(fields).alias(name))


def of_batches(batches: "Iterator[pd.DataFrame]") -> "Iterator[pd.DataFrame]":
    """Rows of Drift."""
    import pandas as pd

    columns = pd.Index(compiled(Drift).columns)
    for batch in batches:
        found = [row for packed in batch.to_dict("records") for row in _of_month(packed)]
        yield pd.DataFrame(found, columns=columns, dtype=object)


def _of_month(packed: dict[str, Any]) -> Iterator[dict[str, Any]]:
    performance = packed["performance"]
    rows = [] if performance is None else list(performance)
    for found in conditions(packed[MONTH], list(packed["moved"]), rows):
        yield {MONTH: packed[MONTH], **asdict(found)}
