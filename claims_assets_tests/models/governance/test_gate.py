"""The gate lets a good model pass and refuses each bad one, for its own reason."""

import math

import numpy as np
import pytest

from claims_assets.models.governance.gate import Evidence, judge
from claims_assets.models.governance.thresholds import FLOORS
from claims_assets_tests.models.governance.heldout import MODEL, SCORE, flag, honest, refusals, score_rows


def test_a_good_model_passes_and_every_criterion_was_asked(rows):
    found = judge(honest(rows))
    assert found.verdict.outcome == "passed"
    assert found.verdict.reasons == ()
    assert {
        "measures", "held-out rows", "time travel", "auc", "recall", "plausible auc", "run's measures", "stored model",
        "finds somebody", "average_precision less the rule's", "predicted to observed", "calibration error",
        "score PSI", "drop of auc", "flagged by race", "found by race", "predicted to observed by age_group",
    } <= {c.name for c in found.verdict.criteria}  # fmt: skip
    assert 0 < found.gain_on_rule.low < found.gain_on_rule.value < found.gain_on_rule.high


def test_a_good_score_passes():
    assert judge(honest(score_rows(), SCORE)).verdict.outcome == "passed"


def test_the_same_evidence_gives_the_same_verdict(rows):
    assert judge(honest(rows)) == judge(honest(rows.sample(frac=1, random_state=0).sort_index()))


def test_below_a_floor_is_not_refused(rows):
    floor = next(f for f in FLOORS["high_cost_predictor"] if f.measure == "precision")
    known = honest(rows, "high_cost_predictor")
    assert known.metrics["test_precision"] < floor.limit
    found = judge(known).verdict
    assert found.outcome == "below_floor"
    assert found.reasons == (f"precision is {known.metrics['test_precision']:.3f}, asked is at least 0.65.",)


@pytest.mark.requirement("R14", "R24")
@pytest.mark.parametrize("broken", [None, math.nan, math.inf])
def test_a_measure_that_is_missing_or_no_number_refuses(rows, broken):
    known = honest(rows)
    metrics = {n: v for n, v in known.metrics.items() if n != "test_recall"}
    metrics |= {} if broken is None else {"test_recall": broken}
    assert refusals(honest(rows, metrics=metrics)) == {"measures": "The run has no finite test_recall."}


@pytest.mark.requirement("R14", "R24")
def test_a_run_without_measures_refuses(rows):
    assert "no finite test_accuracy" in refusals(honest(rows, metrics={}))["measures"]


@pytest.mark.requirement("R14")
def test_measures_of_the_training_members_do_not_help(rows):
    trained = {f"train_{n.removeprefix('test_')}": 0.99 for n in honest(rows).metrics}
    assert "measures" in refusals(honest(rows, metrics=trained))


@pytest.mark.requirement("R24")
def test_invented_measures_are_not_believed(rows):
    known = honest(rows)
    found = refusals(honest(rows, metrics=known.metrics | {"test_auc": 0.97}))
    assert found.keys() == {"run's measures"}
    assert found["run's measures"].startswith("test_auc is 0.970, the held-out rows give 0.9")


@pytest.mark.requirement("R14")
def test_no_constant_can_pass(rows):
    for constant in (0.0, 0.15, 1.0):
        found = refusals(honest(flag(rows.assign(predicted=constant), 0.5)))
        assert "average_precision less the rule's" in found, constant


@pytest.mark.requirement("R22")
def test_a_score_that_calls_nobody_high_risk_fails_though_it_is_95_percent_accurate():
    nobody = score_rows().assign(flagged=0)
    known = honest(nobody, SCORE)
    assert known.metrics["test_accuracy"] > 0.94
    found = refusals(known)
    assert found["finds somebody"] == "No test member with the event is flagged, however accurate that is."
    assert found["measures"] == "The run has no finite test_precision."


@pytest.mark.requirement("R22")
def test_a_score_that_finds_few_is_below_its_floors_though_accurate(rows):
    few = score_rows()
    known = honest(flag(few, few["predicted"].quantile(0.995)), SCORE)
    found = judge(known).verdict
    assert known.metrics["test_accuracy"] > 0.94
    assert any(reason.startswith("recall is") for reason in found.reasons)


@pytest.mark.requirement("R21")
def test_a_feature_that_knew_the_future_refuses_and_is_named(rows):
    found = refusals(honest(rows, leaks={"er_visit_count_12mo": 7, "age": 0, "total_paid_12mo": 1}))
    assert found == {
        "time travel": "Features hold what was not known at their month: er_visit_count_12mo, total_paid_12mo."
    }


@pytest.mark.requirement("R21")
def test_an_implausibly_good_model_refuses(rows):
    knows = flag(rows.assign(predicted=np.clip(rows["outcome"] * 0.9 + rows["risk"] * 0.05, 0, 1)), 0.5)
    assert "look for the label in the features" in refusals(honest(knows))["plausible auc"]


def test_a_model_that_is_no_better_than_the_rule_refuses(rows):
    assert refusals(honest(rows.assign(rule_predicted=rows["predicted"]))).keys() == {
        "average_precision less the rule's"
    }


@pytest.mark.requirement("R31")
@pytest.mark.parametrize("attribute", ["gender", "race", "ethnicity"])
def test_a_model_biased_against_a_group_refuses(rows, attribute):
    group = {"gender": "M", "race": "Black", "ethnicity": "Hispanic"}[attribute]
    lowered = np.where(rows[attribute] == group, rows["predicted"] * 0.5, rows["predicted"])
    found = refusals(honest(flag(rows.assign(predicted=lowered), 0.25)))
    assert {f"flagged by {attribute}", f"predicted to observed by {attribute}"} <= found.keys()
    assert f"{group} has 0." in found[f"flagged by {attribute}"]


@pytest.mark.requirement("R31")
@pytest.mark.parametrize(("attribute", "group"), [("age_group", "65+"), ("dual_eligible", True)])
def test_scores_lowered_for_those_in_need_refuse_too(rows, attribute, group):
    lowered = np.where(rows[attribute] == group, rows["predicted"] * 0.5, rows["predicted"])
    assert f"predicted to observed by {attribute}" in refusals(honest(flag(rows.assign(predicted=lowered), 0.25)))


def test_a_group_that_is_in_need_more_often_may_be_flagged_more_often(rows):
    old = rows["age_group"] == "65+"
    ill = rows.copy()
    ill["risk"] = np.where(old, np.minimum(ill["risk"] * 2, 0.95), ill["risk"])
    ill["outcome"] = (ill["draw"] < ill["risk"]).astype("float64")
    found = judge(honest(flag(ill.assign(is_event=ill["outcome"].astype(int), predicted=ill["risk"]), 0.25))).verdict
    assert found.outcome == "passed"
    flagged = next(c for c in found.criteria if c.name == "flagged by age_group")
    assert flagged.value > 1.25
    assert flagged.limit.startswith("reported")


@pytest.mark.requirement("R30", "R31")
@pytest.mark.parametrize("attribute", ["gender", "dual_eligible"])
def test_an_attribute_without_two_groups_to_compare_refuses(rows, attribute):
    found = refusals(honest(rows.assign(**{attribute: None})))
    assert all(reason.endswith("so fairness can't be computed.") for reason in found.values())
    assert f"predicted to observed by {attribute}" in found


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda r: r.drop(columns="race"), "The held-out rows have no column race."),
        (lambda r: r[r["part"] == "calibration"], "There are no held-out rows of the test part."),
        (lambda r: r[r["part"] == "test"], "There are no held-out rows of the calibration part."),
        (lambda r: r.iloc[:0], "There are no held-out rows of the calibration part."),
        (lambda r: r.assign(predicted=r["predicted"].where(r.index > 2)), "predicted is missing in 3 of 8000 held-out"),
        (lambda r: r.assign(predicted=2.0), "Outcomes are not 0 or 1, or predictions not between them."),
        (lambda r: r.assign(member_id="A"), "A test member is there more than once."),
    ],
)
def test_held_out_rows_that_can_not_be_used_refuse(rows, spoil, reason):
    known = Evidence(MODEL, True, honest(rows).metrics, spoil(rows))
    assert reason in refusals(known)["held-out rows"]


def test_what_could_not_be_read_refuses_by_name(rows):
    found = refusals(honest(rows, unreadable={"time travel": "could not be read (OSError)."}))
    assert found == {"time travel": "time travel: could not be read (OSError)."}


def test_a_stored_model_that_scores_otherwise_refuses(rows):
    assert refusals(honest(rows, changed_scores=3)).keys() == {"stored model"}


def test_a_model_without_stated_floors_refuses(rows):
    assert "measures" in refusals(honest(rows, "another_model"))


def test_rows_that_are_no_numbers_refuse_and_their_values_are_not_told(rows):
    found = judge(Evidence(MODEL, True, honest(rows).metrics, rows.assign(predicted="secret"))).verdict
    assert found.reasons == ("The held-out rows can't be read as numbers (ValueError).",)


def test_a_criterion_that_breaks_refuses_by_its_name(rows, monkeypatch):
    def breaks(*_):
        raise ZeroDivisionError("member M17")

    monkeypatch.setattr("claims_assets.models.governance.gate.fairness.pairs", breaks)
    assert refusals(honest(rows)) == {"fair": "fair: could not be computed (ZeroDivisionError)."}


def test_no_member_is_named_anywhere(rows):
    found = judge(honest(rows.assign(dual_eligible=None), leaks={"age": 1})).verdict
    text = found.as_markdown() + " ".join((*found.reasons, *found.notes))
    assert not any(m in text for m in rows["member_id"].head(50))
