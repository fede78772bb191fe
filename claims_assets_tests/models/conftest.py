"""The planted population as a lake, written once; rows without a lake for tests of the fit alone."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from claims_assets.models.inputs import CATEGORIES, INPUTS
from claims_assets.models.parts import part_of
from claims_assets.models.training_set import TrainingSet
from claims_assets.models.windows import Split
from claims_assets.runtime.lake import Lake
from claims_assets.runtime.tracking import Tracking
from claims_assets_tests.models.population import FIRST, TEST_INDEX, TRAIN_INDEX, TRAINABLE, write_population
from claims_assets_tests.models.registry import empty_registry

SEED = 42


@pytest.fixture(scope="session")
def planted(tmp_path_factory) -> Lake:
    """The planted population; not to be written to."""
    return write_population(tmp_path_factory.mktemp("planted"))


@pytest.fixture
def own_planted(planted: Lake, tmp_path: Path) -> Lake:
    """A copy of it that a test may write to."""
    shutil.copytree(planted.root, tmp_path / "lake")
    return Lake(root=str(tmp_path / "lake"))


@pytest.fixture
def tracking(tmp_path: Path, tmp_path_factory) -> Tracking:
    """An empty registry of this test's own."""
    return empty_registry(tmp_path / "mlflow", tmp_path_factory)


@pytest.fixture
def frame():
    """`frame(n)`: rows without any signal."""

    def build(n: int, seed: int = 1) -> pd.DataFrame:
        rng = np.random.default_rng(seed)
        rows = pd.DataFrame(rng.random((n, len(INPUTS))), columns=list(INPUTS))
        for name, codes in CATEGORIES.items():
            rows[name] = rng.choice([*codes, None], n)
        rows["dual_eligible"] = rng.choice([0.0, 1.0, np.nan], n)
        rows["er_visit_count_12mo"] = rng.poisson(1.5, n).astype("float64")
        rows["composite_risk_score"] = rng.integers(1, 13, n).astype("float64")
        rows["outcome_er_visit_count"] = rng.poisson(1.5, n).astype("float64")
        rows["outcome_total_paid"] = rng.gamma(0.3, 20_000, n)
        rows["outcome_composite_risk_score"] = rng.integers(1, 13, n).astype("float64")
        rows["exposure_months"] = rng.integers(1, 13, n).astype("float64")
        rows["died"] = (rng.random(n) < 0.02).astype("float64")
        rows["member_id"] = [f"M{i}" for i in range(n)]
        rows["claim_month"], rows["index_month"] = FIRST, TRAIN_INDEX
        rows["race"], rows["ethnicity"] = rng.choice(["White", "Black"], n), "Unknown"
        rows["age_group"] = rng.choice(["18-44", "45-64"], n)
        return rows

    return build


@pytest.fixture
def parts():
    """`parts(train, test)`: rows split as a training set splits them."""

    def build(train: pd.DataFrame, test: pd.DataFrame, seed: int = SEED) -> TrainingSet:
        aside = part_of(train["member_id"], seed) == 0
        grown = train.loc[~aside]
        return TrainingSet(
            split=Split(TRAINABLE, (FIRST,)),
            train=lambda: iter([grown]),
            train_rows=len(grown),
            calibration=train.loc[aside],
            test=test.assign(claim_month=TRAINABLE, index_month=TEST_INDEX),
            test_unseen=~test["member_id"].isin(train["member_id"]).to_numpy(),
            fingerprint=f"{len(train)} and {len(test)} rows",
        )

    return build
