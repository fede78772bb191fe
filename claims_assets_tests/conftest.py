"""Fixtures for all tests: one Spark session, literal frames, a lake in a temporary folder."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from claims_assets.contracts import Contract, compiled

TEST_MEMORY = 1_000_000_000


@pytest.fixture(scope="session")
def spark():
    """The embedded engine, started once for the whole run."""
    from claims_assets.runtime.spark import embedded_session

    return embedded_session(TEST_MEMORY)


@pytest.fixture
def lake(tmp_path: Path):
    """An empty lake of this test's own."""
    from claims_assets.runtime.lake import Lake

    return Lake(root=str(tmp_path / "lake"))


@pytest.fixture
def rows(spark) -> Callable[..., Any]:
    """`rows(Contract, {...}, {...})`: a frame with all columns of the contract; what a dict leaves out is NULL.

    Values are given as text or numbers and read as the column's type, as a feed would be.
    """
    from pyspark.sql import functions as F

    def build(model: type[Contract], *given: dict[str, Any]):
        contract = compiled(model)
        unknown = {name for row in given for name in row} - contract.columns.keys()
        assert not unknown, f"{model.__name__} has no column {sorted(unknown)}"
        lists = {n for n, t in contract.columns.items() if t.simpleString().startswith("array")}
        schema = ", ".join(
            f"{n} {contract.columns[n].simpleString() if n in lists else 'string'}" for n in contract.columns
        )
        values = [tuple(_text(row.get(n), n in lists) for n in contract.columns) for row in given]
        frame = spark.createDataFrame(values, schema)
        return frame.select(*[F.col(n).cast(t).alias(n) for n, t in contract.columns.items()])

    return build


def _text(value: Any, is_list: bool) -> Any:
    if value is None or is_list:
        return value
    return str(value).lower() if isinstance(value, bool) else str(value)
