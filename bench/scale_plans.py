"""How Spark would compute each table at the size of a state: the plans themselves, read node by node.

    python -m bench.scale_plans [--out FILE]        plans the newest month of every table; needs the Delta jars

Sizes come from tables without data (`scale_tables.py`), so what is decided by size is decided as it would be there.
Adaptive execution is off: it would only improve on these plans, and they are complete without it. Elsewhere: the laws
that plans must keep (`claims_assets_tests/bench/test_scale_plans.py`), what they cost (`scale_costs.py`).
"""

import argparse
import inspect
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from bench.scale_sizes import MONTHS, measured, real, state
from bench.scale_tables import simulate
from claims_assets.contracts import compiled
from claims_assets.definitions import tables
from claims_assets.partitions import add_months
from claims_assets.reading import reach
from claims_assets.runtime.lake import Lake, NeverWritten
from claims_assets.settings import settings_from_environment
from claims_assets.sources.feeds import FEEDS, LANDING
from claims_assets.table import Table

NEWEST = "2025-12"
LAYERS = ("bronze", "silver", "features")
"""Where the rows of claims are; the later ones read what these have summed up by member."""
JOINS = {"SortMergeJoinExec", "ShuffledHashJoinExec", "BroadcastHashJoinExec"}
EVERY_ROW_WITH_EVERY_ROW = {"BroadcastNestedLoopJoinExec", "CartesianProductExec"}
SESSION = {
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.shuffle.partitions": "200",
    "spark.sql.maxMetadataStringLength": "200",
}


@dataclass(frozen=True)
class Step:
    """One part of a plan that may hurt at scale."""

    table: str
    kind: str
    """read, join, nested loop, broadcast, shuffle, single partition, window, window without partition, python group."""
    detail: str
    bytes: int
    """Of the files that are read for it, in months that count; of the larger side of a join."""
    nullable_keys: tuple[str, ...] = ()
    """Of a shuffled join: keys that may be NULL on a side whose rows without a partner are kept."""


def schema_of(name: str) -> Any:
    """Columns of a table of the graph, or of a landing stage; None: nobody declares them."""
    from pyspark.sql.pandas.types import from_arrow_schema

    schema, table = name.split(".")
    if schema == LANDING:
        return from_arrow_schema(FEEDS[table].stage_schema()) if table in FEEDS else None
    declared = {t.full_name: t for t in tables()}
    return compiled(declared[name].contract).spark_schema() if name in declared else None


def simulated_lake(root: Path, months: Sequence[str]) -> Lake:
    """A lake whose tables have the size of a state and no data."""
    for table in state(real(measured()), months=len(months)):
        if (schema := schema_of(table.name)) is not None:
            simulate(root, table, schema, months)
    return Lake(root=str(root), engine="spark")


def months_to(newest: str, n: int = MONTHS) -> list[str]:
    """The `n` claim months up to the newest one."""
    return [add_months(newest, -back) for back in reversed(range(n))]


def planned(lake: Lake, spark: SparkSession, table: Table, month: str) -> DataFrame:
    """The frame of one month of a table.

    Raises:
        NeverWritten: one of its inputs is not simulated.
    """
    months = [month] if table.partitioned else None
    given: dict[str, Any] = {"months": months}
    given |= {i.parameter: lake.read(spark, i.schema, i.name, reach(lake, i, months)) for i in table.inputs}
    return table.function(**{p: given[p] for p in inspect.signature(table.function).parameters})


def steps(name: str, frame: DataFrame) -> Iterator[Step]:
    """What may hurt in the plan of a frame."""
    of_jvm: Any = frame  # only classic Spark's frames have one
    found: list[Step] = []
    _walk(name, of_jvm._jdf.queryExecution().executedPlan(), found)
    yield from found


def _walk(name: str, node: Any, found: list[Step]) -> int:
    """Judge a node and those below it; returns the bytes of the files that are read for it.

    Not Spark's own estimate: that multiplies both sides of every join that keeps rows without a partner.
    """
    kind = _kind(node)
    if kind == "FileSourceScanExec":
        size = int(str(node.relation().location().sizeInBytes()))
        found.append(Step(name, "read", _file(node), size))
        return size
    inputs = [_walk(name, child, found) for child in _each(node.children())]
    found.extend(_judged(name, kind, node, max(inputs, default=0)))
    return sum(inputs)


def _each(scala: Any) -> Iterator[Any]:
    for i in range(scala.size()):
        yield scala.apply(i)


def _kind(node: Any) -> str:
    return node.getClass().getSimpleName()


def _judged(name: str, kind: str, node: Any, larger: int) -> Iterator[Step]:
    if kind in EVERY_ROW_WITH_EVERY_ROW:
        yield Step(name, "nested loop", str(node.condition()), larger)
    elif kind == "BroadcastExchangeExec":
        yield Step(name, "broadcast", _columns(node.output()), larger)
    elif kind == "WindowExec":
        parts = node.partitionSpec()
        yield Step(name, "window" if parts.size() else "window without partition", _columns(parts), larger)
    elif kind == "ShuffleExchangeExec":
        whole = _kind(node.outputPartitioning()).startswith("SinglePartition")
        yield Step(name, "single partition" if whole else "shuffle", str(node.outputPartitioning())[:200], larger)
    elif "GroupsInPandas" in kind or "GroupsInArrow" in kind:
        yield Step(name, "python group", _columns(node.groupingAttributes()), larger)
    elif kind in JOINS:
        keys = tuple(sorted(set(_nullable_keys(node))))
        yield Step(name, "join", f"{node.joinType()} on {_columns(node.leftKeys())}", larger, keys)


def _nullable_keys(join: Any) -> Iterator[str]:
    """A NULL finds no partner: Spark leaves it out before the shuffle unless its row is kept."""
    kept = {"LeftOuter": "l", "RightOuter": "r", "FullOuter": "lr", "LeftAnti": "l"}.get(str(join.joinType()), "")
    if _kind(join) == "BroadcastHashJoinExec":
        return
    for side, keys in (("l", join.leftKeys()), ("r", join.rightKeys())):
        if side in kept and all(key.nullable() for key in _each(keys)):
            yield from (_name(key) for key in _each(keys))


def _columns(expressions: Any) -> str:
    return ", ".join(_name(e) for e in _each(expressions))


def _name(expression: Any) -> str:
    return str(expression).split("#")[0]


def _file(scan: Any) -> str:
    """Schema and name of the table that is read."""
    return ".".join(str(scan.relation().location().rootPaths().apply(0)).rsplit("/", 2)[-2:])


def review(root: Path, layers: Sequence[str] = LAYERS, memory: int = 2 << 30) -> Iterator[tuple[str, Any]]:
    """Table -> the steps of the plan of its newest month, or why there is no plan; tables that read only the lake."""
    from claims_assets.runtime.spark import classic_session

    lake = simulated_lake(root, months_to(NEWEST))
    spark = classic_session(memory, str(settings_from_environment().spark_jars), SESSION)
    for table in tables():
        if table.layer.folder not in layers:
            continue
        if table.resources:
            yield table.full_name, "takes models or settings beside tables"
            continue
        try:
            yield table.full_name, [asdict(s) for s in steps(table.full_name, planned(lake, spark, table, NEWEST))]
        except NeverWritten as missing:
            yield table.full_name, str(missing)


def main() -> None:
    """Write the review as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as root:
        text = json.dumps(dict(review(Path(root) / "lake")), indent=1)
    if given.out:
        given.out.write_text(text)
    else:
        sys.stdout.write(text)


if __name__ == "__main__":
    main()
