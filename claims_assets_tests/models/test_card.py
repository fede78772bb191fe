"""The model card: what a reader needs, nothing of a member, and the gate's word once it has spoken."""

import json
from datetime import UTC, datetime

import pytest

from claims_assets.models.card import publish
from claims_assets.models.er_utilization_predictor import ER_UTILIZATION
from claims_assets.models.governance.verdict import Criterion, Verdict
from claims_assets.models.total_cost_predictor import TOTAL_COST
from claims_assets.monitoring.model_decisions import Decision
from claims_assets_tests.models.artifacts import artifact

METRICS = {
    "test_auc": 0.7512, "test_auc_low": 0.71, "test_auc_high": 0.79, "rule_auc": 0.7, "baseline_auc": 0.72,
    "test_rows": 3846.0, "test_positives": 7.0, "test_unseen_auc": 0.7, "calibration_rows": 5.0,
}  # fmt: skip
PARAMS = {
    "test_index": "2024-03", "train_indexes": "2022-12", "training_rows": 3800, "aim": "precision of at least 0.6",
}  # fmt: skip
FAIR = Criterion(
    "flagged by gender",
    "passed",
    "0.8 to 1.25 of the largest group's",
    0.93,
    group="M 0.93",
    cell=("gender", "flagged"),
)
FLOOR = Criterion("auc", "below_floor", "at least 0.7", 0.65, reason="auc is below its floor.")
DECISION = Decision(
    "d1", ER_UTILIZATION.name, "2025-06", "below_floor", datetime(2025, 7, 1, tzinfo=UTC), "gate",
    ("auc is below its floor.",), ("A group is too small to be judged.",), challenger=1,
)  # fmt: skip


@pytest.fixture
def version(tracking):
    inputs = {"gold.risk_training_rows": 12}
    with tracking.run("er 2025-06", {"dagster_run_id": "d1"}, inputs) as run:
        run.log(PARAMS, METRICS, {"absent.test_recall": "no row is positive"})
        return tracking.register(run, ER_UTILIZATION.name, artifact(), {"as_of_month": "2025-06", "threshold": "0.25"})


def card_of(tracking, version, tmp_path):
    """The stored files: JSON, and Markdown in one line."""
    folder = tmp_path / "mlflow" / "artifacts" / version.run_id / "artifacts"
    return json.loads((folder / "model_card.json").read_text()), (folder / "model_card.md").read_text()


def test_a_card_says_what_the_model_is_for_what_it_saw_and_how_good_it_is(tracking, version, tmp_path):
    assert publish(tracking, ER_UTILIZATION, version)
    found, text = card_of(tracking, version, tmp_path)
    assert text.startswith("# er_utilization_predictor version 1, as of 2025-06\n")
    for said in (
        "Three or more emergency visits in the next twelve months.",
        "- training: index months 2022-12; 3800 rows",
        "- test: index month 2024-03; 3,846 members",
        "- Delta versions: gold.risk_training_rows 12",
        "- threshold: 0.25",
        "- aim: precision of at least 0.6",
        "| measure | model (95 % interval) | last year's value | sources' algorithm: random forest |",
        "| auc | 0.751 (0.710 to 0.790) | 0.700 | 0.720 |",
        "| recall | absent: no row is positive |  |  |",
        "Not to deny, delay or reduce care",
        "Groups of members are not compared yet.",
        "Decision: not judged yet.",
    ):
        assert said in text
    assert found["data"]["delta_versions"] == {"gold.risk_training_rows": "12"}
    assert found["inputs"] == list(ER_UTILIZATION.inputs)


def test_a_count_of_one_to_ten_members_is_not_shown(tracking, version, tmp_path):
    publish(tracking, ER_UTILIZATION, version)
    found, text = card_of(tracking, version, tmp_path)
    assert "- with the event: 1 to 10" in text
    assert found["data"]["test_members_with_the_event"] == "1 to 10"
    assert "7.0" not in json.dumps(found["data"])
    assert "positives" not in text


def test_once_the_gate_has_judged_the_card_is_written_again(tracking, version, tmp_path):
    publish(tracking, ER_UTILIZATION, version)
    assert publish(tracking, ER_UTILIZATION, version, DECISION, Verdict((FAIR, FLOOR)))
    found, text = card_of(tracking, version, tmp_path)
    gate = text.split("## Gate and fairness")[1]
    assert "| gender | M 0.93: passed |" in gate
    assert "| auc | 0.650 | at least 0.7 | below floor |" in gate
    assert "Decision: below floor.\n\n- auc is below its floor.\n" in gate
    assert "- A group is too small to be judged." in gate
    assert (found["decision"], [c["name"] for c in found["criteria"]]) == ("below_floor", ["flagged by gender", "auc"])


def test_the_cost_model_has_neither_threshold_nor_aim(tracking, tmp_path):
    with tracking.run("cost", {}) as run:
        model = artifact(kind="regression", threshold=None, highest=1e6)
        version = tracking.register(run, TOTAL_COST.name, model, {"as_of_month": "2025-06"})
    publish(tracking, TOTAL_COST, version)
    found, text = card_of(tracking, version, tmp_path)
    assert (found["threshold"], found["aim"]) == (None, "")
    assert "threshold" not in text
    assert "with the event" not in text


def test_a_version_without_a_run_has_no_card(tracking, version):
    from dataclasses import replace

    assert not publish(tracking, ER_UTILIZATION, replace(version, run_id=""))
