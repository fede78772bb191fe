"""What a frame's plan says of its columns, against small frames read from real tables."""

import dagster as dg
import pytest
from pyspark.sql import functions as F

from claims_assets import columns as c
from claims_assets.contracts import Contract
from claims_assets.runtime.column_lineage import NAMES_SHOWN, as_metadata, lineage


class Visits(Contract):
    """Visits: one row per member."""

    member_id: str = c.member_id()
    claim_month: str = c.claim_month()
    paid: c.Count = c.count("Paid.")
    kind: str = c.optional("Kind.")

    class Config:
        unique = ["member_id"]


@pytest.fixture
def tables(engine, lake, rows, spark):
    """Two written tables of the same columns, read again."""
    if engine != "sail":
        pytest.skip("the plan of a classic Spark frame lives in the JVM")
    found = []
    for name in ("visits", "fills"):
        lake.write(rows(Visits, {"member_id": "M", "claim_month": "2024-01", "paid": 1}), "silver", name, Visits, None)
        found.append(lake.read(spark, "silver", name))
    return found


def made_of(frame):
    """Column -> `table.column` of what it is made of."""
    found = lineage(frame, frame.columns)
    return (
        {n: [f"{d.asset_key.path[-1]}.{d.column_name}" for d in deps] for n, deps in found.deps_by_column.items()}
        if found
        else None
    )


def test_renamed_computed_and_stated_columns(tables):
    visits, _ = tables
    frame = visits.select(
        F.col("member_id").alias("who"),
        F.when(F.col("kind") == "ED", F.col("paid")).otherwise(0).alias("ed_paid"),
        F.expr("coalesce(paid, 0) + 1").alias("more"),
        F.lit(1).alias("stated"),
    )
    assert made_of(frame) == {
        "who": ["visits.member_id"],
        "ed_paid": ["visits.kind", "visits.paid"],
        "more": ["visits.paid"],
    }


def test_sums_and_columns_made_in_steps_reach_back_to_the_table(tables):
    visits, _ = tables
    frame = (
        visits.where(F.col("kind") == "ED")
        .withColumn("cents", F.col("paid") * 100)
        .groupBy("member_id")
        .agg(F.sum("cents").alias("total"), F.max(F.struct("kind", "paid")).alias("last"))
        .withColumnRenamed("total", "sum")
    )
    assert made_of(frame) == {
        "member_id": ["visits.member_id"],
        "sum": ["visits.paid"],
        "last": ["visits.kind", "visits.paid"],
    }


def test_a_join_keeps_the_two_sides_apart_and_a_filtering_one_adds_nothing(tables):
    visits, fills = tables
    filled = fills.groupBy("member_id").agg(F.sum("paid").alias("rx_paid"))
    joined = visits.join(filled, "member_id", "left").select("kind", "rx_paid", "paid")
    assert made_of(joined) == {"kind": ["visits.kind"], "rx_paid": ["fills.paid"], "paid": ["visits.paid"]}
    assert made_of(visits.join(fills, "member_id", "left_semi").select("paid")) == {"paid": ["visits.paid"]}


def test_a_union_is_made_of_both(tables):
    visits, fills = tables
    frame = visits.select("paid").unionByName(fills.select("paid", "kind"), allowMissingColumns=True)
    assert made_of(frame) == {"paid": ["fills.paid", "visits.paid"], "kind": ["fills.kind"]}


def test_through_a_python_function_everything_comes_from_everything(tables):
    visits, _ = tables
    given = visits.select("member_id", "paid").groupBy("member_id")
    frame = given.applyInPandas(lambda part: part, "member_id string, paid decimal(18,2)")
    both = ["visits.member_id", "visits.paid"]
    assert made_of(frame) == {"member_id": both, "paid": both}


def test_a_plan_that_cannot_be_read_tells_nothing(tables):
    visits, _ = tables
    assert lineage(visits.summary("count"), ["paid"]) is None
    assert lineage(visits, ["no_such_column"]) is None
    assert isinstance(lineage(visits, ["paid"]), dg.TableColumnLineage)


def test_people_see_the_tables_and_some_of_many_columns():
    deps = [dg.TableColumnDep(dg.AssetKey(["silver", "visits"]), f"c{i}") for i in range(NAMES_SHOWN + 2)]
    other = dg.TableColumnDep(dg.AssetKey(["silver", "fills"]), "paid")
    shown = as_metadata(dg.TableColumnLineage({"score": [*deps, other]}))
    text = str(shown["column_lineage"].value)
    assert "silver.visits: c0, c1, c2, c3, c4, c5 and 2 more" in text
    assert "silver.fills: paid" in text
    assert as_metadata(None) == {}
