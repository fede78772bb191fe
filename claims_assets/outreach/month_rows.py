"""The rows of one claim month of `gold.immunization_targeting`, streamed by DuckDB: whatever the size of the plan.

DuckDB reads the needed columns of the month's files alone, and sorts on disk what does not fit into memory.
"""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from claims_assets.partitions import MONTH
from claims_assets.runtime.delta import dataset
from claims_assets.runtime.lake import Lake, NeverWritten

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

TARGETING = ("gold", "immunization_targeting")
MEMORY = "512MB"
"""What one extract may hold at once."""
BATCH_ROWS = 65_536


@dataclass(frozen=True)
class MonthRows:
    """One month, as the view `members` of an open connection."""

    month: str
    connection: "duckdb.DuckDBPyConnection"
    spill: Path
    """Folder that its owner alone may read, and that is gone after the block."""

    def batches(self, query: str) -> "tuple[pa.Schema, Iterator[pa.RecordBatch]]":
        """Columns and rows of a query, a part at a time; one query at a time."""
        reader = self.connection.sql(query).to_arrow_reader(BATCH_ROWS)
        return reader.schema, iter(reader)

    def counts(self, names: Sequence[str]) -> dict[tuple, int]:
        """Rows by the values of some expressions."""
        places = ", ".join(str(n + 1) for n in range(len(names)))
        query = f"select {', '.join(names)}, count(*) from members group by {places}"
        found = self.connection.execute(query).fetchall()
        return {tuple(values): n for *values, n in found}


@contextmanager
def rows_of(lake: Lake, month: str) -> Iterator[MonthRows]:
    """The month's rows while the block lasts; no rows where the month was never built.

    Raises:
        NeverWritten: the table has no commit yet.
    """
    import duckdb

    if not lake.exists(*TARGETING):
        raise NeverWritten(f"{'.'.join(TARGETING)} has never been written: materialize it first.")
    with tempfile.TemporaryDirectory(prefix="claims-extract-") as spill, duckdb.connect() as connection:
        connection.execute(f"set memory_limit = '{MEMORY}'; set temp_directory = '{spill}'")
        connection.register("_stored", dataset(lake.path(*TARGETING), (MONTH, month)))
        connection.execute(f"create view members as select * from _stored where {MONTH} = '{month}'")
        yield MonthRows(month, connection, Path(spill))
