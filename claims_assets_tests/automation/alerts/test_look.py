"""Where the facts come from: real runs and Dagster's own evaluation of freshness as the second opinion."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
from dagster._core.definitions.freshness_evaluator import TimeWindowFreshnessPolicyEvaluator
from dagster._core.loader import LoadingContextForTest
from dagster._core.test_utils import freeze_time

from claims_assets.automation.alerts import look
from claims_assets.automation.alerts.lateness import Freshness, freshness_state
from claims_assets.automation.alerts.look import NothingToLookAt, Sight
from claims_assets.automation.alerts.up_to_date import UpToDate
from claims_assets.bronze.claim_links import claim_links
from claims_assets.bronze.diagnosis_codes import diagnosis_codes
from claims_assets.bronze.medical_claims import medical_claims
from claims_assets.bronze.pharmacy_claims import pharmacy_claims
from claims_assets.freshness import policy
from claims_assets.layers import DAILY
from claims_assets.monitoring import built_months
from claims_assets.runtime.stage import Findings
from claims_assets.silver.claim_versions import claim_versions
from claims_assets.sources.feeds import LANDING
from claims_assets.staleness import Contents


def sight(instance, lake, *assets, tables=(), now=None):
    graph = dg.Definitions(assets=assets).resolve_asset_graph()
    now = now or datetime.now(UTC)
    return Sight(instance, graph, lake, tables, now, now - timedelta(hours=1))


@pytest.fixture
def instance():
    with dg.instance_for_test() as found:
        yield found


@pytest.mark.requirement("R16")
@pytest.mark.parametrize("age", [0.5, 0.99, 1.01, 1.1, 1.149, 1.16, 2.0])
def test_freshness_is_judged_as_dagster_judges_it(instance, lake, age):
    """`age`: as a share of the age at which the table is late; it has failed at 30/26 of it."""
    spec = dg.AssetSpec("thing", freshness_policy=policy(DAILY))
    instance.report_runless_asset_event(dg.AssetMaterialization("thing"))
    seen = sight(instance, lake, spec)
    now = datetime.now(UTC) + DAILY.warn_after * age
    with freeze_time(now):
        evaluator = TimeWindowFreshnessPolicyEvaluator()
        node = seen.graph.get(dg.AssetKey("thing"))
        theirs = asyncio.run(evaluator.evaluate_freshness(LoadingContextForTest(instance), node))
    last = look._last_built(instance, [dg.AssetKey("thing")])[dg.AssetKey("thing")]
    ours = freshness_state(Freshness("thing", last, DAILY.warn_after, DAILY.fail_after), now)
    assert ours == theirs.value


def test_an_asset_never_built_is_unknown_to_dagster_and_told_by_us(instance, lake):
    seen = sight(instance, lake, dg.AssetSpec("thing", freshness_policy=policy(DAILY)))
    assert instance.get_freshness_state_records([dg.AssetKey("thing")]) == {}
    (found,) = look.freshness(seen).conditions
    assert found.what == "thing was never built."


@pytest.mark.requirement("R40")
@pytest.mark.parametrize("watch", [look.freshness, look.checks, look.claim_months])
def test_nothing_to_watch_is_no_good_news(instance, lake, watch):
    with pytest.raises(NothingToLookAt):
        watch(sight(instance, lake, dg.AssetSpec("thing")))


def test_a_check_whose_run_goes_on_is_neither_news_nor_over(instance, lake):
    seen_inside = []

    @dg.asset(check_specs=[dg.AssetCheckSpec("sum_is_right", asset="thing")])
    def thing(context: dg.AssetExecutionContext):
        seen_inside.append(look.checks(sight(context.instance, lake, thing)))
        return dg.MaterializeResult(check_results=[dg.AssetCheckResult(check_name="sum_is_right", passed=False)])

    dg.materialize([thing], instance=instance)
    (inside,) = seen_inside
    assert (inside.conditions, inside.undecided) == ([], {("check", "thing: sum_is_right", None)})
    after = look.checks(sight(instance, lake, thing))
    assert [c.subject for c in after.conditions] == ["thing: sum_is_right"]


def test_a_run_that_failed_before_a_check_leaves_the_last_answer_standing(instance, lake):
    fails = [False]

    @dg.asset
    def before():
        assert not fails[0]

    @dg.asset(deps=[before], check_specs=[dg.AssetCheckSpec("sum_is_right", asset="thing")])
    def thing():
        return dg.MaterializeResult(check_results=[dg.AssetCheckResult(check_name="sum_is_right", passed=False)])

    dg.materialize([before, thing], instance=instance)
    fails[0] = True
    dg.materialize([before, thing], instance=instance, raise_on_error=False)
    found = look.checks(sight(instance, lake, before, thing))
    assert [(c.severity, c.what) for c in found.conditions] == [("critical", "The check sum_is_right of thing failed.")]


def test_an_error_is_placed_and_its_text_is_not_repeated():
    try:
        raise ValueError("member MBR-774411")
    except ValueError as error:
        said = look.place_of(error)
    assert said.startswith("ValueError at test_look.py:")
    assert "774411" not in said


CHAIN = [medical_claims, pharmacy_claims, claim_links, claim_versions]
"""`silver.claim_versions` and all between it and the landing folder."""
MONDAY, FRIDAY, SUNDAY = (datetime(2024, 3, day, tzinfo=UTC) for day in (4, 8, 10))


def built(lake, table, content, month="2024-01"):
    """A build from what its inputs hold now, as the table's own write records it."""
    findings = Findings(kept={month: 10}, fingerprint={month: content})
    if not table.partitioned:
        findings = Findings(kept={"": 10}, fingerprint={"": content})
    months = [month] if table.partitioned else None
    read = Contents(lake).read_for(table.inputs, months, table.code_version)
    built_months.publish(lake, table.schema, table.name, findings, read, None)


@pytest.fixture
def chain(lake):
    """All of the chain was built on Monday from what there is; its feeds were looked at on Friday."""
    for table in CHAIN:
        built(lake, table, "first")
    feeds = {source.key for t in CHAIN for source in t.inputs if source.schema == LANDING}
    last = dict.fromkeys(feeds, FRIDAY) | {t.asset.key: MONDAY for t in CHAIN}
    key = claim_versions.asset.key
    return lambda *months: UpToDate(lake, CHAIN, last, months, SUNDAY).moments([key])[key], last


def test_a_table_that_needs_no_build_is_as_fresh_as_its_feeds(chain):
    moment, last = chain
    assert moment("2024-01") == FRIDAY
    last[dg.AssetKey([LANDING, "pharmacy_claims"])] = MONDAY
    assert moment("2024-01") == MONDAY


def test_a_table_that_needs_a_build_is_as_old_as_its_last(chain, lake):
    moment, _ = chain
    built(lake, medical_claims, "second")
    assert moment("2024-01") == MONDAY
    built(lake, claim_versions, "second")
    assert moment("2024-01") == FRIDAY


def test_a_table_that_lacks_a_landed_month_needs_a_build(chain):
    moment, _ = chain
    assert moment("2024-01", "2024-02") == MONDAY


def test_a_shipped_list_that_did_not_change_is_of_today_and_one_that_did_is_not(lake):
    key = diagnosis_codes.asset.key
    built(lake, diagnosis_codes, "first")
    assert UpToDate(lake, [diagnosis_codes], {key: MONDAY}, [], SUNDAY).moments([key]) == {key: SUNDAY}
    other = replace(diagnosis_codes, code_version="another list")
    assert UpToDate(lake, [other], {key: MONDAY}, [], SUNDAY).moments([key]) == {key: MONDAY}


def test_an_asset_never_built_is_never_up_to_date(lake):
    assert UpToDate(lake, CHAIN, {}, ["2024-01"], SUNDAY).moments([t.asset.key for t in CHAIN]) == {}
