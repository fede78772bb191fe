"""The files of a stored model: any MLflow scores with them, and they tell what they take and need."""

import subprocess
import sys
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
import xgboost

from claims_assets.runtime.stored_model import load, save
from claims_assets_tests.models.artifacts import INPUTS, artifact, members

ROWS = members(50, seed=2)
ALONE = """
import sys
sys.modules["claims_assets"] = None
import mlflow, pandas, pathlib
model = mlflow.pyfunc.load_model(sys.argv[1])
scored = model.predict(pandas.read_pickle(sys.argv[2]))
pathlib.Path(sys.argv[3]).write_bytes(scored["score"].to_numpy().tobytes())
"""
"""Scores rows with a stored model where this project can't be imported."""


@pytest.fixture(scope="module")
def fitted():
    return artifact()


@pytest.fixture(scope="module")
def stored(fitted, tmp_path_factory) -> Path:
    return save(fitted, tmp_path_factory.mktemp("stored"))


def test_what_is_saved_is_what_is_loaded(stored, fitted):
    loaded = load(stored)
    assert loaded.facts == fitted.facts
    assert loaded.to_bytes() == fitted.to_bytes()


def test_a_stored_model_scores_where_this_project_is_not(stored, fitted, tmp_path):
    ROWS.astype({"dual_eligible": float, "er_visit_count_12mo": "int64"}).to_pickle(tmp_path / "rows.pickle")
    files = [str(stored), str(tmp_path / "rows.pickle"), str(tmp_path / "scores")]
    subprocess.run([sys.executable, "-B", "-W", "ignore", "-c", ALONE, *files], check=True, cwd=tmp_path)
    assert (tmp_path / "scores").read_bytes() == fitted.predict(ROWS).tobytes()


def test_the_signature_has_the_types_of_the_contract_and_a_double_where_an_integer_or_a_boolean_may_be_missing(
    stored, tmp_path
):
    cost = save(artifact(kind="regression", threshold=None, highest=100.0), tmp_path)
    signature = mlflow.models.Model.load(str(stored)).signature
    assert {i.name: i.type.name for i in signature.inputs} == {
        "age": "double",
        "gender": "string",
        "dual_eligible": "double",
        "has_ckd": "boolean",
        "er_visit_count_12mo": "long",
        "total_paid_12mo": "double",
    }
    assert signature.inputs.input_names() == INPUTS
    assert all(i.required for i in signature.inputs)
    assert signature.outputs.input_names() == ["score", "prediction", "lower", "upper"]
    of_cost = mlflow.models.Model.load(str(cost)).signature
    assert of_cost.outputs.input_names() == ["score", "lower", "upper"]


def test_a_stored_model_names_what_it_needs_and_brings_the_one_file_that_scores(stored):
    assert sorted((stored / "requirements.txt").read_text().split()) == sorted(
        f"{m.__name__}=={m.__version__}" for m in (mlflow, xgboost, pd, np)
    )
    assert [p.name for p in (stored / "code").iterdir()] == ["risk_artifact.py"]


def test_the_example_is_of_nobody(stored):
    (example,) = mlflow.models.Model.load(str(stored)).load_input_example(str(stored)).to_dict("records")
    assert example.pop("gender") == "F"
    assert not any(example.values())
    assert example.keys() == set(INPUTS) - {"gender"}
