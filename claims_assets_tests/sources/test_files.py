"""The landing assets in Dagster: nothing is written before everything was checked; counts, never values."""

import dagster as dg
import pytest

from claims_assets.runtime.compute import computes_for
from claims_assets.sources import stage
from claims_assets.sources.feeds import FEEDS, LandingError
from claims_assets.sources.files import LandingZone, landing_assets
from claims_assets.sources.preflight import preflight
from claims_assets.sources.provider_database import ProvidersUnreachable
from claims_assets_tests.sources.zone import CLAIMS, Zone

SPANS = "member_id,effective_date\nM1,2023-01-01\n"


@pytest.fixture
def zone(tmp_path):
    zone = Zone(tmp_path)
    zone.claims("a.csv", "A,2023-01-05", "B,1999-01-05")
    zone.put("member_eligibility/m.csv", SPANS)
    return zone


def run(zone, *feeds, **fields):
    resource = LandingZone(
        folder=str(zone.landing),
        lake_root=str(zone.lake),
        start_month="2022-01",
        **{"arrival_month": "2024-12"} | fields,
    )
    chosen = [a for a in landing_assets if not feeds or a.key.path[-1] in feeds]
    return dg.materialize(chosen, resources={"landing": resource, **computes_for(None)}, raise_on_error=False)


def failure(result):
    return [e.step_failure_data.user_failure_data.description for e in result.all_events if e.is_step_failure]


def test_there_is_one_asset_a_feed_and_each_is_described():
    assert [a.key for a in landing_assets] == [dg.AssetKey(["landing", feed]) for feed in FEEDS]
    for asset in landing_assets:
        (spec,) = asset.specs
        assert spec.group_name == "sources" and spec.owners == ["team:claims-data"]
        assert {"domain", "phi"} <= spec.tags.keys()
        assert "One row per" in spec.description
        assert [c.name for c in asset.check_specs] == ["nothing_is_lost"]


def test_a_run_stages_all_feeds_and_reports_counts(zone):
    result = run(zone)
    assert result.success
    (found,) = result.asset_materializations_for_node("landing__medical_claims")
    told = {k: v.value for k, v in found.metadata.items()}
    assert (told["rows in"], told["rows quarantined"], told["dagster/row_count"]) == (2, 1, 1)
    assert told["files new"] == "medical_claims/a.csv" and told["touched months"] == "2023-01"
    assert "| claim_month_is_in_scope | 1 |" in told["quarantined by reason"]
    assert all(e.passed for e in result.get_asset_check_evaluations())
    (providers,) = result.asset_materializations_for_node("landing__providers")
    assert "no files" in providers.metadata["summary"].value


@pytest.mark.requirement("R20")
@pytest.mark.parametrize("feed", FEEDS)
def test_whichever_asset_runs_first_stops_before_anything_is_written(zone, feed):
    (zone.landing / "member_eligibility/m.csv").write_text("member_id\n")
    assert failure(run(zone, feed)) == [
        "member_eligibility/m.csv: required column 'effective_date' is missing: name the file's column for it under"
        " `rename` in member_eligibility.yaml."
    ]
    assert not zone.lake.exists()


def test_an_unreachable_provider_database_stops_every_asset_without_its_password(zone):
    url = "postgresql://user:secret@127.0.0.1:1/providers"
    (sentence,) = failure(run(zone, "medical_claims", providers_url=url))
    assert "provider database" in sentence and "secret" not in sentence
    assert not zone.lake.exists()


def test_provider_files_go_before_the_provider_database(zone):
    zone.put("providers/p.csv", "provider_id\nP1\n")
    assert run(zone, "providers", providers_url="postgresql://user:secret@127.0.0.1:1/providers").success
    assert [r["provider_id"] for r in zone.staged("providers")] == ["P1"]


def test_rows_that_went_missing_fail_the_check(zone, monkeypatch):
    from claims_assets.sources import intake

    settled = intake.settled
    monkeypatch.setattr(intake, "settled", lambda *a: (settled(*a)[0].slice(1), settled(*a)[1].slice(1)))
    result = run(zone, "medical_claims")
    assert [e.passed for e in result.get_asset_check_evaluations()] == [False]
    assert "2 rows read, but 0 staged and 0 quarantined" in failure(result)[0]


def test_the_month_of_arrival_defaults_to_the_current_one():
    import datetime as dt

    resource = LandingZone(folder="x", lake_root="y", start_month="2022-01")
    before = f"{dt.datetime.now(dt.UTC):%Y-%m}"
    assert before <= resource.latest_month() <= f"{dt.datetime.now(dt.UTC):%Y-%m}"


def test_preflight_finds_mistakes_of_any_feed(zone):
    preflight(zone.landing)
    zone.put("immunizations.yaml", "colour: red")
    with pytest.raises(LandingError, match=r"^immunizations\.yaml: unknown key 'colour'"):
        preflight(zone.landing)


def test_preflight_asks_for_the_table_that_the_mapping_names(zone):
    zone.put("providers.yaml", "table: ref.doctors")
    asked = []
    preflight(zone.landing, check_providers=asked.append)
    assert asked == ["ref.doctors"]

    def unreachable(table):
        raise ProvidersUnreachable(f"no {table}")

    with pytest.raises(ProvidersUnreachable):
        preflight(zone.landing, check_providers=unreachable)


def test_no_value_of_a_row_reaches_the_log_or_the_metadata(zone, caplog):
    zone.put("medical_claims/a.csv", f"{CLAIMS}\nA,MEMBER-77,2023-01-05,2023-01-05\nMEMBER-77\nB,MEMBER-77,bad,bad\n")
    result = run(zone)
    told = " ".join(str(e.event_specific_data) for e in result.all_events) + caplog.text
    assert result.success and "a.csv" in told
    assert "MEMBER-77" not in told
    assert stage.rows_by_month(zone.lake, "medical_claims") == {"2023-01": 1}
