"""The breaker: what trips it, what then stands still and what goes on, and how to resume."""

import dagster as dg
import pytest

from claims_assets.automation.breaker import (
    ACCEPT,
    JUDGED_FROM,
    LOWEST_SCORE,
    Quality,
    Standstill,
    bad_months,
    guard,
    trigger,
)
from claims_assets.automation.left_alone import left_alone
from claims_assets.cli.plan import Graph, next_batch
from claims_assets.definitions import tables
from claims_assets.monitoring.quality import BANDS
from claims_assets.monitoring.waivers import QUALITY_ACCEPTED, waived
from claims_assets.runtime.delta import read_arrow
from claims_assets.settings import MOST_FAILURES, SettingError, settings_from_environment
from claims_assets.staleness import Contents
from claims_assets_tests.automation.conftest import line
from claims_assets_tests.automation.findings import found

MONTHS = ["2024-01", "2024-02", "2024-03", "2024-04"]
BAD = "2024-02"
BRONZE, VERSIONS = "bronze.medical_claims", "silver.claim_versions"
TABLES = {t.full_name: t for t in tables()}


def run(run_id="r1", **tags):
    return dg.DagsterRun(job_name="any", run_id=run_id, tags=tags)


def still(lake, name):
    return Standstill(lake, tables(), MONTHS).months(TABLES[name])


@pytest.mark.parametrize(
    ("quality", "said"),
    [
        (Quality(1_000, 0, 0, 59.9), "has a quality score of 59.9, below 60"),
        (Quality(1_000, 0, 0, 60.0), None),
        (Quality(1_000, 51, 51, 99.0), "has 5.1% of its rows in quarantine, above 5%"),
        (Quality(1_000, 50, 50, 99.0), None),
        (Quality(1_000_000, 900, 1_001, 99.0), "has 1,001 critical failures, above 1,000"),
        (Quality(1_000_000, 900, 1_000, 99.0), None),
        (Quality(JUDGED_FROM, 6, 6, 99.0), "has 6.0% of its rows in quarantine, above 5%"),
        (Quality(JUDGED_FROM - 1, 99, 99, 0.0), None),
        (Quality(1_000, 0, 0, None), None),
    ],
)
def test_each_incident_trigger_trips_above_its_number_and_a_few_rows_never_do(quality, said):
    assert trigger(quality, MOST_FAILURES) == said


@pytest.mark.requirement("R42")
def test_the_lowest_score_is_the_upper_end_of_the_band_critical_on_the_one_scale():
    assert BANDS[LOWEST_SCORE] == "critical"


def test_each_trigger_is_found_in_what_the_committed_writes_published(lake):
    found(lake, BRONZE, "2024-01", aside=10)
    found(lake, BRONZE, "2024-02", aside=60)
    found(lake, BRONZE, "2024-03", score=12.0)
    found(lake, BRONZE, "2024-04", rows=100_000, aside=600, failures=1_200)
    found(lake, BRONZE, "2024-05", rows=100_000, failures=5_000, severity="warn")
    found(lake, BRONZE, "2024-06", rows=100_000, aside=1_000)
    found(lake, VERSIONS, "2024-02", aside=500)
    assert [b.month for b in bad_months(lake, {BRONZE})] == ["2024-02", "2024-03", "2024-04"]
    assert {b.name for b in bad_months(lake, {BRONZE, VERSIONS})} == {BRONZE, VERSIONS}
    assert bad_months(lake, ()) == []


def test_a_refused_write_says_nothing_of_the_rows_that_stayed(lake):
    found(lake, BRONZE, BAD)
    found(lake, BRONZE, BAD, aside=900, score=1.0, committed=False)
    assert bad_months(lake, {BRONZE}) == []


def test_a_large_plan_sets_how_many_failures_are_too_many(lake):
    found(lake, BRONZE, BAD, rows=1_000_000, aside=3_000)
    assert [b.month for b in bad_months(lake, {BRONZE})] == [BAD]
    patient = type(lake)(root=lake.root, engine=lake.engine, most_failures=5_000)
    assert bad_months(patient, {BRONZE}) == []
    assert settings_from_environment({"CLAIMS_MOST_FAILURES": "5000"}).most_failures == 5_000
    with pytest.raises(SettingError, match="CLAIMS_MOST_FAILURES='many' is not a number"):
        settings_from_environment({"CLAIMS_MOST_FAILURES": "many"})


def test_a_step_refuses_a_month_that_reads_a_bad_one_with_one_sentence_that_says_how_to_resume(lake):
    found(lake, BRONZE, BAD, aside=60)
    inputs = TABLES[VERSIONS].inputs
    with pytest.raises(dg.Failure) as refused:
        guard(lake, run(), VERSIONS, inputs, MONTHS)
    assert refused.value.description == (
        "silver.claim_versions was not built: bronze.medical_claims of 2024-02 has 6.0% of its rows in quarantine,"
        ' above 5%. Correct what was landed, or accept it with `claims run --accept-quality "<reason>"`'
        " (run tag claims/accept_quality)."
    )
    guard(lake, run(), VERSIONS, inputs, ["2024-01", "2024-03"])


def test_a_window_reads_a_bad_month_for_as_long_as_it_reaches(lake):
    found(lake, VERSIONS, BAD, aside=60)
    features = TABLES["gold.member_features"]
    with pytest.raises(dg.Failure, match=r"silver\.claim_versions of 2024-02"):
        guard(lake, run(), features.full_name, features.inputs, ["2025-01"])
    guard(lake, run(), features.full_name, features.inputs, ["2025-02"])
    guard(lake, run(), features.full_name, features.inputs, ["2024-01"])


def test_a_waiver_is_recorded_once_a_run_and_holds_for_this_content_only(lake):
    found(lake, BRONZE, BAD, aside=60)
    inputs = TABLES[VERSIONS].inputs
    accepting = run(**{ACCEPT: "the payer sends no more"})
    guard(lake, accepting, VERSIONS, inputs, [BAD])
    guard(lake, accepting, VERSIONS, inputs, [BAD])
    guard(lake, run("r2"), VERSIONS, inputs, [BAD])
    (row,) = read_arrow(
        lake.path("monitoring", "waivers"), ["run_id", "kind", "table_name", "claim_month", "reason"]
    ).to_pylist()
    assert row == {
        "run_id": "r1",
        "kind": "quality_accepted",
        "table_name": BRONZE,
        "claim_month": BAD,
        "reason": "the payer sends no more",
    }
    found(lake, BRONZE, "2024-03", aside=70)
    found(lake, BRONZE, BAD, rows=1_010, aside=70)
    for month in (BAD, "2024-03"):
        with pytest.raises(dg.Failure):
            guard(lake, run("r3"), VERSIONS, inputs, [month])
    guard(lake, run("r4", **{ACCEPT: "these too"}), VERSIONS, inputs, MONTHS)
    assert len(waived(lake, QUALITY_ACCEPTED)) == 3


def test_an_empty_reason_accepts_nothing(lake):
    found(lake, BRONZE, BAD, aside=60)
    with pytest.raises(dg.Failure):
        guard(lake, run(**{ACCEPT: "  "}), VERSIONS, TABLES[VERSIONS].inputs, [BAD])


def test_a_month_that_was_never_built_stops_all_that_reaches_it_and_nothing_before_it(lake):
    for month in MONTHS:
        found(lake, BRONZE, month, aside=60 if month == BAD else 0)
    assert still(lake, VERSIONS) == {BAD}
    assert still(lake, "silver.medical_claims") == {BAD}
    assert still(lake, "gold.member_features") == {"2024-02", "2024-03", "2024-04"}
    assert still(lake, "gold.immunization_master_outreach_list") == {"2024-02", "2024-03", "2024-04"}
    assert still(lake, BRONZE) == still(lake, "silver.member_months") == set()


def test_a_month_that_was_built_before_keeps_what_it_holds_and_what_is_behind_it_goes_on(lake):
    for month in MONTHS:
        found(lake, BRONZE, month, aside=60 if month == BAD else 0)
        found(lake, VERSIONS, month)
    assert still(lake, VERSIONS) == {BAD}
    assert still(lake, "silver.medical_claims") == still(lake, "gold.member_features") == set()


def test_what_is_up_to_date_does_not_stand_still_however_bad_what_it_read(lake):
    """Bad rows came, and went to quarantine: what is kept is what it was."""
    versions = TABLES[VERSIONS]
    found(lake, BRONZE, BAD, aside=60)
    read = Contents(lake).read_for(versions.inputs, [BAD], versions.code_version)[BAD]
    assert list(Standstill(lake, [versions, TABLES[BRONZE]], [BAD]).still()) == [VERSIONS]
    found(lake, VERSIONS, BAD, inputs=read)
    standstill = Standstill(lake, [versions, TABLES[BRONZE]], [BAD])
    assert standstill.still() == {}
    assert standstill.sentence() == ""
    assert standstill.months(versions) == {BAD}, "nobody asks for it while it is bad"


def test_a_bad_table_without_months_stops_every_month_that_reads_it(lake):
    found(lake, "bronze.member_eligibility", "all", aside=200)
    assert still(lake, "silver.members") == {"all"}
    assert still(lake, "silver.member_months") == set(MONTHS)
    assert still(lake, "silver.providers") == set()


def test_a_model_waits_for_months_that_it_would_learn_from(lake):
    for month in MONTHS:
        found(lake, BRONZE, month, aside=60 if month == BAD else 0)
    assert left_alone(lake, tables(), MONTHS)(None) == {"2024-02", "2024-03", "2024-04"}
    assert left_alone(lake, tables(), MONTHS, and_bad=True)(None) == set()


def test_a_plan_leaves_out_what_stands_still_and_goes_on_with_the_rest(lake):
    for month in MONTHS:
        found(lake, BRONZE, month, aside=60 if month == BAD else 0)
        found(lake, "bronze.pharmacy_claims", month)
    versions = TABLES[VERSIONS]
    for and_bad, months in ((False, ["2024-01", "2024-03", "2024-04"]), (True, MONTHS)):
        graph = Graph(
            [versions.asset.key],
            {versions.asset.key: versions},
            lambda key: (),
            lambda skip=and_bad: left_alone(lake, tables(), MONTHS, and_bad=skip),
        )
        batch = next_batch(graph, (), lake, MONTHS)
        assert batch is not None
        assert batch.months == months


def test_a_plan_whose_every_month_stands_still_asks_for_nothing(lake):
    found(lake, BRONZE, BAD, aside=60)
    versions = TABLES[VERSIONS]
    key = versions.asset.key
    graph = Graph([key], {key: versions}, lambda key: (), lambda: left_alone(lake, tables(), [BAD]))
    assert next_batch(graph, (), lake, [BAD]) is None


def claims_of(month, good, bad):
    return [line(f"G{month}{i}", month) for i in range(good)] + [
        line(f"B{month}{i}", month, paid="no amount") for i in range(bad)
    ]


def test_a_bad_month_in_a_real_run_stops_what_reads_it_then_a_waiver_resumes_it_and_a_correction_needs_none(site):
    here = site()
    here.land("bad", *claims_of(BAD, 120, 20))
    wanted = ("bronze/medical_claims", "bronze/pharmacy_claims", "bronze/claim_links", "silver/claim_versions")

    said = here.build(*wanted)
    assert said.startswith("bronze.medical_claims of 2024-02 has 14.2% of its rows in quarantine, above 5%.")
    assert said.endswith("Until then stands still: silver.claim_versions of 2024-02.")
    assert set(here.content()[BRONZE]) == set(MONTHS), "what is bad itself is kept, with its quarantine"
    assert set(here.content()[VERSIONS]) == set(MONTHS) - {BAD}

    assert here.build(*wanted, **{ACCEPT: "known to the payer"}) == ""
    accepted = here.content()
    assert set(accepted[VERSIONS]) == set(MONTHS)

    here.land("worse", *claims_of(BAD, 1, 20))
    here.land("other", line("D", "2024-03"))
    assert "2024-02" in here.build(*wanted)
    assert here.content()[VERSIONS][BAD] == accepted[VERSIONS][BAD]
    assert here.content()[VERSIONS]["2024-03"] != accepted[VERSIONS]["2024-03"]

    here.land("bad", *claims_of(BAD, 140, 0))
    here.land("worse")
    assert here.build(*wanted) == ""
    assert here.content()[VERSIONS][BAD] != accepted[VERSIONS][BAD]
