"""What writes found, put into the monitoring tables by hand: the breaker reads nothing else."""

import pyarrow as pa

from claims_assets.contracts import compiled
from claims_assets.monitoring.built_months import BuiltMonths
from claims_assets.monitoring.contract_results import ContractResults
from claims_assets.monitoring.data_quality_scores import DataQualityScores
from claims_assets.runtime.lake import Lake


def found(
    lake: Lake,
    name: str,
    month: str,
    *,
    rows: int = 1_000,
    aside: int = 0,
    failures: int | None = None,
    score: float | None = 99.0,
    severity: str = "quarantine",
    committed: bool = True,
    inputs: str = "-",
) -> None:
    """A table was built in a month; `failures`: of two rules together, as many as rows were set aside if not given."""
    failures = aside if failures is None else failures
    at = {"table_name": name, "claim_month": month}
    content = f"{name} {month} {rows - aside}"
    if committed:
        built = at | {"rows_kept": rows - aside, "rows_quarantined": aside, "fingerprint": content, "inputs": inputs}
        _replace(lake, "built_months", BuiltMonths, at, [built])
    rule = at | {"severity": severity, "dimension": "validity", "rows": rows, "applicable": rows}
    halves = {"first": failures // 2, "second": failures - failures // 2}
    results = [rule | {"rule": r, "failed": n, "committed": committed} for r, n in halves.items()]
    _replace(lake, "contract_results", ContractResults, at, results)
    dimensions = dict.fromkeys(("completeness", "validity", "consistency", "accuracy", "timeliness"), score)
    scored = at | {"rows": rows, "score": score, "band": "fair", **dimensions, "dimensions_measured": []}
    _replace(lake, "data_quality_scores", DataQualityScores, at, [scored | {"committed": committed}])


def _replace(lake, table, model, at, rows):
    content = pa.Table.from_pylist(rows, schema=compiled(model).arrow_schema())
    lake.writer.replace(lake.path("monitoring", table), content, "table_name", {k: [v] for k, v in at.items()})
