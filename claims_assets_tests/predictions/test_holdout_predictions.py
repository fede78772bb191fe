"""Held-out predictions: replaced by model and month, read back as written, identified."""

import pandas as pd

from claims_assets.contracts import compiled
from claims_assets.predictions.holdout_predictions import (
    HoldoutPredictions,
    holdout_predictions,
    publish,
    read_holdout,
)

COLUMNS = list(compiled(HoldoutPredictions).columns)


def made(model: str, month: str, version: int, members: int) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "model_name": model, "claim_month": month, "version": version, "part": "test", "index_month": "2024-03",
            "member_id": [f"M{i}" for i in range(members)], "outcome": 1.0, "predicted": 0.25, "rule_predicted": 0.5,
            "is_event": pd.array([1] * members, dtype="Int32"), "flagged": pd.array([None] * members, dtype="Int32"),
            "rule_flagged": 0, "baseline_predicted": 0.75, "baseline_flagged": 1, "gender": "F", "race": "Unknown",
            "ethnicity": "Unknown", "age_group": None, "dual_eligible": [None, True, False, True][:members],
        }
    )  # fmt: skip


def test_a_retry_replaces_the_rows_of_its_model_and_month_and_no_others(lake, spark):
    publish(lake, "a", "2025-06", made("a", "2025-06", 1, 4))
    publish(lake, "a", "2025-09", made("a", "2025-09", 2, 3))
    publish(lake, "b", "2025-06", made("b", "2025-06", 1, 2))
    publish(lake, "a", "2025-06", made("a", "2025-06", 3, 1))
    counts = {(m, t): len(read_holdout(lake, m, t)) for m in "ab" for t in ("2025-06", "2025-09")}
    assert counts == {("a", "2025-06"): 1, ("a", "2025-09"): 3, ("b", "2025-06"): 2, ("b", "2025-09"): 0}
    assert read_holdout(lake, "a", "2025-06", ["version"])["version"].tolist() == [3]


def test_what_is_read_is_what_was_written(lake, spark):
    given = made("a", "2025-06", 1, 4)
    publish(lake, "a", "2025-06", given)
    found = read_holdout(lake, "a", "2025-06").sort_values("member_id", ignore_index=True)
    assert list(found.columns) == COLUMNS
    assert found["predicted"].tolist() == [0.25] * 4
    assert found["is_event"].tolist() == [1] * 4
    assert found["flagged"].isna().all() and found["age_group"].isna().all()
    assert found["dual_eligible"].tolist() == [None, True, False, True]


def test_nothing_written_is_no_rows(lake):
    found = read_holdout(lake, "a", "2025-06")
    assert (list(found.columns), len(found)) == (COLUMNS, 0)
    assert list(read_holdout(lake, "a", "2025-06", ["version"]).columns) == ["version"]


def test_the_grain_is_a_member_of_a_part_at_an_index():
    assert compiled(HoldoutPredictions).grain == ("model_name", "claim_month", "part", "index_month", "member_id")


def test_members_are_identified_and_the_graph_says_so():
    assert holdout_predictions.tags.items() >= {"phi": "identified", "domain": "risk"}.items()
