"""Both writers keep the same promises, and the tables of the Spark one can be maintained by SQL.

The promises are held on Spark by `make test-spark`, which runs `test_lake.py` and this file with `--engine spark`.
"""

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from claims_assets.runtime.writers import writer_for

SCHEMA = pa.schema(
    [
        pa.field("member_id", pa.string(), nullable=False),
        pa.field("claim_month", pa.string(), nullable=False),
        pa.field("paid_amount", pa.decimal128(18, 2)),
        pa.field("reasons", pa.list_(pa.string())),
        pa.field("seen", pa.timestamp("us", tz="UTC")),
    ]
)
FIRST, SECOND = "2024-01", "2024-02"


def rows(*given):
    """Rows of (member, month)."""
    return pa.Table.from_pylist([{"member_id": m, "claim_month": month} for m, month in given], schema=SCHEMA)


@pytest.fixture
def table(tmp_path, engine, spark):
    """A writer, and a table with a row in each month."""
    assert spark
    writer, path = writer_for(engine), tmp_path / "silver" / "claims"
    months = {"claim_month": [FIRST, SECOND]}
    writer.replace(path, rows(("a", FIRST), ("b", SECOND)), "claim_month", months)
    return writer, path


def members(path):
    return sorted(DeltaTable(str(path)).to_pyarrow_table().column("member_id").to_pylist())


def test_columns_order_and_required_values_are_the_contracts(table):
    _, path = table
    assert pa.schema(DeltaTable(str(path)).schema().to_arrow()).equals(SCHEMA)


def test_every_column_of_where_must_match(table):
    writer, path = table
    where = {"claim_month": [FIRST], "member_id": ["a", "c"]}
    writer.replace(path, rows(("c", FIRST)), "claim_month", where)
    assert members(path) == ["b", "c"]


def test_a_row_outside_what_is_replaced_is_refused(table):
    writer, path = table
    with pytest.raises(Exception, match=r"failed validation|does not conform"):
        writer.replace(path, rows(("c", SECOND)), "claim_month", {"claim_month": [FIRST]})
    assert members(path) == ["a", "b"]


def test_a_required_value_that_is_missing_is_refused(table):
    writer, path = table
    bad = pa.Table.from_pylist([{"claim_month": FIRST}], schema=SCHEMA)
    with pytest.raises(Exception):  # noqa: B017  # each engine raises its own
        writer.replace(path, bad, "claim_month", {"claim_month": [FIRST]})
    assert members(path) == ["a", "b"]


def test_each_replace_is_one_commit(table):
    writer, path = table
    before = DeltaTable(str(path)).version()
    writer.replace(path, rows(), "claim_month", {"claim_month": [FIRST]})
    assert DeltaTable(str(path)).version() == before + 1
    assert members(path) == ["b"]


def test_spark_maintains_the_tables_it_wrote(table, engine, spark):
    if engine != "spark":
        pytest.skip("Sail has neither OPTIMIZE nor VACUUM")
    writer, path = table
    for member in "cdef":
        writer.replace(path, rows((member, FIRST)), "claim_month", {"claim_month": [FIRST], "member_id": [member]})
    files = len(DeltaTable(str(path)).file_uris())
    spark.sql(f"optimize delta.`{path}` zorder by (member_id)").collect()
    assert len(DeltaTable(str(path)).file_uris()) < files
    spark.sql(f"vacuum delta.`{path}` retain 168 hours").collect()
    assert members(path) == ["a", "b", "c", "d", "e", "f"]
    assert DeltaTable(str(path)).history()[0]["operation"].startswith("VACUUM")
