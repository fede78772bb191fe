"""The graph's own transforms without all that is around them: no Dagster, contract, quarantine, checks or records.

`table function -> frame.write.parquet -> delta-rs commit`, in the same chunks of months, on Sail. What the graph takes
more than this is the price of what it promises.
"""

import argparse
import inspect
import json
import shutil
import sys
import time
from pathlib import Path

from bench.wanted import TABLES, read
from claims_assets.contracts import REJECTED, compiled
from claims_assets.reading import chunks, reach
from claims_assets.runtime.lake import Lake
from claims_assets.table import Table

BATCH_ROWS = 65_536


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--wanted", type=Path, required=True)
    parser.add_argument("--memory", type=int, required=True)
    asked = parser.parse_args()
    from claims_assets.definitions import tables
    from claims_assets.runtime.spark import embedded_session

    lake = Lake(root=str(asked.home / "lake"))
    months = list(read(asked.wanted).months)
    declared = {f"{t.schema}_{t.name}": t for t in tables()}
    spark = embedded_session(asked.memory)
    spark.range(1).collect()  # the server has started
    told = []
    for name in TABLES:
        start = time.time()
        build(spark, lake, declared[name], months, asked.home / "_bare")
        told.append([name, start, time.time()])
    sys.stdout.write(json.dumps({"steps": told}) + "\n")


def build(spark, lake: Lake, table: Table, months: list[str], stage: Path) -> None:
    """All months of one table, whatever was there before."""
    from pyspark.sql import functions as F

    columns = compiled(table.contract).columns
    shutil.rmtree(lake.path(table.schema, table.name), ignore_errors=True)
    for chunk in chunks(lake, table.inputs, months):
        arguments: dict = {"months": chunk}
        arguments |= {i.parameter: lake.read(spark, i.schema, i.name, reach(lake, i, chunk)) for i in table.inputs}
        frame = table.function(**{p: arguments[p] for p in inspect.signature(table.function).parameters})
        if REJECTED in frame.columns:
            frame = frame.where(F.size(REJECTED) == 0)
        frame.select(*[F.col(n).cast(t).alias(n) for n, t in columns.items()]).write.parquet(str(stage))
        _commit(stage, lake.path(table.schema, table.name))
        shutil.rmtree(stage)


def _commit(stage: Path, path: Path) -> None:
    import pyarrow.dataset as ds
    from deltalake import write_deltalake

    rows = ds.dataset(stage, format="parquet").scanner(batch_size=BATCH_ROWS).to_reader()
    write_deltalake(str(path), rows, mode="append", partition_by=["claim_month"])


if __name__ == "__main__":
    main()
