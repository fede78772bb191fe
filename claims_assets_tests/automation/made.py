"""Rows of monitoring tables, written as the tables' own writes leave them, but without an engine."""

from collections.abc import Iterable

import pyarrow as pa
from deltalake import write_deltalake

from claims_assets.contracts import compiled
from claims_assets.monitoring.built_months import BuiltMonths
from claims_assets.monitoring.data_quality_scores import DataQualityScores
from claims_assets.monitoring.drift import Drift
from claims_assets.monitoring.quality import band


def built(lake, name, months, rows: int | dict[str, int] = 100) -> None:
    """These months of a table were built; `rows`: of each month, or by month."""
    counted = rows if isinstance(rows, dict) else dict.fromkeys(months, rows)
    _replace(
        lake,
        "built_months",
        BuiltMonths,
        name,
        [
            {
                "table_name": name,
                "claim_month": m,
                "rows_kept": counted[m],
                "rows_quarantined": 0,
                "fingerprint": "f",
                "inputs": "i",
            }
            for m in months
        ],
    )


def scored(lake, name, scores, stopped: Iterable[str] = ()) -> None:
    """Claim month -> quality score of a table, and the months whose last write was stopped."""
    none = dict.fromkeys(("completeness", "validity", "consistency", "accuracy", "timeliness"))
    _replace(
        lake,
        "data_quality_scores",
        DataQualityScores,
        name,
        [
            {
                "table_name": name,
                "claim_month": m,
                "rows": 100,
                "score": score,
                "band": band(score),
                **none,
                "dimensions_measured": [],
                "committed": m not in stopped,
            }
            for m, score in scores.items()
        ],
    )


def _replace(lake, table, contract, name, rows):
    path = lake.path("monitoring", table)
    write_deltalake(
        str(path),
        pa.Table.from_pylist(rows, schema=compiled(contract).arrow_schema()),
        mode="overwrite",
        partition_by=["table_name"],
        predicate=f"table_name = '{name}'" if path.exists() else None,
    )


def drifted(lake, month: str, **conditions: tuple[str, float, float | None, float | None, str]) -> None:
    """What `monitoring.drift` says of a month: `subject__condition` -> verdict, value, least, most, about."""
    rows = [
        {
            "claim_month": month, "subject": name.split("__")[0], "condition": name.split("__")[1], "verdict": verdict,
            "value": value, "at_least": at_least, "at_most": at_most, "about": about,
        }
        for name, (verdict, value, at_least, at_most, about) in conditions.items()
    ]  # fmt: skip
    content = pa.Table.from_pylist(rows, schema=compiled(Drift).arrow_schema())
    write_deltalake(str(lake.path("monitoring", "drift")), content, mode="append", partition_by=["claim_month"])
