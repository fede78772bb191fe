"""Lint rule: engine calls that differ between engines, or that write behind the lake's back.

Each was measured to be silently wrong, an error, or without effect on one of the engines (docs/engines.md says what).
Run it alone with `python -m claims_assets_tests.forbidden_calls`; the tests run it too.
"""

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1] / "claims_assets"
LAKE = "runtime/lake.py"
WRITERS = "runtime/writers.py"
COUNTS = "runtime/stage_on_spark.py"
DUCKDB = ("runtime/stage.py",)
"""Modules whose SQL is DuckDB's, not the engine's."""

ATTRIBUTES = {
    "write": ("writes behind the lake's back", "return the frame from a @table"),
    "writeTo": ("writes behind the lake's back", "return the frame from a @table"),
    "saveAsTable": ("writes behind the lake's back", "return the frame from a @table"),
    "insertInto": ("writes behind the lake's back", "return the frame from a @table"),
    "overwritePartitions": ("replaces whole tables on one engine", "return the frame from a @table"),
    "cache": ("has no effect on one engine", "stage a table and read it"),
    "persist": ("has no effect on one engine", "stage a table and read it"),
    "checkpoint": ("has no effect on one engine", "stage a table and read it"),
    "localCheckpoint": ("fails on one engine", "stage a table and read it"),
    "hint": ("has no effect on one engine", "leave the plan to the engine"),
    "observe": ("fails on one engine", "count in a separate aggregate"),
    "approxQuantile": ("fails on one engine", "use an exact percentile"),
    "percentile_approx": ("interpolates on one engine only", "use an exact percentile"),
    "approx_count_distinct": ("differs between engines", "count in two levels"),
    "count_distinct": ("several in one groupBy exhaust memory", "count in two levels"),
    "countDistinct": ("several in one groupBy exhaust memory", "count in two levels"),
    "hash": ("differs between engines for decimals", "use xxhash64 or sha2"),
    "collect": ("pulls a table to the driver", "keep it a DataFrame"),
    "toPandas": ("pulls a table to the driver", "keep it a DataFrame"),
    "monotonically_increasing_id": ("differs between engines and runs", "use row_number over a stated order"),
    "current_date": ("reads the clock", "take the as-of month as an argument"),
    "current_timestamp": ("reads the clock", "take the as-of month as an argument"),
    "nearestByJoin": ("is newer than the cluster's Spark", "join on a stated condition"),
    "repartitionById": ("is newer than the cluster's Spark", "leave the partitions to the engine"),
    "zipWithIndex": ("is newer than the cluster's Spark", "use row_number over a stated order"),
    "rand": ("is not repeatable", "derive it from xxhash64 of a key and a seed"),
}
"""Attribute -> (why it is forbidden, what to do)."""

FUNCTIONS = {
    "round": ("decides halves of a double otherwise on one engine", "use numbers.rounded"),
    "bround": ("decides halves of a double otherwise on one engine", "use numbers.rounded"),
}
"""The same for functions of `pyspark.sql.functions`, whose names mean other things elsewhere."""

CLUSTER_SPARK = (4, 0)
"""Spark of Databricks Runtime 17.3 LTS, the oldest cluster that the package runs on."""

WORDS = ("partitionOverwriteMode", "QUALIFY ", "GROUP BY ALL", "RANGE BETWEEN INTERVAL")
"""Texts that must not stand in a string."""

MODEL_CODE = ("models/", "predictions/")
ALLOWED = {
    ("read", "*"): (LAKE,),
    ("write", "*"): (LAKE, WRITERS),
    ("toPandas", "*"): MODEL_CODE,
    ("collect", "*"): (*MODEL_CODE, COUNTS),
}
"""Where a forbidden call is the point of the file: the lake reads and writes, a model trains on the driver,
the counts of a stage are a few rows."""

SPARK_LAYERS = (
    "bronze/",
    "silver/",
    "features/",
    "predictions/",
    "outreach/",
    "monitoring/",
    "models/",
    "runtime/",
    "table.py",
)
"""Code that handles Spark frames; elsewhere the same attribute names mean other things."""


@dataclass(frozen=True)
class Finding:
    """One forbidden call."""

    file: str
    line: int
    call: str
    why: str
    instead: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.call} {self.why}: {self.instead}."


def findings(source: str, file: str) -> Iterator[Finding]:
    """Forbidden calls in one module's source; `file` is its path inside the package."""
    if not file.startswith(SPARK_LAYERS):
        return
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute):
            name = node.attr
            if name in ATTRIBUTES and not _is_allowed(name, file) and _is_frame_call(node):
                yield Finding(file, node.lineno, f".{name}", *ATTRIBUTES[name])
            if isinstance(node.value, ast.Name) and node.value.id == "F" and name in _functions():
                yield Finding(file, node.lineno, f"F.{name}", *_functions()[name])
            if (
                name == "read"
                and isinstance(node.value, ast.Name)
                and node.value.id == "spark"
                and not _is_allowed("read", file)
            ):
                yield Finding(file, node.lineno, "spark.read", "reads past the lake", "name the table as a parameter")
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and file not in DUCKDB:
            for word in WORDS:
                if word.lower() in node.value.lower():
                    yield Finding(file, node.lineno, word.strip(), "differs between engines", "see docs/engines.md")


@cache
def _functions() -> dict[str, tuple[str, str]]:
    """FUNCTIONS, and those that the cluster's Spark lacks, by what pyspark says of itself."""
    from pyspark.sql import functions

    newer = {}
    for name, function in vars(functions).items():
        added = re.search(r"versionadded:: (\d+)\.(\d+)", function.__doc__ or "") if callable(function) else None
        if added and (int(added[1]), int(added[2])) > CLUSTER_SPARK:
            newer[name] = (f"came with Spark {added[1]}.{added[2]}, newer than the cluster's", "use older functions")
    return newer | FUNCTIONS


def _is_allowed(name: str, file: str) -> bool:
    return file.startswith(ALLOWED.get((name, "*"), ("\0",)))


def _is_frame_call(node: ast.Attribute) -> bool:
    """`lake.write(...)` and `self.write(...)` are the lake's own; `functools.cache` is no frame's."""
    owner = node.value.id if isinstance(node.value, ast.Name) else ""
    return owner not in ("lake", "self", "functools", "os", "sys", "file", "handle")


def all_findings() -> list[Finding]:
    """Forbidden calls in the whole package."""
    found: list[Finding] = []
    for path in sorted(PACKAGE.rglob("*.py")):
        found += findings(path.read_text(), path.relative_to(PACKAGE).as_posix())
    return found


if __name__ == "__main__":
    found = all_findings()
    sys.stdout.writelines(f"claims_assets/{f}\n" for f in found)
    sys.exit(1 if found else 0)
