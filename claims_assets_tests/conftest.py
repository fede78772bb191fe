"""Fixtures for all tests: one Spark session, literal frames, a lake in a temporary folder."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest

from claims_assets.contracts import Contract, compiled
from claims_assets.settings import Engine, settings_from_environment

TEST_MEMORY = 1_000_000_000


FAST = {
    # A test's frame has a few rows: planning and compiling are all that costs.
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
    "spark.sql.shuffle.partitions": "1",
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
}
"""Settings of Spark for tests."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--engine spark` runs the tests on Spark with the Delta jars (`make spark-deps`); `--pictures` is of `ui/`."""
    parser.addoption("--engine", choices=get_args(Engine), default="sail")
    parser.addoption("--pictures", action="store_true", help="the UI tests write the pictures of docs/images")


@pytest.fixture(scope="session")
def engine(request: pytest.FixtureRequest) -> Engine:
    """The engine that the tests run on."""
    return request.config.getoption("--engine")


@pytest.fixture(scope="session")
def spark_resource(engine: Engine):
    """The engine as a Dagster resource."""
    from claims_assets.runtime.spark import ClassicSpark, EmbeddedSpark

    if engine == "sail":
        return EmbeddedSpark(memory_limit=TEST_MEMORY)
    jars = str(settings_from_environment().spark_jars)
    return ClassicSpark(memory_limit=TEST_MEMORY, jars=jars, spark_config=FAST)


@pytest.fixture(scope="session")
def spark(spark_resource):
    """The engine's session, started once for the whole run."""
    return spark_resource.spark_session


@pytest.fixture
def lake(tmp_path: Path, engine: Engine):
    """An empty lake of this test's own."""
    from claims_assets.runtime.lake import Lake

    return Lake(root=str(tmp_path / "lake"), engine=engine)


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
