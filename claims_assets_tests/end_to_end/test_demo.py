"""The whole flow on a small population: it ends well, loses nothing, repeats itself exactly, and shows no member."""

import json
import re
import sqlite3
from contextlib import closing

import pytest

from claims_assets.definitions import tables
from claims_assets.partitions import add_months
from claims_assets_tests.console import claims
from claims_assets_tests.end_to_end.conftest import END, MONTHS, demo_arguments

PREDICTORS = {
    "er_utilization_predictor": "er_utilization_model_version",
    "high_cost_predictor": "high_cost_model_version",
    "total_cost_predictor": "total_cost_model_version",
    "high_risk_predictor": "high_risk_model_version",
    "health_risk_score": "health_risk_model_version",
}
"""Model -> the column of the predictions with the version that scored."""
NAMES = [(t.schema, t.name) for t in tables()]


def fingerprints(demo):
    """Content of every table, quarantine included, as one number each; read without our own code."""
    import duckdb
    from deltalake import DeltaTable

    found = {}
    for log in sorted(demo.lake.glob("*/*/_delta_log")):
        rows = DeltaTable(str(log.parent)).to_pyarrow_dataset()
        with duckdb.connect() as db:
            db.register("rows", rows)
            found[f"{log.parent.parent.name}.{log.parent.name}"] = db.execute(
                "select count(*), coalesce(sum(hash(r)::hugeint), 0) from rows r"
            ).fetchone()
    return found


@pytest.mark.requirement("R32")
def test_the_demo_ends_with_the_summary(demo):
    assert "Done in" in demo.printed
    assert "never built" not in demo.printed
    assert re.search(r"Outreach list as of 2025-12: [\d,]+ members", demo.printed)
    assert re.search(r"health_risk_score +refused as of 2025-12, no champion", demo.printed)
    assert "Tier 4 - Routine" in demo.printed


def test_the_extracts_are_of_the_newest_month_alone_and_each_is_recorded(demo, sql):
    found = {p.parent.name for p in (demo.home / "extracts").glob("*/claim_month=*/extract.json")}
    assert found == {"claim_month=2025-12"}
    files = {f"outreach/{p.name}" for p in (demo.home / "extracts").rglob("immunization_*.*")}
    assert len(files) == 16
    assert {o for (o,) in sql("select object from monitoring.audit_log where claim_month = '2025-12'")} == files


@pytest.mark.parametrize(("schema", "name"), NAMES)
def test_every_table_of_the_graph_is_in_the_lake(demo, schema, name):
    assert (demo.lake / schema / name / "_delta_log").is_dir()


def test_every_landed_row_is_in_bronze_or_in_quarantine(sql):
    for feed in (
        "medical_claims",
        "pharmacy_claims",
        "member_eligibility",
        "immunizations",
        "member_contacts",
        "outreach_contacts",
        "fraud_labels",
        "providers",
    ):
        staged = sql(f"select count(*) from landing.{feed}")[0][0]
        kept = sql(f"select count(*) from bronze.{feed}")[0][0]
        aside = sql(f"select count(*) from quarantine.bronze_{feed}")[0][0] if _has(sql, f"bronze_{feed}") else 0
        assert staged == kept + aside, feed
        assert staged > 0, feed


def _has(sql, name):
    return bool(
        sql(f"select 1 from information_schema.tables where table_schema = 'quarantine' and table_name = '{name}'")
    )


def test_every_bronze_claim_line_is_a_version_or_in_quarantine(sql):
    lines = (
        sql("select count(*) from bronze.medical_claims")[0][0]
        + sql("select count(*) from bronze.pharmacy_claims")[0][0]
    )
    kept = sql("select count(*) from silver.claim_versions")[0][0]
    aside = sql("select count(*) from quarantine.silver_claim_versions")[0][0]
    assert lines == kept + aside


def test_what_the_generator_wrote_is_what_was_read(demo, sql):
    """Rows the generator counted itself = rows staged + rows set aside, but for lines that never were a record."""
    written = json.loads((demo.landing / "synthetic.json").read_text())["rows"]
    for feed, rows in written.items():
        staged = sql(f"select count(*) from landing.{feed}")[0][0]
        aside = sql(f"select _reasons from quarantine.landing_{feed}") if _has(sql, f"landing_{feed}") else []
        records_aside = [reasons for (reasons,) in aside if "line_is_a_record" not in reasons]
        assert staged + len(records_aside) == rows, feed


def test_a_quarantined_row_keeps_its_text_and_its_place(sql):
    (incomplete,) = sql(
        "select count(*) from quarantine.bronze_medical_claims"
        " where _raw is null or source_file is null or source_line is null or len(_reasons) = 0"
    )[0]
    assert incomplete == 0
    assert sql(
        "select count(*) from quarantine.bronze_medical_claims where json_extract_string(_raw, '$.claim_id') is null"
    ) == [(0,)]


@pytest.mark.requirement("R5")
def test_listed_and_excluded_are_all_enrolled_members(sql):
    wrong = sql("""
        with counted as (
            select claim_month, count(*) as n, 1 as side from silver.member_months_as_known group by all
            union all select claim_month, -count(*), 1 from gold.immunization_master_outreach_list group by all
            union all select claim_month, -count(*), 1 from gold.immunization_outreach_exclusions group by all)
        select claim_month from counted group by claim_month having sum(n) <> 0""")
    assert wrong == []


def test_every_enrolled_member_is_scored_once_a_month(sql):
    assert sql("select count(*) from gold.member_risk_predictions") == sql(
        "select count(*) from silver.member_months_as_known"
    )
    status = dict(sql("select claim_month, min(model_status) from gold.member_risk_predictions group by all"))
    assert status[add_months(END, 1 - MONTHS)] == "rule"


def registered(demo):
    """(risk model, version) -> the tags of the version."""
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{demo.home / 'mlflow' / 'mlflow.db'}")
    found = client.search_model_versions(max_results=1_000)
    return {(v.name, int(v.version)): v.tags for v in found if v.name in PREDICTORS}


def test_every_trained_version_was_judged_with_a_reason_where_it_was_not_promoted(demo, sql):
    versions = registered(demo)
    assert {name for name, _ in versions} == set(PREDICTORS)
    assert all(tags["gate"] in ("passed", "below_floor", "refused") for tags in versions.values())
    query = "select model_name, challenger, decision, reasons from monitoring.model_decisions"
    decided = {
        (name, version): (decision, reasons)
        for name, version, decision, reasons in sql(f"{query} where challenger is not null")
    }
    assert decided.keys() == versions.keys()
    assert all(reasons for decision, reasons in decided.values() if decision != "promoted")


@pytest.mark.requirement("R1")
def test_each_month_is_scored_by_what_the_gate_let_in_by_then_and_by_the_rule_else(demo, sql):
    versions = registered(demo)
    for name, column in PREDICTORS.items():
        used = dict(sql(f"select claim_month, max({column}) from gold.member_risk_predictions group by all"))
        assert len(used) == MONTHS
        for month, version in used.items():
            past = {n: t for (m, n), t in versions.items() if m == name and t["as_of_month"] <= month}
            let_in = {n for n, tags in past.items() if tags["gate"] in ("passed", "below_floor")}
            assert (version in let_in) if let_in else (version is None), f"{name} {month}"


def test_contract_results_hold_every_table_and_month(sql):
    found = {(t, m) for t, m in sql("select distinct table_name, claim_month from monitoring.contract_results")}
    for table in tables():
        name = f"{table.schema}.{table.name}"
        months = {m for t, m in found if t == name}
        assert len(months) == MONTHS if table.partitioned else months == {"all"}, name


def test_dagster_knows_rows_of_every_month_and_leaves_no_check_open(demo):
    with closing(sqlite3.connect(demo.home / "dagster" / "history" / "runs" / "index.db")) as db:
        (open_checks,) = db.execute(
            "select count(*) from asset_check_executions where execution_status = 'PLANNED'"
        ).fetchone()
        months = db.execute(
            "select count(distinct partition) from event_logs"
            " where dagster_event_type = 'ASSET_MATERIALIZATION' and asset_key like '%member_features%'"
        ).fetchone()
    assert open_checks == 0
    assert months == (MONTHS,)


def test_a_second_demo_changes_no_table(demo):
    before = fingerprints(demo)
    again = claims(demo.home, *demo_arguments())
    assert again.returncode == 0, again.stderr[-2000:]
    assert fingerprints(demo) == before


@pytest.mark.requirement("R12")
def test_running_one_month_again_changes_no_table(demo):
    before = fingerprints(demo)
    again = claims(demo.home, "run", "--from", "2024-05", "--to", "2024-05", "--select", "not group:models")
    assert again.returncode == 0, again.stderr[-2000:]
    assert fingerprints(demo) == before


def test_no_member_is_in_what_was_printed_logged_or_recorded(demo, sql):
    """Members, claims and phone numbers must stay in the lake: not in output, event logs, MLflow or check results."""
    members = {m for (m,) in sql("select distinct member_id from bronze.member_eligibility")}
    contacts = {v for (v,) in sql("select distinct value from bronze.member_contacts where value <> channel")}
    places = [
        p
        for folder in ("dagster", "mlflow")
        for p in (demo.home / folder).rglob("*")
        if p.is_file() and not p.name.endswith(("-wal", "-shm"))
    ]
    places += sorted((demo.lake / "monitoring").rglob("*.parquet"))
    texts = {"printed": demo.printed.encode()} | {str(p.relative_to(demo.home)): p.read_bytes() for p in places}
    tokens = {name: set(re.findall(rb"[A-Za-z0-9@.+-]{6,}", text)) for name, text in texts.items()}
    secret = {v.encode() for v in members | contacts}
    assert len(secret) > 300
    leaks = {name: len(found & secret) for name, found in tokens.items() if found & secret}
    assert leaks == {}


def test_status_shows_the_same_summary(demo):
    shown = claims(demo.home, "status")
    assert shown.returncode == 0
    assert "silver.claim_versions" in shown.stdout
    assert "Outreach list as of 2025-12" in shown.stdout
