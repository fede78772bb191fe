"""What each rule found: one row per table, claim month and rule, also for rules that nothing broke.

Written by every table's own write, whether it was committed or blocked. Holds counts only.
"""

from typing import Any

from claims_assets import columns as c
from claims_assets.contracts import DIMENSIONS, Compiled, Contract
from claims_assets.monitoring.quality import counts_of
from claims_assets.monitoring.recorded import recorded
from claims_assets.runtime.stage import Findings

WHOLE = "all"
"""Stands in `claim_month` for an unpartitioned table."""


class ContractResults(Contract):
    """What each rule found: one row per table, claim month and rule."""

    table_name: str = c.required("Table as `schema.table`.")
    claim_month: str = c.required("Claim month, or `all` for an unpartitioned table.")
    rule: str = c.required("Rule as a true statement about a good row.")
    severity: str = c.required("What breaking it does.", isin=["warn", "quarantine", "block"])
    dimension: str = c.required("What the rule speaks of; see docs/quality.md.", isin=DIMENSIONS)
    rows: c.Count = c.count("Rows of the table that were checked.")
    applicable: c.Count = c.count("Rows to which the rule applies: those that hold the values it speaks of.")
    failed: c.Count = c.count("Rows that broke the rule.")
    committed: bool = c.flag("Whether the write that found this was committed.")

    class Config:
        unique = ["table_name", "claim_month", "rule"]


contract_results = recorded("contract_results", ContractResults)
"""Not a step of its own: each table's write adds its rows."""


def result_rows(name: str, contract: Compiled, findings: Findings) -> list[dict[str, Any]]:
    """One row per month and rule of the contract; a rule that a transform rejects by stands only where it did."""
    return [
        {
            "table_name": name,
            "claim_month": month or WHOLE,
            "rule": found.rule,
            "severity": found.severity,
            "dimension": found.dimension,
            "rows": findings.rows_of(month),
            "applicable": found.applicable,
            "failed": found.failed,
            "committed": not findings.blocked,
        }
        for month in sorted({*findings.kept, *findings.quarantined})
        for found in counts_of(findings, contract, month)
    ]
