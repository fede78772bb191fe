"""How well planted fraud is found: the detectors of the graph against an isolation forest, PCA and plain squared error.

`make bench-fraud`, or `python -m bench.fraud --seeds 11 12`. Each seed is a population of its own, whose claims go
through the graph up to `gold.claim_fraud_features`; the truth is what the generator planted. Seeds 1 to 3 were used
while the score was designed, so its numbers are told on others. All methods see the same columns of the same claims.
Providers with unusual habits (synthetic/providers.py) are no planted fraud and count as clean.
"""

import argparse
import csv
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from pathlib import Path

import numpy as np
import pandas as pd

from claims_assets.models.fraud_artifact import FraudArtifact, folds_of
from claims_assets.models.fraud_boosters import NoLibrary
from claims_assets.models.fraud_fitting import fit
from claims_assets.models.fraud_inputs import COLUMNS, WORDS
from claims_assets.models.fraud_training import ROWS, sample
from claims_assets.runtime.lake import Lake
from claims_assets.synthetic.fraud import KINDS

SEEDS = (11, 12, 13, 14, 15)
MEMBERS, MONTHS, END = 2_000, 24, "2025-12"
TREES, COMPONENTS = 200, 8
"""Of the isolation forest and of PCA."""
FIRST = 0.01
"""Share of the claims that somebody looks at: precision among them."""


def made(home: Path, seed: int) -> None:
    """Generate a population and build its features in `home`."""
    os.environ.update(CLAIMS_HOME=str(home), CLAIMS_START_MONTH="2022-01")
    from claims_assets.cli.run import run_range
    from claims_assets.partitions import add_months
    from claims_assets.settings import settings_from_environment
    from claims_assets.sources.provider_database import load_csv
    from claims_assets.sources.provider_server import provider_database
    from claims_assets.synthetic import generate

    settings = settings_from_environment()
    generate(settings.landing, members=MEMBERS, months=MONTHS, end=END, seed=seed)
    with (home / "run.log").open("w") as log, redirect_stdout(log), provider_database(settings) as url:
        load_csv(url, home / "providers.csv")
        run_range(settings, add_months(END, 1 - MONTHS), END, '+key:"gold/claim_fraud_features"')


def claims_of(home: Path) -> tuple[pd.DataFrame, np.ndarray]:
    """All claims, by id, and the kind of fraud of each; empty: none."""
    from deltalake import DeltaTable

    table = DeltaTable(str(home / "lake" / "gold" / "claim_fraud_features"))
    claims = table.to_pandas().sort_values(["claim_id", "claim_month"], ignore_index=True)
    with (home / "landing_fraud_truth.csv").open(encoding="utf-8", newline="") as file:
        truth = {row["claim_id"]: row["kind"] for row in csv.DictReader(file)}
    return claims, np.array([truth.get(i, "") for i in claims["claim_id"]])


def scores_of(claims: pd.DataFrame, lake: Lake) -> dict[str, np.ndarray]:
    """Method -> a score of each claim; larger is more suspicious."""
    known = sample(lake, END, 42)
    detectors: dict[str, FraudArtifact] = {}
    for algorithm in ("xgboost", "catboost"):
        try:
            detectors[algorithm] = fit(known, algorithm, seed=42).artifact
        except NoLibrary as why:
            sys.stderr.write(f"{why}\n")
    found = {name: d.score(claims)["fraud_score"].to_numpy() for name, d in detectors.items()}
    first = next(iter(detectors.values()))
    return {
        "ensemble": np.mean(list(found.values()), axis=0),
        **(found if len(found) > 1 else {}),
        "plain squared error": _plain(first, claims),
        "squared dollars": _plain(first, claims, dollars=True),
        **_unsupervised(first, claims),
    }


def _unsupervised(detector: FraudArtifact, claims: pd.DataFrame) -> dict[str, np.ndarray]:
    """An isolation forest and PCA on the detector's own inputs, standardised."""
    from sklearn.decomposition import PCA
    from sklearn.ensemble import IsolationForest

    matrix = detector.encoded(claims).matrix.astype("float64")
    inputs = np.nan_to_num((matrix - np.nanmean(matrix, axis=0)) / (np.nanstd(matrix, axis=0) + 1e-9))
    forest = IsolationForest(n_estimators=TREES, random_state=42).fit(inputs)
    parts = PCA(COMPONENTS, random_state=42).fit(inputs)
    left = inputs - parts.inverse_transform(parts.transform(inputs))
    return {"isolation forest": -forest.score_samples(inputs), "PCA": (left**2).mean(axis=1)}


def _plain(detector: FraudArtifact, claims: pd.DataFrame, *, dollars: bool = False) -> np.ndarray:
    """Mean over all features of the same held-out models: squared error of numbers, 0 or 1 of words.

    Args:
        dollars: numbers as they are, as the source squares them; else standardised, amounts and counts by logarithm.
    """
    encoded, folds = detector.encoded(claims), folds_of(claims["claim_id"], detector.facts["folds"])
    errors = []
    for name in detector.trees:
        expected = detector.expected(name, encoded, folds)
        if name in WORDS:
            errors.append((expected.argmax(axis=1) != encoded.classes[name]).astype(float))
            continue
        kind, value = detector.facts["columns"][name], encoded.value(name)
        if dollars and kind in ("amount", "count"):
            value, expected = (np.exp(v) if kind == "amount" else np.expm1(v) for v in (value, expected))
        off = value - expected
        errors.append(np.nan_to_num(off if dollars else off / (np.nanstd(value) + 1e-9)) ** 2)
    return np.mean(errors, axis=0)


def judged(score: np.ndarray, kinds: np.ndarray) -> dict[str, float]:
    """AUC, average precision, precision at FIRST, and AUC of each kind against clean claims."""
    from sklearn.metrics import average_precision_score, roc_auc_score

    is_fraud = kinds != ""
    first = np.argsort(-score, kind="stable")[: max(1, round(FIRST * len(score)))]
    found = {
        "AUC": float(roc_auc_score(is_fraud, score)),
        "AP": float(average_precision_score(is_fraud, score)),
        "P@1%": float(is_fraud[first].mean()),
    }
    for kind in KINDS:
        rows = (kinds == kind) | ~is_fraud
        found[kind] = float(roc_auc_score(is_fraud[rows], score[rows]))
    return found


def shown(told: Mapping[str, Sequence[Mapping[str, float]]]) -> str:
    """A row per method: means over the seeds, and the least and largest of the first three measures."""
    measures = list(next(iter(told.values()))[0])
    lines = [f"{'':<22}" + "".join(f"{m:>18}" for m in measures)]
    for method, seeds in told.items():
        cells = []
        for i, m in enumerate(measures):
            values = [s[m] for s in seeds]
            spread = f" ({min(values):.3f}-{max(values):.3f})" if i < 3 else ""
            cells.append(f"{np.mean(values):.3f}{spread}")
        lines.append(f"{method:<22}" + "".join(f"{cell:>18}" for cell in cells))
    return "\n".join(lines)


def main() -> None:
    """Make the populations, score them, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=list(SEEDS))
    parser.add_argument("--keep", type=Path, help="folder of the populations; default: a temporary one")
    asked = parser.parse_args()
    folder = asked.keep or Path(tempfile.mkdtemp(prefix="claims-fraud-"))
    told: dict[str, list[dict[str, float]]] = {}
    try:
        for seed in asked.seeds:
            home = folder / f"seed{seed}"
            if not (home / "lake" / Path(*ROWS)).exists():
                home.mkdir(parents=True, exist_ok=True)
                made(home, seed)
            claims, kinds = claims_of(home)
            assert set(COLUMNS) <= set(claims.columns)
            sys.stdout.write(f"\nseed {seed}: {len(claims):,} claims, {(kinds != '').sum()} planted\n")
            for method, score in scores_of(claims, Lake(root=str(home / "lake"))).items():
                told.setdefault(method, []).append(judged(score, kinds))
                sys.stdout.write(f"  {method:<22}" + shown({"": told[method][-1:]}).splitlines()[1] + "\n")
            sys.stdout.flush()
    finally:
        if not asked.keep:
            shutil.rmtree(folder, ignore_errors=True)
    sys.stdout.write(f"\nmean of {len(asked.seeds)} seeds (least-largest)\n{shown(told)}\n")


if __name__ == "__main__":
    main()
