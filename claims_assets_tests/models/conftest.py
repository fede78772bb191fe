"""The planted population as a lake, built once; rows without a lake for tests of the fit alone."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from claims_assets.models.inputs import INPUTS
from claims_assets.runtime.lake import Lake
from claims_assets.runtime.tracking import Tracking
from claims_assets_tests.models.population import write_population
from claims_assets_tests.models.registry import empty_registry


@pytest.fixture(scope="session")
def planted(spark, tmp_path_factory) -> Lake:
    """The planted population; not to be written to."""
    return write_population(spark, tmp_path_factory.mktemp("planted"))


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
    """`frame(n)`: training rows without any signal."""

    def build(n: int, seed: int = 1) -> pd.DataFrame:
        rng = np.random.default_rng(seed)
        rows = pd.DataFrame(rng.random((n, len(INPUTS)), dtype="float32"), columns=list(INPUTS))
        rows["er_visit_count_12mo"] = rng.poisson(1.5, n).astype("float32")
        rows["composite_risk_score"] = rng.integers(1, 13, n)
        rows["outcome_er_visit_count"] = rng.poisson(1.5, n).astype("float64")
        rows["outcome_total_paid"] = rng.gamma(0.3, 20_000, n)
        rows["outcome_composite_risk_score"] = rng.integers(1, 13, n).astype("float64")
        rows["member_id"] = [f"M{i}" for i in range(n)]
        rows["claim_month"] = "2022-12"
        return rows

    return build
