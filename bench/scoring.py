"""How fast a month of members is scored: the table's own path, and a plain loop over pandas and xgboost beside it.

`make bench-scoring`, or `python -m bench.scoring --members 10000`. Both read the same Delta table, score it with the
same five models, give reasons for the flagged members, and write Delta. Each runs in a process of its own, so that its
memory is its own. What the loop leaves out and the table does: the contract of every row, quarantine, the fingerprint.
Only the ratios mean something on another machine.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench import features
from claims_assets.runtime.lake import Lake

MEMBERS = 1_000_000
ROWS_A_BATCH = 65_536
MEMORY_LIMIT = 2_000_000_000
"""Bytes for the engine's operators, as on a machine with 8 GB."""
WAYS = ("table", "scores only", "plain loop")


def of_table(lake: Lake, models: Path) -> int:
    """What the step of `gold.member_risk_predictions` does, from features to the committed month; its rows."""
    from claims_assets.predictions.member_risk_predictions import MemberRiskPredictions, finished

    frame = _scored(lake, models).transform(finished)
    months = [features.MONTH]
    return lake.write(frame, "gold", "member_risk_predictions", MemberRiskPredictions, months).rows_kept


def of_scores(lake: Lake, models: Path) -> int:
    """The scores alone, streamed to this process: what is left of the table's time is its contract and its commit."""
    frame = _scored(lake, models)
    return sum(len(batch) for batch in frame.toArrow().to_batches())


def _scored(lake: Lake, models: Path):
    from claims_assets.runtime.spark import embedded_session

    return scored(embedded_session(MEMORY_LIMIT), lake, models)


def scored(spark, lake: Lake, models: Path):
    """The members scored by the engine, as a frame."""
    from claims_assets.predictions.scoring import Scorer, score

    loaded = features.load(models)
    scorers = {
        name: {features.MONTH: Scorer(1, "champion", tuple(artifact.inputs), artifact.to_bytes())}
        for name, artifact in loaded.items()
    }
    return score(lake.read(spark, *features.TABLE, [features.MONTH]), scorers, [features.MONTH])


def of_plain_loop(lake: Lake, models: Path) -> int:
    """As one would write it by hand: batches of the table as pandas, encoded once, five predictions, all threads."""
    import numpy as np
    import pandas as pd
    import pyarrow as pa
    import xgboost
    from deltalake import DeltaTable, write_deltalake

    from claims_assets.models.risk_artifact import encoded

    loaded = features.load(models)
    for artifact in loaded.values():
        artifact.booster.set_param({"nthread": os.cpu_count()})
    inputs = list(dict.fromkeys(n for a in loaded.values() for n in a.inputs))
    words = next(iter(loaded.values())).categories
    columns = ["member_id", "claim_month", "risk_tier", *inputs]
    dataset = DeltaTable(str(lake.path(*features.TABLE))).to_pyarrow_dataset()
    found = []
    for batch in dataset.to_batches(columns=columns, batch_size=ROWS_A_BATCH):
        rows = batch.to_pandas()
        content = encoded(rows, inputs, words)
        scored = rows[["member_id", "claim_month", "risk_tier"]].copy()
        for name, artifact in loaded.items():
            matrix = xgboost.DMatrix(
                content[:, [inputs.index(n) for n in artifact.inputs]], feature_names=artifact.inputs
            )
            raw = artifact.booster.predict(matrix, output_margin=artifact.is_classifier).astype("float64")
            scored[name] = artifact.finished(raw)
            if artifact.threshold is None:
                scored[f"{name}_lower"], scored[f"{name}_upper"] = artifact.interval(scored[name].to_numpy())
            else:
                scored[f"{name}_prediction"] = artifact.decide(scored[name].to_numpy())
                flagged = np.flatnonzero(scored[f"{name}_prediction"])
                said = pd.Series([None] * len(rows), dtype=object)
                for row, why in zip(flagged, artifact.reasons(rows.iloc[flagged]), strict=True):
                    said.iat[row] = why
                scored[f"{name}_reasons"] = said
        found.append(pa.Table.from_pandas(scored, preserve_index=False))
    content = pa.concat_tables(found, promote_options="permissive")
    write_deltalake(str(lake.path("gold", "plain")), content, mode="overwrite", partition_by=["claim_month"])
    return content.num_rows


RUNS: dict[str, Callable[[Lake, Path], int]] = dict(zip(WAYS, (of_table, of_scores, of_plain_loop), strict=True))


def measured(way: str, folder: Path) -> dict[str, float]:
    """Run one way in this process."""
    lake = Lake(root=str(folder / "lake"))
    before = _cpu()
    started = time.perf_counter()
    rows = RUNS[way](lake, folder / "models")
    seconds, cpu = time.perf_counter() - started, _cpu() - before
    return {
        "rows": rows,
        "seconds": seconds,
        "cpu": cpu,
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
    }


def _cpu() -> float:
    parts = (resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(p.ru_utime + p.ru_stime for p in parts)


def main() -> None:
    """Make the data, run each way, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--members", type=int, default=MEMBERS)
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.way:
        sys.stdout.write(json.dumps(measured(asked.way, asked.folder)) + "\n")
        sys.stdout.flush()
        return
    folder = Path(tempfile.mkdtemp(prefix="claims-bench-"))
    try:
        started = time.perf_counter()
        lake = Lake(root=str(folder / "lake"))
        features.write_features(lake, asked.members)
        features.save(features.fitted(), folder / "models")
        print(f"{asked.members:,} members made in {time.perf_counter() - started:.0f} s; {os.cpu_count()} cores\n")  # noqa: T201
        show({way: _in_a_process(way, folder) for way in WAYS})
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _in_a_process(way: str, folder: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "bench.scoring", "--way", way, "--folder", str(folder)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def show(found: dict[str, dict[str, float]]) -> None:
    """One row a way; ratios are to the plain loop."""
    plain = found[WAYS[-1]]
    lines = [
        f"{'':<12}{'rows/s':>10}{'seconds':>9}{'CPU s':>8}{'peak GB':>9}   {'rows/s, CPU, memory to the plain loop'}"
    ]
    for way, told in found.items():
        speed = told["rows"] / told["seconds"]
        ratios = (speed / (plain["rows"] / plain["seconds"]), told["cpu"] / plain["cpu"], told["peak"] / plain["peak"])
        numbers = f"{speed:>10,.0f}{told['seconds']:>9.1f}{told['cpu']:>8.1f}{told['peak']:>9.2f}"
        lines.append(f"{way:<12}{numbers}   " + "  ".join(f"{r:.2f}x" for r in ratios))
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
