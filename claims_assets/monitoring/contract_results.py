"""What each rule found: one row per table, claim month and rule, also for rules that nothing broke.

Written by every table's own write, whether it was committed or blocked. Holds counts only.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import dagster as dg

from claims_assets import columns as c
from claims_assets.contracts import Compiled, Contract, compiled
from claims_assets.layers import LAYERS
from claims_assets.partitions import MONTH
from claims_assets.runtime.delta import delta_exists, read_arrow
from claims_assets.runtime.stage import Findings

if TYPE_CHECKING:
    from claims_assets.runtime.lake import Lake

WHOLE = "all"
"""Stands in `claim_month` for an unpartitioned table."""


class ContractResults(Contract):
    """What each rule found: one row per table, claim month and rule."""

    table_name: str = c.required("Table as `schema.table`.")
    claim_month: str = c.required("Claim month, or `all` for an unpartitioned table.")
    rule: str = c.required("Rule as a true statement about a good row.")
    severity: str = c.required("What breaking it does.", isin=["warn", "quarantine", "block"])
    rows: c.Count = c.count("Rows that were checked.")
    failed: c.Count = c.count("Rows that broke the rule.")
    committed: bool = c.flag("Whether the write that found this was committed.")

    class Config:
        unique = ["table_name", "claim_month", "rule"]


contract_results = dg.AssetSpec(
    dg.AssetKey(["monitoring", "contract_results"]),
    group_name="monitoring",
    description=ContractResults.__doc__,
    owners=[LAYERS["monitoring"].owner],
    tags={"phi": "none", "domain": "claims"},
    kinds={"deltalake"},
    metadata={
        "dagster/column_schema": compiled(ContractResults).column_schema(),
        "dagster/table_name": "monitoring.contract_results",
    },
)
"""Not a step of its own: each table's write adds its rows."""


def result_rows(name: str, contract: Compiled, findings: Findings) -> list[dict[str, Any]]:
    """One row per month and rule of the contract; a rule that a transform rejects by stands only where it did."""
    severity = contract.severity_of()
    months = sorted({*findings.kept, *findings.quarantined})
    return [
        {
            "table_name": name,
            "claim_month": month or WHOLE,
            "rule": rule,
            "severity": severity.get(rule, "quarantine"),
            "rows": findings.kept.get(month, 0) + findings.quarantined.get(month, 0),
            "failed": findings.failed.get(month, {}).get(rule, 0),
            "committed": not findings.blocked,
        }
        for month in months
        for rule in sorted({*severity, *findings.failed.get(month, {})})
    ]


def built_months(lake: "Lake", schema: str, name: str) -> set[str]:
    """Claim months of a table that were ever built, also those that came out empty."""
    path = lake.path("monitoring", "contract_results")
    held = set(lake.rows_by_month(schema, name))
    if not delta_exists(path):
        return held
    found = read_arrow(path, ["claim_month", "committed"], ("table_name", f"{schema}.{name}")).to_pylist()
    return held | {row["claim_month"] for row in found if row["committed"]}


def publish(lake: "Lake", name: str, contract: Compiled, months: Sequence[str] | None, findings: Findings) -> None:
    """Replace what is stored for this table and these months, in one commit."""
    import pyarrow as pa

    rows = pa.Table.from_pylist(result_rows(name, contract, findings), schema=compiled(ContractResults).arrow_schema())
    where = {"table_name": [name], MONTH: list(months or [WHOLE])}
    lake.writer.replace(lake.path("monitoring", "contract_results"), rows, "table_name", where)
