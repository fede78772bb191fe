"""The artifact: the same after saving, the same bits every time, one encoding, and alone wherever it is sent."""

import shutil
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claims_assets.models import risk_artifact
from claims_assets.models.risk_artifact import RiskArtifact, encoded
from claims_assets_tests.models.artifacts import CATEGORIES, fitted

INPUTS = ["visits", "cost", "has_ckd", "gender"]


def members(n: int = 400, seed: int = 1) -> pd.DataFrame:
    """Rows as Spark hands them over: decimals, booleans and words as objects."""
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "visits": rng.poisson(2, n),
            "cost": [Decimal(f"{x:.2f}") for x in rng.gamma(1, 900, n)],
            "has_ckd": rng.random(n) < 0.3,
            "gender": rng.choice(["F", "M", "U"], n),
        }
    )


def artifact(**facts) -> RiskArtifact:
    """Visits and kidney disease decide; a classifier unless `facts` say otherwise."""
    rows = members()
    event = rows["visits"] + 2 * rows["has_ckd"] + (rows["gender"] == "M") > 3
    return fitted(rows, event, INPUTS, 20, **facts)


def test_what_is_saved_is_what_is_loaded(tmp_path):
    made, rows = artifact(), members(100, seed=2)
    path = made.save(tmp_path / "model")
    for again in (
        RiskArtifact.load(tmp_path / "model"),
        RiskArtifact.load(path),
        RiskArtifact.from_bytes(made.to_bytes()),
    ):
        assert again.facts == made.facts
        assert again.to_bytes() == made.to_bytes() == path.read_bytes()
        assert again.predict(rows).tobytes() == made.predict(rows).tobytes()
        assert again.reasons(rows) == made.reasons(rows)


def test_a_row_scores_the_same_alone_and_in_any_company():
    made, rows = artifact(), members(60, seed=3)
    together = made.predict(rows)
    assert made.predict(rows.iloc[::-1])[::-1].tobytes() == together.tobytes()
    assert [made.predict(rows.iloc[[i]])[0] for i in range(len(rows))] == together.tolist()


def test_pieces_of_a_large_frame_are_one_result(monkeypatch):
    made, rows = artifact(), members(50, seed=4)
    whole, why = made.predict(rows), made.reasons(rows)
    monkeypatch.setattr(risk_artifact, "MOST_ROWS_AT_ONCE", 7)
    assert made.predict(rows).tobytes() == whole.tobytes()
    assert made.reasons(rows) == why


def test_no_rows_get_no_scores():
    made = artifact()
    assert len(made.predict(members().iloc[:0])) == len(made.decide(np.empty(0))) == 0
    assert made.reasons(members().iloc[:0]) == []


def test_scores_are_rounded_probabilities():
    found = artifact().predict(members())
    assert found.dtype == np.float64
    assert found.min() >= 0 and found.max() <= 1
    assert np.array_equal(found, found.round(6))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(-30, 30), min_size=2, max_size=20), st.floats(0.1, 5), st.floats(-3, 3))
def test_calibration_keeps_the_order(raw, slope, intercept):
    points = {"kind": "points", "x": [-2.0, 0.0, 3.0], "y": [0.05, 0.05, 0.9]}
    for calibration in ({"kind": "sigmoid", "slope": slope, "intercept": intercept}, points, {"kind": "none"}):
        found = artifact_of(calibration).finished(np.sort(raw))
        assert (np.diff(found) >= 0).all()
        assert found.min() >= 0 and found.max() <= 1


_made: dict[str, RiskArtifact] = {}


def artifact_of(calibration) -> RiskArtifact:
    made = _made.setdefault("classifier", artifact())
    made.facts["calibration"] = calibration
    return made


def test_the_sigmoid_is_of_the_log_odds():
    plain, shifted = artifact(calibration={"kind": "none"}), artifact()
    odds = plain.raw(members())
    assert shifted.predict(members()) == pytest.approx(1 / (1 + np.exp(-(0.9 * odds - 0.1))), abs=1e-6)


def test_a_regression_is_bounded_and_has_its_own_decimals():
    made = artifact(kind="regression", calibration={"kind": "points", "x": [0.0, 1.0], "y": [-50.0, 500.0]},
                    highest=100.0, decimals=2)  # fmt: skip
    found = made.predict(members())
    assert (found.min(), found.max()) == (0.0, 100.0)
    assert np.array_equal(found, found.round(2))


def test_the_interval_holds_the_prediction_and_lies_on_the_lines():
    made = artifact()
    lower, upper = made.interval(np.array([0.0, 0.5, 1.0]))
    assert lower.tolist() == [0.0, 0.4, 0.8]
    assert upper.tolist() == [0.2, 0.6, 1.0]
    narrow = artifact(intervals={"predicted": [0.0, 1.0], "lower": [0.5, 0.5], "upper": [0.6, 0.6]})
    lower, upper = narrow.interval(np.array([0.1, 0.9]))
    assert lower.tolist() == [0.1, 0.5]
    assert upper.tolist() == [0.6, 0.9]


def test_without_intervals_the_ends_are_unknown():
    lower, upper = artifact(intervals=None).interval(np.array([0.1, 0.9]))
    assert np.isnan(lower).all() and np.isnan(upper).all()


def test_decisions_reach_the_threshold():
    assert artifact().decide(np.array([0.499999, 0.5, 0.9])).tolist() == [0, 1, 1]
    with pytest.raises(ValueError, match="made predicts a value and has no threshold"):
        artifact(kind="regression", threshold=None).decide(np.array([1.0]))


def test_reasons_name_what_raises_the_score_largest_first():
    rows = pd.DataFrame(
        {"visits": [9, 0], "cost": [Decimal("10.50")] * 2, "has_ckd": [True, False], "gender": ["M", "F"]}
    )
    high, low = artifact().reasons(rows)
    assert high[0] == "visits = 9"
    assert set(high) <= {"visits = 9", "cost = 10.5", "has_ckd = yes", "gender = M"}
    assert "has_ckd = yes" in high and len(high) <= 3
    assert not any(why.startswith(("visits", "has_ckd")) for why in low)
    assert [len(r) for r in artifact().reasons(rows, top=1)] == [1, min(1, len(low))]


def test_a_missing_value_is_shown_as_unknown():
    rows = pd.DataFrame({"visits": [9.0], "cost": [None], "has_ckd": [None], "gender": [None]})
    shown = artifact().reasons(rows, top=4)[0]
    assert "visits = 9" in shown
    assert all(why.endswith("= unknown") for why in shown if not why.startswith("visits"))


@pytest.mark.requirement("R27")
def test_a_word_without_a_code_and_a_missing_value_are_missing():
    """R27: the codes are stored with the model, so a word means the same in any batch."""
    rows = members(4)
    rows["gender"] = ["M", "X", None, "F"]
    rows["visits"] = [1, None, 3, 4]
    found = encoded(rows, INPUTS, CATEGORIES)
    assert found.dtype == np.float32
    assert np.isnan(found).tolist() == [
        [False] * 4,
        [True, False, False, True],
        [False, False, False, True],
        [False] * 4,
    ]
    assert found[[0, 3], 3].tolist() == [1.0, 0.0]
    assert np.isfinite(artifact().predict(rows)).all()


@pytest.mark.parametrize(
    "flags",
    [
        [True, False, None],
        [True, False, np.nan],
        [True, False, pd.NA],
        [1.0, 0.0, np.nan],
        [Decimal(1), Decimal(0), None],
        pd.array([True, False, pd.NA], dtype="boolean"),
        pd.array([1, 0, None], dtype="Int64"),
    ],
    ids=["objects", "nan", "NA", "floats", "decimals", "booleans", "integers"],
)
def test_flags_are_numbers_however_a_frame_holds_them(flags):
    found = encoded(pd.DataFrame({"has_ckd": flags}), ["has_ckd"], {})
    assert found[:2, 0].tolist() == [1.0, 0.0]
    assert np.isnan(found[2, 0])


def test_a_missing_column_is_named():
    with pytest.raises(ValueError, match=r"The frame lacks cost, gender, which the model needs"):
        artifact().predict(members().drop(columns=["cost", "gender"]))


def test_what_is_no_number_is_refused_without_its_value():
    rows = members(3)
    rows["cost"] = ["1", "secret", "2"]
    with pytest.raises(ValueError, match="Column cost holds what is no number") as error:
        artifact().predict(rows)
    assert "secret" not in str(error.value) and error.value.__context__ is None


def test_other_trees_and_other_formats_are_refused():
    booster = artifact().booster.copy()
    booster.set_attr(risk_artifact=None)
    with pytest.raises(ValueError, match="carry no facts of a risk model"):
        RiskArtifact.from_bytes(bytes(booster.save_raw("ubj")))
    with pytest.raises(ValueError, match="format 2; this code reads format 1"):
        artifact(format=2)


ALONE = """
import sys
sys.path.insert(0, sys.argv[1])
import pandas as pd
import risk_artifact
rows = pd.read_pickle(sys.argv[2])
found = risk_artifact._load_pyfunc(sys.argv[3]).predict(rows)
assert not [m for m in sys.modules if m.startswith(("claims_assets", "dagster", "pyspark", "mlflow"))]
found.to_pickle(sys.argv[4])
"""


@pytest.mark.parametrize(
    ("facts", "columns"),
    [
        ({}, ["score", "prediction", "lower", "upper"]),
        ({"kind": "regression", "threshold": None}, ["score", "lower", "upper"]),
    ],
    ids=["classifier", "cost"],
)
@pytest.mark.requirement("R2")
def test_the_file_scores_alone(tmp_path, facts, columns):
    """R2: whoever loads the artifact needs nothing of this project, and gets the bits that the project gets."""
    shutil.copy(risk_artifact.__file__, tmp_path / "risk_artifact.py")
    made, rows = artifact(**facts), members(50, seed=5)
    made.save(tmp_path / "model")
    rows.to_pickle(tmp_path / "rows.pkl")
    arguments = [tmp_path, tmp_path / "rows.pkl", tmp_path / "model", tmp_path / "found.pkl"]
    subprocess.run([sys.executable, "-c", ALONE, *map(str, arguments)], check=True, cwd=Path("/"), env={})
    found = pd.read_pickle(tmp_path / "found.pkl")
    assert list(found.columns) == columns
    assert found["score"].to_numpy().tobytes() == made.predict(rows).tobytes()
