"""What a write found: as Dagster checks and their metadata, and as rows of the tables of this folder.

Three checks a table, not one a rule: rules by month live in the Delta table, which also works for a range of months and
on a cluster that has no event log. Nothing here ever holds a value of a row: rule, column, count and share only.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import dagster as dg

from claims_assets.contracts import Compiled, Contract, compiled
from claims_assets.monitoring.contract_results import WHOLE, ContractResults, result_rows
from claims_assets.monitoring.data_quality_scores import DataQualityScores, score_rows
from claims_assets.monitoring.quality import Score, lowest, score_of
from claims_assets.runtime import records
from claims_assets.runtime.delta import delta_exists, stored_schema
from claims_assets.runtime.stage import Findings

if TYPE_CHECKING:
    from claims_assets.runtime.lake import Lake

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
            metadata={"rows": findings.rows_in, "rules": _rule_table(contract, findings)}
            | _quality(score_of(findings, contract)),
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


def _quality(scores: Mapping[str, Score]) -> dict[str, Any]:
    """The month that scores lowest speaks for the write."""
    found = lowest(scores)
    if found is None:
        return {"quality score": None, "quality band": Score(0, {}, None).band}
    month, worst = found
    return {"quality score": worst.score, "quality band": worst.band, "quality month": month or WHOLE}


def _rule_table(contract: Compiled, findings: Findings) -> dg.MarkdownMetadataValue:
    """The broken rules; the share is of the rows to which the rule applies."""
    severity, applicable = contract.severity_of(), findings.applicable_by_rule()
    failed = findings.failed_by_rule() | {r: n for r, n in findings.measured_by_rule().items() if n}
    lines = ["| rule | severity | failed | applicable | share |", "|---|---|--:|--:|--:|"]
    for rule, n in sorted(failed.items()):
        of = applicable[rule]
        lines.append(f"| {rule} | {severity.get(rule, 'quarantine')} | {n:,} | {of:,} | {n / of:.4%} |")
    return dg.MetadataValue.md("\n".join(lines) if failed else "No rule was broken.")


def publish(lake: "Lake", name: str, contract: Compiled, months: Sequence[str] | None, findings: Findings) -> None:
    """Replace what the monitoring tables hold of this table and these months: one commit each."""
    _replace(lake, "contract_results", ContractResults, name, months, result_rows(name, contract, findings))
    _replace(lake, "data_quality_scores", DataQualityScores, name, months, score_rows(name, contract, findings))


def _replace(lake: "Lake", into: str, model: type[Contract], name: str, months, rows: list[dict[str, Any]]) -> None:
    """Rows of an older layout are dropped: each table states its own again with its next write."""
    import pyarrow as pa

    path, schema = lake.path("monitoring", into), compiled(model).arrow_schema()
    fits = not delta_exists(path) or stored_schema(path).names == schema.names
    table = pa.Table.from_pylist(rows, schema=schema)
    if fits:
        records.replace(lake, path, table, name, list(months or [WHOLE]))
    else:
        lake.writer.replace(path, table, records.TABLE_NAME, None)
