"""The assets of extracts, run by Dagster: months, records, what is out of date, and what a failure leaves."""

import dagster as dg
import pytest

from claims_assets.definitions import build
from claims_assets.monitoring import audit_log
from claims_assets.monitoring.built_months import publish
from claims_assets.outreach.extracts import EXTRACTS, SCHEMA, folder_beside, is_extract, out_of_date
from claims_assets.outreach.safe_harbor import pseudonym
from claims_assets.runtime.pipes_entry import RANGE
from claims_assets.runtime.stage import Findings
from claims_assets.settings import settings_from_environment
from claims_assets_tests.outreach.made_targeting import MONTH, NOW, member, population, write_targeting

NAME = "immunization_deidentified"
DEIDENTIFIED = dg.AssetKey([SCHEMA, NAME])
FIRST = dg.AssetKey([SCHEMA, "immunization_tier1_outreach"])
LAST = "2025-04"


@pytest.fixture
def run(tmp_path, lake, engine, spark_resource):
    """`run(key, first, last)`: one run of an extract in CLAIMS_HOME, with the environment given."""

    def execute(key, first=MONTH, last=MONTH, **environ):
        settings = settings_from_environment({"CLAIMS_HOME": str(tmp_path), "CLAIMS_ENGINE": engine, **environ})
        job = build(settings, spark=spark_resource).resolve_implicit_global_asset_job_def()
        tags: dict[str, str] = dict(zip(RANGE, (first, last), strict=True))
        return job.get_subset(asset_selection={key}).execute_in_process(tags=tags, raise_on_error=False)

    return execute


def people(**given):
    return [{**p, **given} for p in population(300)]


def told(result):
    return {
        event.step_materialization_data.materialization.partition: event.step_materialization_data.materialization
        for event in result.all_events
        if event.is_step_materialization
    }


def test_the_eight_extracts_are_in_the_graph_with_their_tags():
    graph = build(settings_from_environment({"CLAIMS_HOME": "/nowhere"})).resolve_asset_graph()
    tags = {k.path[-1]: graph.get(k).tags["phi"] for k in graph.materializable_asset_keys if is_extract(k)}
    assert tags == {f"immunization_tier{n}_outreach": "restricted" for n in (1, 2, 3, 4)} | {
        "immunization_geographic_summary": "none",
        "immunization_risk_factor_analysis": "none",
        "immunization_program_roi": "none",
        "immunization_deidentified": "limited",
    }
    assert {k.path[-1] for k in EXTRACTS} == tags.keys()


def test_a_run_of_two_months_writes_both_and_records_each_file(run, lake):
    write_targeting(lake, [*people(), *people(claim_month=LAST)])
    result = run(FIRST, MONTH, LAST)
    assert result.success
    months = told(result)
    assert months.keys() == {MONTH, LAST}
    folder = folder_beside(lake)
    for month in (MONTH, LAST):
        assert sorted(p.name for p in folder.of_month(FIRST.path[-1], month).iterdir()) == [
            "extract.json",
            "immunization_tier1_outreach.csv",
            "immunization_tier1_outreach.parquet",
        ]
    recorded = audit_log.stored(lake)
    assert [(a.action, a.claim_month, a.object.split(".")[-1]) for a in recorded] == [
        ("export", month, kind) for month in (MONTH, LAST) for kind in ("csv", "parquet")
    ]
    kept = folder.manifest(FIRST.path[-1], MONTH)
    assert kept is not None
    assert {a.sha256 for a in recorded if a.claim_month == MONTH} == set(kept.sha256.values())
    assert {a.run_id for a in recorded} == {result.run_id}
    assert months[MONTH].metadata["sha256_csv"].value == kept.sha256["csv"]


def test_neither_metadata_nor_the_record_holds_a_value_of_a_member(run, lake):
    rows = people(reason="SECRET REASON", household_id="H-SECRET")
    write_targeting(lake, rows)
    for key in EXTRACTS:
        result = run(key)
        assert result.success
        text = repr([m.metadata for m in told(result).values()])
        text += "".join(e.message or "" for e in result.all_events)
        assert "SECRET" not in text
        assert not [r["member_id"] for r in rows if r["member_id"] in text]
    text = repr(audit_log.stored(lake))
    assert "SECRET" not in text
    assert "M000001" not in text


def test_only_the_newest_month_is_asked_for_and_only_when_its_content_changed(run, lake):
    months, folder = [MONTH, LAST], folder_beside(lake)
    assert out_of_date(FIRST, lake, folder, months) == [], "there is nothing to extract yet"
    build_months(lake, [*people(), *people(claim_month=LAST)], "one")
    assert out_of_date(FIRST, lake, folder, months) == [LAST]
    assert run(FIRST, LAST, LAST).success
    assert out_of_date(FIRST, lake, folder, months) == []
    build_months(lake, [*people(), *people(claim_month=LAST, reason="other")], "two")
    assert out_of_date(FIRST, lake, folder, months) == [LAST]


def build_months(lake, rows, fingerprint):
    """The table as a build of it would leave it: rows, and what they are made of."""
    write_targeting(lake, rows)
    months = [MONTH, LAST]
    findings = Findings(kept=dict.fromkeys(months, 300), fingerprint={MONTH: "same", LAST: fingerprint}, quarantined={})
    publish(lake, "gold", "immunization_targeting", findings, dict.fromkeys(months, "inputs"), None)


def test_without_a_key_outside_a_local_installation_nothing_is_exported(run, lake):
    write_targeting(lake, people())
    result = run(DEIDENTIFIED, CLAIMS_ENV="production")
    (failure,) = [e.step_failure_data for e in result.all_events if e.is_step_failure]
    assert "CLAIMS_PSEUDONYM_KEY is not set" in failure.user_failure_data.description
    assert audit_log.stored(lake) == []
    assert not folder_beside(lake).of_month(NAME, MONTH).exists()


def test_a_key_from_the_environment_is_used_and_never_told(run, lake, monkeypatch, tmp_path):
    key = "0123456789abcdef" * 2
    monkeypatch.setenv("CLAIMS_PSEUDONYM_KEY", key)
    write_targeting(lake, [member(n) for n in range(20)])
    result = run(DEIDENTIFIED, CLAIMS_PSEUDONYM_KEY=key)
    assert result.success
    text = (
        folder_beside(lake).of_month("immunization_deidentified", MONTH) / "immunization_deidentified.csv"
    ).read_text()
    assert pseudonym(key.encode(), MONTH, "M000000") in text
    assert key not in text + "".join(e.message or "" for e in result.all_events)
    assert not (tmp_path / "pseudonym.key").exists()


def test_a_failing_record_leaves_the_files_of_before(run, lake, tmp_path):
    write_targeting(lake, [member(1, outreach_tier="Tier 1 - Immediate")])
    assert run(FIRST).success
    place = folder_beside(lake).of_month(FIRST.path[-1], MONTH)
    before = {p.name: p.read_bytes() for p in place.iterdir()}
    write_targeting(lake, [member(2, outreach_tier="Tier 1 - Immediate")])
    log = lake.path(*audit_log.TABLE)
    log.rename(tmp_path / "away")
    log.write_text("in the way")
    assert not run(FIRST).success
    assert {p.name: p.read_bytes() for p in place.iterdir()} == before


def test_an_access_comes_back_as_it_was_recorded(lake):
    access = audit_log.Access(
        recorded_at=NOW, actor="ana", action="read", object="outreach/x.csv", claim_month=MONTH, rows=3,
        columns=("a", "b"), sha256="0" * 64, purpose="calls of the week",
    )  # fmt: skip
    audit_log.record(lake, [access])
    audit_log.record(lake, [access])
    assert audit_log.stored(lake) == [access], "the same access is one row"
