"""Months are stale by content: what a file, a chain or a snapshot changes, and nothing else."""

import dagster as dg
import pytest

from claims_assets.bronze.claim_links import claim_links
from claims_assets.bronze.medical_claims import medical_claims
from claims_assets.bronze.pharmacy_claims import pharmacy_claims
from claims_assets.cli.plan import Graph, next_batch
from claims_assets.inputs import Input, Window
from claims_assets.runtime.compute import computes_for
from claims_assets.runtime.spark import EmbeddedSpark
from claims_assets.silver.claim_versions import claim_versions
from claims_assets.sources.stage import refresh
from claims_assets.staleness import Contents
from claims_assets_tests.conftest import TEST_MEMORY

MONTHS = ["2024-01", "2024-02", "2024-03", "2024-04"]
TABLES = (claim_links, medical_claims, pharmacy_claims, claim_versions)
HEADER = "claim_id,member_id,claim_date,service_from_date,paid_amount,adjustment_indicator,original_claim_id\n"


def line(claim, month, paid="1.00", indicator="0", original=""):
    return f"{claim},M1,{month}-05,{month}-05,{paid},{indicator},{original}\n"


@pytest.fixture
def land(lake, tmp_path):
    """`land(name, *lines)`: put a file into the landing folder (no lines: remove it) and refresh the stage."""

    def put(name, *lines):
        folder = tmp_path / "landing" / "medical_claims"
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{name}.csv"
        file.write_text(HEADER + "".join(lines)) if lines else file.unlink()
        for feed in ("medical_claims", "pharmacy_claims"):
            refresh(feed, folder.parent, tmp_path / "lake", start_month="2022-01", latest_month="2024-06")

    return put


@pytest.fixture
def work(lake, spark):
    """`work()`: build what is stale, batch by batch; the (assets, months) of each."""
    assert spark
    resources = {"spark": EmbeddedSpark(memory_limit=TEST_MEMORY), "lake": lake, **computes_for(None)}
    keys = [t.asset.key for t in TABLES]
    graph = Graph(keys, {t.asset.key: t for t in TABLES}, lambda key: ())

    def build():
        batches, done = [], set()
        with dg.DagsterInstance.ephemeral() as instance:
            while batch := next_batch(graph, done, lake, MONTHS):
                for month in batch.months or MONTHS[:1]:
                    assets = [graph.tables[k].asset for k in batch.keys]
                    tags = dict.fromkeys(
                        ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end"), month
                    )
                    assert dg.materialize(assets, instance=instance, resources=resources, tags=tags).success
                done |= set(batch.keys)
                batches.append(([k.path[-1] for k in batch.keys], batch.months))
        return batches

    return build


def test_everything_is_stale_at_first_and_nothing_afterwards(land, work):
    land("a", *[line(f"C{m}", m) for m in MONTHS])
    assert work() == [(["claim_links", "medical_claims", "pharmacy_claims", "claim_versions"], MONTHS)]
    assert work() == []


def test_a_new_file_touches_the_months_of_its_rows(land, work):
    land("a", *[line(f"C{m}", m) for m in MONTHS])
    work()
    land("b", line("D", "2024-03"))
    # The links read all landed claims; they come out as they were, so no other month follows.
    assert work() == [(["claim_links", "medical_claims"], ["2024-03"]), (["claim_versions"], ["2024-03"])]


def test_a_void_touches_the_month_of_its_claim_through_the_chain(land, work):
    land("a", *[line(f"C{m}", m) for m in MONTHS])
    work()
    land("b", line("V", "2024-04", "0.00", "1", "C2024-02"))
    assert work() == [
        (["claim_links", "medical_claims"], ["2024-04"]),
        (["claim_versions"], ["2024-02", "2024-04"]),
    ]


def test_removing_a_file_touches_the_months_it_held_before(land, work, lake):
    land("a", *[line(f"C{m}", m) for m in MONTHS])
    land("b", line("V", "2024-04", "0.00", "1", "C2024-02"))
    work()
    land("b")
    assert work()[-1] == (["claim_versions"], ["2024-02", "2024-04"])
    assert lake.rows_by_month("silver", "claim_versions") == dict.fromkeys(MONTHS, 1)


def test_the_same_rows_under_another_file_name_reach_bronze_and_go_no_further(land, work):
    land("a", *[line(f"C{m}", m) for m in MONTHS])
    work()
    land("b", line("CX", "2024-01"))
    work()
    land("b")
    land("c", line("CX", "2024-01"))
    assert {month for _, months in work() for month in months} == {"2024-01"}


def test_a_window_reads_the_months_up_to_each_asked_one(lake):
    contents = Contents(lake)
    contents._built = {"silver.x": {m: {"fingerprint": m, "inputs": ""} for m in MONTHS}}
    before = contents.read_for([Input("silver_x", "silver", "x", Window(2))], MONTHS)
    contents._built["silver.x"]["2024-02"] = {"fingerprint": "other", "inputs": ""}
    after = contents.read_for([Input("silver_x", "silver", "x", Window(2))], MONTHS)
    assert [m for m in MONTHS if before[m] != after[m]] == ["2024-02", "2024-03"]


def test_a_lagged_window_is_stale_by_the_months_it_reads_alone(lake):
    contents, source = Contents(lake), Input("silver_x", "silver", "x", Window(1, lag=2))
    contents._built = {"silver.x": {m: {"fingerprint": m, "inputs": ""} for m in MONTHS}}
    before = contents.read_for([source], MONTHS)
    contents._built["silver.x"]["2024-02"] = {"fingerprint": "other", "inputs": ""}
    after = contents.read_for([source], MONTHS)
    assert [m for m in MONTHS if before[m] != after[m]] == ["2024-04"]


def test_a_change_of_a_table_read_whole_concerns_every_month(lake):
    contents = Contents(lake)
    contents._built = {"silver.x": {"all": {"fingerprint": "1", "inputs": ""}}}
    before = contents.read_for([Input("silver_x", "silver", "x", Window(None))], MONTHS)
    contents._built["silver.x"]["all"]["fingerprint"] = "2"
    after = contents.read_for([Input("silver_x", "silver", "x", Window(None))], MONTHS)
    assert all(before[m] != after[m] for m in MONTHS)


def test_a_window_with_a_step_is_stale_by_its_months_alone(lake):
    contents, source = Contents(lake), Input("silver_x", "silver", "x", Window(2, step=2))
    contents._built = {"silver.x": {m: {"fingerprint": m, "inputs": ""} for m in MONTHS}}
    before = contents.read_for([source], MONTHS)
    contents._built["silver.x"]["2024-02"] = {"fingerprint": "other", "inputs": ""}
    after = contents.read_for([source], MONTHS)
    assert [m for m in MONTHS if before[m] != after[m]] == ["2024-02", "2024-04"] == source.window.reached_by("2024-02")


def test_news_concern_the_months_that_know_them_of_an_input_read_as_it_was_known(lake):
    contents, source = Contents(lake), Input("silver_x", "silver", "x", Window(3, as_known=True))
    row = {"fingerprint": "1", "inputs": "", "known_content": ["2024-01 a"]}
    contents._built = {"silver.x": {"2024-01": row}}
    before = contents.read_for([source], MONTHS)
    contents._built["silver.x"]["2024-01"] = row | {"fingerprint": "2", "known_content": ["2024-01 a", "2024-03 b"]}
    after = contents.read_for([source], MONTHS)
    assert [m for m in MONTHS if before[m] != after[m]] == ["2024-03"], "2024-04 does not read 2024-01"


def test_of_an_input_that_does_not_tell_when_rows_were_known_every_change_concerns_its_readers(lake):
    contents, source = Contents(lake), Input("silver_x", "silver", "x", Window(2, as_known=True))
    contents._built = {"silver.x": {"2024-01": {"fingerprint": "1", "inputs": "", "known_content": None}}}
    before = contents.read_for([source], MONTHS)
    contents._built["silver.x"]["2024-01"]["fingerprint"] = "2"
    after = contents.read_for([source], MONTHS)
    assert [m for m in MONTHS if before[m] != after[m]] == ["2024-01", "2024-02"]


def test_rows_that_speak_of_a_month_concern_the_months_of_a_window_over_them(lake):
    contents, source = Contents(lake), Input("bronze_x", "bronze", "x", Window(2, by_span=True))
    held = {"all": "1", "2024-01": "a", "2024-02": "b", "2024-03": "-"}
    contents._built = {"bronze.x": {m: {"fingerprint": f, "inputs": ""} for m, f in held.items()}}
    before = contents.read_for([source], MONTHS)
    contents._built["bronze.x"]["all"]["fingerprint"] = "2"
    contents._built["bronze.x"]["2024-02"]["fingerprint"] = "other"
    after = contents.read_for([source], MONTHS)
    assert [m for m in MONTHS if before[m] != after[m]] == ["2024-02", "2024-03"]
