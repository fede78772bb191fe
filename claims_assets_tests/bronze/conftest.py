"""Rows of a feed as landed, written as their table."""

import pytest

from claims_assets.contracts import compiled

DERIVED = ("known_from",)
"""What the table adds to the landed columns."""


@pytest.fixture
def written_as(spark, lake):
    """Writes landed text rows as a table's asset does; gives the typed rows by line, and what was found."""

    def write(table, *given):
        names = [n for n in compiled(table.contract).columns if n not in DERIVED]
        lines = [{"source_file": "a.csv", "source_line": str(i)} | row for i, row in enumerate(given)]
        values = [tuple(line.get(n) for n in names) for line in lines]
        landed = spark.createDataFrame(values, ", ".join(f"{n} string" for n in names))
        found = lake.write(table(landed), table.schema, table.name, table.contract, None, rows_expected=len(given))
        return {r.source_line: r for r in lake.read(spark, table.schema, table.name).collect()}, found

    return write
