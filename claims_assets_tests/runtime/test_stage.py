"""Reads of a stage that is written by hand: fingerprints and counts, without an engine."""

import random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claims_assets.contracts import compiled
from claims_assets.runtime.stage import examine
from claims_assets_tests.monitoring.bills import MONTH, Bills

CONTRACT = compiled(Bills)
TEXT = st.sampled_from([None, "", "a", "b"])


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """`found(rows)`: what is found in a stage of rows (bill, provider, units), which all keep the contract."""

    def look(rows, files=1):
        folder = tmp_path_factory.mktemp("stage")
        lists = [pa.field(n, pa.list_(pa.string())) for n in ("_reasons", "_warnings")]
        schema = pa.schema([*(f.with_nullable(True) for f in CONTRACT.arrow_schema()), *lists])
        full = [
            {"bill_id": bill, "provider_id": provider, "units": units, "claim_month": MONTH, "known_from": MONTH}
            | {"_reasons": [], "_warnings": []}
            for bill, provider, units in rows
        ]
        for i in range(files):
            pq.write_table(pa.Table.from_pylist(full[i::files], schema=schema), folder / f"{i}.parquet")
        return examine(folder, CONTRACT, "bronze.bills", [MONTH], None, 1.0)

    return look


def test_a_pair_of_equal_rows_shows_in_the_fingerprint(found):
    once, pair = [("a", "P", 1)], [("b", "P", 1)] * 2
    prints = {found(rows).fingerprint[MONTH] for rows in ([], once, once + pair, pair, pair * 2)}
    assert len(prints) == 5


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(TEXT, TEXT, st.integers(-2, 2) | st.none()), max_size=30),
    st.randoms(use_true_random=False),
    st.integers(1, 3),
)
def test_neither_order_nor_files_change_what_is_found(found, rows, rng: random.Random, files):
    shuffled = rng.sample(rows, len(rows))
    assert found(rows) == found(shuffled, files)


def test_rows_that_hold_a_value_are_counted_as_polars_counts_them(found):
    import polars as pl

    rng = random.Random(7)
    rows = [(f"r{i}", rng.choice([None, "P", "X"]), rng.choice([None, 1])) for i in range(500)]
    applicable = found(rows).applicable[MONTH]
    expected = pl.DataFrame(rows, schema=["bill", "provider", "units"], orient="row").count().row(0, named=True)
    assert applicable["provider_is_listed"] == expected["provider"]
    assert applicable["units_is_at_least_0"] == applicable["units_is_readable"] == expected["units"]
    assert applicable["bill_id_is_present"] == 500
    assert found(rows).measured[MONTH]["provider_id_is_present"] == 500 - expected["provider"]
