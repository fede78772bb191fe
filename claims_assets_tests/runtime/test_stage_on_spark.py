"""A stage counted by Spark's workers tells the same as one counted by DuckDB in this process."""

import random
from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from claims_assets.contracts import compiled
from claims_assets.runtime import lake as lake_module
from claims_assets.runtime.stage import examine, write_empty_stage
from claims_assets.runtime.stage_on_spark import examine_on_spark, rows_staged
from claims_assets_tests.monitoring.bills import Bills

CONTRACT = compiled(Bills)
MONTHS = ["2024-01", "2024-02", "2024-03"]
QUARANTINING = ["bill_id_is_present", "bill_is_not_taken_back", "known_from_is_readable"]
WARNING = ["days_are_ordered", "provider_is_listed", "units_is_at_least_0", "units_is_readable"]


@pytest.fixture
def staged(tmp_path, spark):
    """`staged(rows, files)`: a folder with a stage of these rows, given as dicts."""

    def write(rows, files=1):
        folder = tmp_path / f"stage-{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        lists = [pa.field(n, pa.list_(pa.string())) for n in ("_reasons", "_warnings")]
        schema = pa.schema([*(f.with_nullable(True) for f in CONTRACT.arrow_schema()), *lists])
        for i in range(files):
            pq.write_table(pa.Table.from_pylist(rows[i::files], schema=schema), folder / f"{i}.parquet")
        return folder

    return write


def bill(rng: random.Random, **given):
    day = rng.choice([None, "2024-01-01", "2024-01-31"])
    return {
        "bill_id": rng.choice([None, *"abcdefghij"]),
        "claim_month": rng.choice(MONTHS[:2]),
        "known_from": rng.choice([None, "2024-01", "2024-04", "2024-05", "2024-06", "soon"]),
        "provider_id": rng.choice([None, "", "P", "X"]),
        "units": rng.choice([None, -1, 0, 7]),
        "first_day": None if day is None else pa.scalar(day).cast(pa.date32()).as_py(),
        "last_day": None,
        "note": rng.choice([None, "a", "b"]),
        "_reasons": rng.sample(QUARANTINING, rng.choice([0, 0, 0, 1, 2])),
        "_warnings": rng.sample(WARNING, rng.choice([0, 0, 1, 2])),
    } | given


def look(how, folder, months=MONTHS, **given):
    options = {"rows_expected": None, "quarantine_limit": 1.0} | given
    return how(folder, CONTRACT, "bronze.bills", months, *options.values())


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("months", [MONTHS, None])
def test_both_ways_find_the_same(staged, seed, months):
    rng = random.Random(seed)
    folder = staged([bill(rng) for _ in range(rng.choice([3, 60, 400]))], files=3)
    given = {"rows_expected": 60, "quarantine_limit": 0.3}
    here, there = (look(how, folder, months, **given) for how in (examine, examine_on_spark))
    assert here.fingerprint.keys() == there.fingerprint.keys()
    assert replace(here, fingerprint={}) == replace(there, fingerprint={})


def test_an_empty_stage_is_found_empty_by_both(tmp_path, spark):
    write_empty_stage(tmp_path / "stage", CONTRACT)
    assert look(examine, tmp_path / "stage") == look(examine_on_spark, tmp_path / "stage")


def test_a_month_nobody_asked_for_raises_in_both(staged):
    folder = staged([bill(random.Random(1))])
    for how in (examine, examine_on_spark):
        with pytest.raises(ValueError, match="claim months nobody asked for: 2024-0"):
            look(how, folder, ["2025-01"])


def test_the_fingerprint_speaks_of_content_and_not_of_order(staged):
    rng = random.Random(5)
    rows = [bill(rng, bill_id=str(n), claim_month="2024-01", _reasons=[]) for n in range(40)]
    first = look(examine_on_spark, staged(rows)).fingerprint
    assert look(examine_on_spark, staged(rng.sample(rows, len(rows)), files=4)).fingerprint == first
    moved = [rows[0] | {"provider_id": rows[0]["note"], "note": rows[0]["provider_id"]}, *rows[1:]]
    moved[0] |= {"provider_id": None, "note": "P"}
    back = [moved[0] | {"provider_id": "P", "note": None}, *rows[1:]]
    again = [*rows, rows[0] | {"bill_id": "0"}]
    prints = {look(examine_on_spark, staged(x)).fingerprint["2024-01"] for x in (rows, moved, back, again, rows[1:])}
    assert len(prints) == 5


def test_rows_are_counted_from_the_footers(staged):
    assert rows_staged(staged([bill(random.Random(n)) for n in range(7)], files=3)) == 7


def test_a_large_stage_is_counted_by_spark_and_committed(lake, rows, engine, monkeypatch):
    if engine != "spark":
        pytest.skip("only Spark counts and commits by its workers")
    monkeypatch.setattr(lake_module, "ROWS_FOR_SPARK", 1)
    frame = rows(Bills, *({"bill_id": n, "claim_month": "2024-01", "known_from": "2024-01"} for n in "abb"))
    by_spark = lake.write(frame, "bronze", "bills", Bills, ["2024-01"])
    monkeypatch.setattr(lake_module, "ROWS_FOR_SPARK", 100)
    here = lake.write(frame, "bronze", "bills", Bills, ["2024-01"])
    assert by_spark.fingerprint != here.fingerprint
    assert replace(by_spark, fingerprint={}) == replace(here, fingerprint={})
