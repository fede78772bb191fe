"""What a write found, as Dagster checks and their metadata; rule by rule it is in `monitoring.contract_results`.

Three checks a table, not one a rule: rules by month live in the Delta table, which also works for a range of months and
on a cluster that has no event log. Nothing here ever holds a value of a row: rule, column, count and share only.
"""

import dagster as dg

from claims_assets.contracts import Compiled
from claims_assets.runtime.stage import Findings

ROWS_KEEP_CONTRACT, GRAIN_IS_UNIQUE, NOTHING_IS_LOST = "rows_keep_contract", "grain_is_unique", "nothing_is_lost"

CHECKS = {
    ROWS_KEEP_CONTRACT: "Every row keeps every rule that quarantines or blocks.",
    GRAIN_IS_UNIQUE: "No two kept rows share the grain.",
    NOTHING_IS_LOST: "Rows in equal rows kept plus rows quarantined.",
}


def check_specs(key: dg.AssetKey) -> list[dg.AssetCheckSpec]:
    """The three checks of a table; all can block."""
    return [dg.AssetCheckSpec(name=n, asset=key, description=d, blocking=True) for n, d in CHECKS.items()]


def check_results(contract: Compiled, findings: Findings) -> list[dg.AssetCheckResult]:
    """The three results of one write. A rule that only sets rows aside fails its check as a warning."""
    severity = contract.severity_of()
    failed = findings.failed_by_rule()
    setting_aside = {r: n for r, n in failed.items() if severity.get(r, "quarantine") != "warn"}
    error = dg.AssetCheckSeverity.ERROR
    lost = None if findings.rows_expected is None else findings.rows_expected - findings.rows_in
    return [
        dg.AssetCheckResult(
            check_name=ROWS_KEEP_CONTRACT,
            passed=not setting_aside,
            severity=error if findings.blocked and setting_aside else dg.AssetCheckSeverity.WARN,
            metadata={"rows": findings.rows_in, "rules": _rule_table(failed, severity, findings.rows_in)},
        ),
        dg.AssetCheckResult(
            check_name=GRAIN_IS_UNIQUE,
            passed=findings.duplicates == 0,
            severity=error,
            metadata={"grain": ", ".join(contract.grain), "duplicates": findings.duplicates},
        ),
        dg.AssetCheckResult(
            check_name=NOTHING_IS_LOST,
            passed=not lost,
            severity=error,
            metadata={
                "rows in": findings.rows_in if findings.rows_expected is None else findings.rows_expected,
                "rows kept": findings.rows_kept,
                "rows quarantined": findings.rows_quarantined,
            },
        ),
    ]


def _rule_table(failed: dict[str, int], severity: dict[str, str], rows: int) -> dg.MarkdownMetadataValue:
    lines = ["| rule | severity | rows | share |", "|---|---|--:|--:|"]
    for rule, n in failed.items():
        lines.append(f"| {rule} | {severity.get(rule, 'quarantine')} | {n:,} | {n / max(rows, 1):.4%} |")
    return dg.MetadataValue.md("\n".join(lines) if failed else "No rule was broken.")
