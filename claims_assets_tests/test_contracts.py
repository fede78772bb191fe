"""Contracts: what is compiled from one Pandera model, held against Pandera's own verdict on the same rows."""

import json
from datetime import date

import duckdb
import pandera.polars as pp
import pandera.pyspark as pa
import polars as pl
import pyspark.sql.types as T
import pytest
from deltalake import DeltaTable

from claims_assets import columns as c
from claims_assets.contracts import STATEMENTS, Contract, compiled, rule
from claims_assets.runtime.lake import stage_frame

POLARS_TYPES = {"string": pl.String, "int": pl.Int32, "bigint": pl.Int64, "double": pl.Float64, "boolean": pl.Boolean}


class Everything(Contract):
    """One row per id; every check that can be compiled occurs once."""

    id: str = c.required("Id.")
    text: str = c.optional("Text.", str_matches=r"[A-C]\d")
    anchored: str = c.optional("Text.", str_matches=r"^x$")
    short: str = c.optional("Text.", str_length={"min_value": 2, "max_value": 3})
    code: str = c.optional("Code.", isin=["a", "b"])
    number: str = c.optional("Number.", notin=["0000000000"])
    low: c.Whole = c.optional("Number.", ge=0)
    above: c.Whole = c.optional("Number.", gt=0)
    high: c.Count = c.optional("Number.", le=10)
    below: c.Count = c.optional("Number.", lt=10)
    rate: c.Number = c.required("Number.", in_range={"min_value": 0.0, "max_value": 1.0})

    class Config:
        unique = ["id"]
        metadata = {"rules": {"low_is_not_above_high": rule("low <= high", severity="warn")}}


GOOD = {"id": "good", "text": "A1", "anchored": "x", "short": "ab", "code": "a", "number": "1", "low": 1, "above": 1,
        "high": 5, "below": 5, "rate": 0.5}  # fmt: skip
CASES = [
    {},
    {"id": None}, {"text": "D1"}, {"text": "xA1"}, {"text": "A1x"}, {"text": None}, {"anchored": "xx"},
    {"short": "a"}, {"short": "abc"}, {"short": "abcd"}, {"code": "c"}, {"code": None}, {"number": "0000000000"},
    {"low": 0}, {"low": -1}, {"above": 0}, {"above": 1}, {"high": 10}, {"high": 11}, {"below": 9}, {"below": 10},
    {"rate": 0.0}, {"rate": 1.0}, {"rate": 1.01}, {"rate": -0.01}, {"rate": float("nan")}, {"rate": None},
]  # fmt: skip


def given():
    return [GOOD | {"id": f"row{i}"} | case for i, case in enumerate(CASES)]


def nullable_schema():
    """The contract's columns, all of them nullable, so that a frame can hold what breaks the contract."""
    return [T.StructField(name, kind) for name, kind in compiled(Everything).columns.items()]


def compiled_verdict(spark, lake) -> set[tuple[int, str]]:
    """(row, column) for every column rule the compiled predicates find broken."""
    place = [T.StructField("source_file", T.StringType()), T.StructField("source_line", T.LongType())]
    schema = T.StructType([*nullable_schema(), *place])
    frame = spark.createDataFrame([(*row.values(), "f", i) for i, row in enumerate(given())], schema)
    contract, folder = compiled(Everything), lake.path("staged", "everything")
    stage_frame(frame, contract, "test.everything", folder)
    owner = {r.name: r.column for r in contract.rules if r.column}
    staged = pl.read_parquet(folder / "*.parquet").select(
        "source_line", pl.concat_list("_reasons", "_warnings").alias("rules")
    )
    broken = {(line, owner[name]) for line, names in staged.iter_rows() for name in names if name in owner}
    with duckdb.connect() as db:
        for r in contract.rules:
            if r.is_only_counted:
                query = f"select source_line from read_parquet('{folder}/*.parquet') where {r.violation_sql()}"
                broken |= {(line, str(r.column)) for (line,) in db.execute(query).fetchall()}
    return broken


def native_verdict() -> set[tuple[int, str]]:
    """The same from Pandera's Polars backend, built from the same model's columns and check statistics."""
    import pandera.errors

    columns = {}
    for name, column in Everything.to_schema().columns.items():
        checks = [getattr(pp.Check, check.name)(**check.statistics) for check in column.checks]
        columns[name] = pp.Column(POLARS_TYPES[column.dtype.type.simpleString()], checks, nullable=column.nullable)
    frame = pl.DataFrame(given(), schema={n: s.dtype.type for n, s in pp.DataFrameSchema(columns).columns.items()})
    with pytest.raises(pandera.errors.SchemaErrors) as raised:
        pp.DataFrameSchema(columns).validate(frame, lazy=True)
    return {
        (int(i), name) for name, i in raised.value.failure_cases.select("column", "index").iter_rows() if i is not None
    }


def test_compiled_rules_agree_with_native_pandera_row_by_row(spark, lake):
    native = native_verdict()
    assert len({column for _, column in native}) == len(GOOD), "each column must be broken by some case"
    assert compiled_verdict(spark, lake) == native


def test_every_rule_that_is_only_counted_can_be_counted():
    from claims_assets.definitions import tables

    with duckdb.connect() as db:
        for table in tables():
            contract = compiled(table.contract)
            empty = contract.arrow_schema().empty_table()  # noqa: F841  (DuckDB finds it by name)
            for r in contract.rules:
                if r.is_only_counted:
                    db.execute(f"select count(*) from empty where {r.violation_sql()}")


def test_every_statement_is_exercised_by_the_parity_test():
    used = {check.name for column in Everything.to_schema().columns.values() for check in column.checks}
    assert used == set(STATEMENTS)


def test_native_pandera_on_spark_agrees_which_rules_are_broken(spark):
    schema = T.StructType(nullable_schema())
    bad = spark.createDataFrame([tuple(row.values()) for row in given()], schema)
    errors = json.loads(json.dumps(Everything.to_schema().validate(bad, lazy=True).pandera.errors, default=str))
    columns = {e["column"] for kind in errors.values() for group in kind.values() for e in group}
    assert columns - {"Everything"} >= set(GOOD) - {"rate", "id"}
    clean = spark.createDataFrame(
        [tuple((GOOD | {"id": str(i)}).values()) for i in range(3)], compiled(Everything).spark_schema()
    )
    assert not Everything.to_schema().validate(clean, lazy=True).pandera.errors


def test_a_check_that_cannot_be_compiled_is_refused():
    class Odd(Contract):
        """One row per id."""

        id: str = pa.Field(str_startswith="x")

    with pytest.raises(NotImplementedError, match=r"Odd\.id_str_startswith: no predicate"):
        compiled(Odd)


def test_an_unknown_severity_is_refused():
    class Odd(Contract):
        """One row per id."""

        id: str = c.required("Id.", str_matches="x", severity="whisper")

    with pytest.raises(ValueError, match="'whisper' is not one of warn, quarantine, block"):
        compiled(Odd)


@pytest.mark.parametrize(
    ("stated", "said"),
    [
        (rule("low > 0", dimension="beauty"), "'beauty' is not one of completeness, validity"),
        (rule("low > 0", about=["low", "hihg"]), "`about` names hihg, which the contract has no column for"),
    ],
)
def test_a_rule_of_an_unknown_dimension_or_column_is_refused(stated, said):
    class Odd(Contract):
        """One row per id."""

        low: c.Whole = c.optional("Low.")

        class Config:
            metadata = {"rules": {"low_is_good": stated}}

    with pytest.raises(ValueError, match=said):
        compiled(Odd)


def test_every_rule_has_one_dimension_and_a_text_no_rule_of_readability():
    contract = compiled(Everything)
    dimension = {r.name: r.dimension for r in (*contract.counted, *contract.rules)}
    assert dimension["id_is_present"] == "completeness"
    assert dimension["low_is_readable"] == dimension["code_is_known"] == dimension["rate_is_in_range"] == "validity"
    assert dimension["low_is_not_above_high"] == "consistency"
    assert dimension["grain_is_unique"] == "accuracy"
    assert dimension.keys() == contract.severity_of().keys()
    assert "text_is_readable" not in dimension


def test_a_blocking_row_rule_stops_the_commit(spark, lake):
    class Totals(Contract):
        """One row per id."""

        id: str = c.required("Id.")
        low: c.Whole = c.optional("Low.")
        high: c.Whole = c.optional("High.")

        class Config:
            unique = ["id"]
            metadata = {"rules": {"low_is_not_above_high": rule("low <= high", severity="block")}}

    frame = spark.createDataFrame([("a", 2, 1)], "id string, low int, high int")
    found = lake.write(frame, "gold", "totals", Totals, None)
    assert found.blocked == ["gold.totals: 1 rows break low_is_not_above_high, which blocks the commit."]
    assert not lake.exists("gold", "totals")


def test_types_reach_delta_and_dagster_from_the_same_model(spark, lake):
    class Typed(Contract):
        """One row per id."""

        id: str = c.required("Id.")
        day: c.Date = c.optional("Day.")
        paid: c.Money = c.amount("Paid.")
        names: c.Words = c.required("Names.")

        class Config:
            unique = ["id"]

    frame = spark.createDataFrame(
        [("a", date(2024, 2, 29), "1.5", ["x"])], "id string, day date, paid string, names array<string>"
    )
    lake.write(frame, "gold", "typed", Typed, None)
    stored = {f.name: (f.type, f.nullable) for f in DeltaTable(str(lake.path("gold", "typed"))).schema().fields}
    assert str(stored["paid"][0]) == 'PrimitiveType("decimal(12,2)")'
    shown = {col.name: (col.type, col.constraints.nullable) for col in compiled(Typed).column_schema().columns}
    assert shown == {
        "id": ("string", False),
        "day": ("date", True),
        "paid": ("decimal(12,2)", True),
        "names": ("array<string>", False),
    }
    assert {n: v[1] for n, v in stored.items()} == {n: v[1] for n, v in shown.items()}
