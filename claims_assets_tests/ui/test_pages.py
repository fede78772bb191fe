"""What a person sees and clicks in the UI, in a real browser. `--pictures` also writes docs/images.

Written on request only: a picture changes with every pixel, and a test run should leave the tree as it was.
"""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from claims_assets_tests.ui.browser import SECONDS, SIZE, browsing
from claims_assets_tests.ui.conftest import Undisturbed
from claims_assets_tests.ui.live import FINAL_RUN, PATIENCE, Live, until
from claims_assets_tests.ui.right import right

pytestmark = [pytest.mark.ui, pytest.mark.timeout(1800)]

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"
PAGE_HEAD = 600
"""Height of a picture of a page whose lower part is empty or more of the same."""
WIDE = {"width": 1900, "height": 1300}
"""For the graph, which otherwise is drawn small, and under its own buttons."""
LARGEST = 300_000
"""Bytes of a picture in the documentation."""


@pytest.fixture(scope="module")
def page() -> Iterator:
    with browsing() as found:
        yield found


@pytest.fixture
def shoot(page, request):
    """`shoot("name")` writes docs/images/name.png where `--pictures` asks for it; `part` is x, y, width and height."""

    def take(name: str, part: tuple[float, ...] = (0, 0, SIZE["width"], SIZE["height"])) -> None:
        page.mouse.move(0, 0)
        clip = dict(zip(("x", "y", "width", "height"), part, strict=True))
        picture = page.screenshot(animations="disabled", clip=clip)
        assert len(picture) < LARGEST
        if request.config.getoption("--pictures"):
            (IMAGES / f"{name}.png").write_bytes(picture)

    return take


@pytest.fixture(scope="module")
def built(page, started: Live, undisturbed: Undisturbed) -> Live:
    """All assets and months, by a backfill that was launched by clicks."""
    started.ready()
    shutil.rmtree(started.lake, ignore_errors=True)
    before = started.backfills()
    page.goto(f"{started.url}/asset-groups")
    page.get_by_role("button", name=re.compile("Materialize all")).click()
    months = page.get_by_placeholder(re.compile("^ex:"))
    months.fill(f"[{undisturbed.months[0]}...{undisturbed.months[-1]}]")
    months.press("Tab")
    page.get_by_role("button", name="Launch backfill").click()
    (backfill,) = until("the backfill", lambda: [b for b in started.backfills() if b not in before])
    started.ended(backfill)
    page.goto(f"{started.url}/runs/b/{backfill}")
    page.get_by_text("Succeeded", exact=True).first.wait_for(timeout=PATIENCE * SECONDS)
    return started


def opened(page, live: Live, key: str, view: str = "", **more: str):
    """The page of an asset."""
    asked = {"view": view or "overview"} | more
    query = "&".join(f"{name}={value}" for name, value in asked.items())
    page.goto(f"{live.url}/assets/{key}?{query}")
    page.get_by_text(key.split("/")[1], exact=True).first.wait_for()
    return page


def test_a_backfill_by_clicks_builds_every_month(page, built, undisturbed, shoot):
    page.get_by_text("100% completed").first.wait_for()
    shoot("backfill", (0, 0, SIZE["width"], PAGE_HEAD))
    right(built, undisturbed)


def test_the_graph_shows_the_layers_in_the_order_of_the_flow(page, built, shoot):
    page.set_viewport_size(WIDE)
    page.goto(f"{built.url}/asset-groups")
    flow = ("sources", "bronze", "silver", "features", "models", "predictions", "outreach")
    places = [page.locator("svg").get_by_text(layer, exact=True).bounding_box() for layer in flow]
    assert places == sorted(places, key=lambda place: place["x"])
    left, right_end = places[0]["x"], places[-1]["x"] + places[-1]["width"]
    top, bottom = (pick(place["y"] for place in places) for pick in (min, max))
    shoot("flow", (left - 30, top - 40, right_end - left + 90, bottom - top + 90))
    page.set_viewport_size(SIZE)


def test_an_asset_page_says_what_a_row_is_and_of_what_its_columns_are_made(page, built, shoot):
    opened(page, built, "gold/pmpm")
    page.get_by_text("one row per as-of month, month of service and service category").first.wait_for()
    page.get_by_text("USD; NULL without members").first.wait_for()
    page.get_by_text("Passing").first.wait_for()
    opened(page, built, "gold/member_features")
    page.get_by_text("Completed years at the end of the month.").first.wait_for()
    shoot("features")


@pytest.mark.parametrize(
    ("table", "column", "made_of"),
    [
        ("gold/member_features", "total_paid_12mo", "silver/claim_versions.paid_amount"),
        ("gold/member_conditions", "has_diabetes", "silver/claim_versions.diagnosis_code_1"),
        ("gold/pmpm", "paid", "silver/claim_versions.paid_amount"),
        ("gold/member_risk_predictions", "predicted_total_cost", "gold/member_features.total_paid_12mo"),
        ("gold/immunization_targeting", "age", "silver/member_months_as_known.age"),
    ],
)
def test_columns_of_gold_tables_say_of_what_they_are_made(built, table, column, made_of):
    assert made_of in built.lineage(table)[column]


def test_the_partitions_page_shows_the_numbers_of_one_month(page, built, undisturbed, shoot):
    month = undisturbed.months[1]
    page.goto(f"{built.url}/assets/silver/medical_claims?view=partitions&partition={month}")
    page.get_by_text("dagster/partition_row_count").wait_for()
    rows = len(undisturbed.content["silver.medical_claims"][month])
    page.get_by_text(re.compile(f"^{rows:,}$|^{rows}$")).first.wait_for()
    shoot("partitions", (0, 0, SIZE["width"], PAGE_HEAD))


def test_the_checks_page_shows_three_results(page, built, shoot):
    opened(page, built, "bronze/medical_claims", "checks", checkDetail="rows_keep_contract")
    for check in ("rows_keep_contract", "grain_is_unique", "nothing_is_lost"):
        page.get_by_text(check, exact=True).first.wait_for()
    page.get_by_text("Show Markdown").first.click()
    page.get_by_text("member_id_is_present").first.wait_for()
    shoot("contract")


def test_a_file_that_changed_makes_what_reads_it_stale_and_a_refresh_without_change_does_not(page, built, tmp_path):
    built.succeeded(built.run(["landing/member_eligibility"]))
    assert built.stale() == []
    file = sorted((built.home / "landing" / "member_eligibility").glob("*.csv"))[-1]
    as_it_was = shutil.copy2(file, tmp_path)
    file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:-1]))
    try:
        built.succeeded(built.run(["landing/member_eligibility"]))
        assert "bronze/member_eligibility" in built.stale()
        opened(page, built, "bronze/member_eligibility")
        page.get_by_text(re.compile("^Unsynced")).first.wait_for()
    finally:
        shutil.copy2(as_it_was, file)  # with its times, which the inventory of the landing files keeps
        built.succeeded(built.run(["landing/member_eligibility"]))


def test_a_run_by_clicks_ends_green(page, built):
    before = {r["runId"] for r in built.runs()}
    opened(page, built, "bronze/member_eligibility")
    page.get_by_role("button", name=re.compile("Materialize")).first.click()
    new = lambda: [r for r in built.runs() if r["runId"] not in before and r["status"] in FINAL_RUN]  # noqa: E731
    (run,) = until("the run", new)
    page.goto(f"{built.url}/runs/{run['runId']}")
    page.get_by_text("Success", exact=True).first.wait_for()
