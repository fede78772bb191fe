"""What runs on the workers: each version's own words in its own months, and nothing needed there but the bytes."""

import pickle
import subprocess
import sys
from functools import partial

import numpy as np
import pandas as pd
import pytest

from claims_assets.models.er_utilization_predictor import ER_UTILIZATION
from claims_assets.models.total_cost_predictor import TOTAL_COST
from claims_assets.predictions.batches import Task, score_batches
from claims_assets.predictions.scoring import target_of
from claims_assets_tests.predictions.conftest import artifact_of

INPUTS = ["age", "er_visit_count_12mo", "has_ckd", "gender"]
ER, COST = target_of(ER_UTILIZATION), target_of(TOTAL_COST)
COLUMNS = ["member_id", "claim_month", *ER.types, *COST.types]
MONTHS = ("2025-01", "2025-02")


def members(n=60, seed=1):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "member_id": [f"M{i}" for i in range(n)],
            "claim_month": rng.choice(MONTHS, n),
            "age": rng.integers(0, 17, n),
            "er_visit_count_12mo": rng.integers(0, 17, n),
            "has_ckd": rng.choice(np.array([True, False, None], dtype=object), n),
            "gender": rng.choice(["F", "M", "X"], n),
            **{name: 0.25 if kind == "double" else None for name, kind in {**ER.types, **COST.types}.items()},
            ER.prediction: 0,
        }
    )


def tasks():
    er, cost = (artifact_of(m, inputs=INPUTS) for m in (ER_UTILIZATION, TOTAL_COST))
    return er, cost, [Task(ER, MONTHS[:1], er.to_bytes()), Task(COST, MONTHS, cost.to_bytes())]


@pytest.mark.requirement("R2")
def test_a_version_speaks_in_its_months_and_the_rule_elsewhere():
    er, cost, asked = tasks()
    rows = members()
    (found,) = score_batches(asked, COLUMNS, iter([rows]))
    own = (rows["claim_month"] == MONTHS[0]).to_numpy()
    assert 5 < own.sum() < 55
    assert found.loc[own, ER.score].to_numpy().tobytes() == er.predict(rows[own]).tobytes()
    assert set(found.loc[~own, ER.score]) == {0.25}
    expected = cost.predict(rows)
    assert found[COST.score].to_numpy().tobytes() == expected.tobytes()
    for name, end in zip(COST.interval, cost.interval(expected), strict=True):
        assert found[name].tolist() == end.tolist()


def test_reasons_are_those_of_flagged_rows_and_of_no_other():
    er, _, asked = tasks()
    rows = members()
    (found,) = score_batches(asked, COLUMNS, iter([rows]))
    flagged = ((found["claim_month"] == MONTHS[0]) & (found[ER.prediction] == 1)).to_numpy()
    assert 1 < flagged.sum() < len(rows)
    assert found.loc[flagged, ER.reasons].tolist() == er.reasons(rows[flagged])
    assert found.loc[~flagged, ER.reasons].isna().all()
    assert {said.split(" = ")[0] for why in found.loc[flagged, ER.reasons] for said in why} <= set(INPUTS)


def test_batches_of_any_size_say_the_same():
    _, _, asked = tasks()
    rows = members()
    (together,) = score_batches(asked, COLUMNS, iter([rows]))
    pieces = list(score_batches(asked, COLUMNS, iter([rows[:1], rows[1:1], rows[1:38], rows[38:]])))
    assert [len(p) for p in pieces] == [1, 0, 37, 22]
    pd.testing.assert_frame_equal(pd.concat(pieces, ignore_index=True), together, check_exact=True, check_dtype=False)


def test_the_batch_that_came_in_is_left_as_it_was():
    _, _, asked = tasks()
    rows, before = members(), members()
    list(score_batches(asked, COLUMNS, iter([rows])))
    pd.testing.assert_frame_equal(rows, before)


ALONE = """
import pickle, sys
for name in ("mlflow", "dagster", "pyspark", "claims_assets.runtime.tracking"):
    sys.modules[name] = None
scored, rows = pickle.load(sys.stdin.buffer)
sys.stdout.buffer.write(pickle.dumps(list(scored(iter([rows])))))
"""


def test_a_worker_needs_neither_mlflow_nor_dagster_nor_spark():
    _, _, asked = tasks()
    sent = pickle.dumps((partial(score_batches, asked, COLUMNS), members()))
    done = subprocess.run([sys.executable, "-c", ALONE], input=sent, stdout=subprocess.PIPE, check=True)
    (there,), (here,) = pickle.loads(done.stdout), list(score_batches(asked, COLUMNS, iter([members()])))
    pd.testing.assert_frame_equal(there, here, check_exact=True)
