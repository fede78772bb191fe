"""Fraud detectors: held-out errors, stored words, free of units, and what they say of a planted claim."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from claims_assets.models import fraud_fitting, fraud_inputs
from claims_assets.models.fraud_artifact import TOP, UNSEEN, FraudArtifact, encode, folds_of, top_sum
from claims_assets.models.fraud_fitting import FLAGGED_FROM, FittedDetector, fit
from claims_assets.models.fraud_inputs import AMOUNTS, COUNTED, MODELLED, PEERS, Leak, inputs_of, refuse_leaks
from claims_assets.models.windows import NotTrainable
from claims_assets_tests.models.claims import usual_claims

CLAIMS = 1_500


@pytest.fixture(scope="module")
def claims() -> pd.DataFrame:
    return usual_claims(CLAIMS)


@pytest.fixture(scope="module")
def fitted(claims: pd.DataFrame) -> FittedDetector:
    return fit(claims, "xgboost", seed=42)


@pytest.fixture(scope="module")
def detector(fitted: FittedDetector) -> FraudArtifact:
    return fitted.artifact


def fresh(count: int = 300) -> pd.DataFrame:
    """Claims that no training has seen."""
    return usual_claims(count, seed=77).assign(claim_id=[f"N{i:06d}" for i in range(count)])


def planted(**values) -> pd.DataFrame:
    """A usual home visit that says something else."""
    frame = fresh()
    return frame[frame["procedure_code"] == "T1019"].head(1).assign(**values).reset_index(drop=True)


def test_every_feature_of_the_source_has_a_model(detector: FraudArtifact):
    numeric = {
        "claim_amount", "patient_age", "provider_experience_years", "days_since_last_claim", "num_previous_claims",
        "average_claim_amount", "claim_duration_days",
    }  # fmt: skip
    words = {
        "claim_type", "provider_specialty", "diagnosis_code", "procedure_code", "patient_gender", "geographic_region",
    }  # fmt: skip
    assert numeric | words <= set(detector.trees) == set(MODELLED)
    assert set(detector.counted) == set(COUNTED)


@pytest.mark.requirement("R26")
@pytest.mark.parametrize("factor", [100.0, 0.001])
def test_the_unit_of_an_amount_changes_no_score(claims: pd.DataFrame, detector: FraudArtifact, factor: float):
    in_cents = claims.assign(**{n: claims[n] * factor for n in AMOUNTS})
    other = fit(in_cents, "xgboost", seed=42).artifact
    new = fresh()
    here = detector.score(new)["fraud_score"]
    there = other.score(new.assign(**{n: new[n] * factor for n in AMOUNTS}))["fraud_score"]
    rank: float = spearmanr(here, there).statistic  # pyright: ignore[reportAttributeAccessIssue]
    assert rank > 0.999
    assert set(here.nlargest(10).index) == set(there.nlargest(10).index)


@pytest.mark.requirement("R26")
def test_a_dear_claim_is_no_outlier_by_its_dollars(detector: FraudArtifact):
    """Dearer by far than any other claim counts no more than the rarest error that the sample can show."""
    dear = detector.score(planted(claim_amount=1e9, allowed_amount=5e8))["feature_errors"][0]
    assert max(dear) <= np.log10(CLAIMS + 1) + fraud_fitting.MOST_BEYOND + 1e-3


@pytest.mark.requirement("R27")
def test_a_value_scores_the_same_in_any_batch(detector: FraudArtifact):
    new = fresh()
    whole = detector.score(new)
    alone = pd.concat([detector.score(new.iloc[[i]].reset_index(drop=True)) for i in range(0, 60)], ignore_index=True)
    turned = detector.score(new.iloc[::-1].reset_index(drop=True)).iloc[::-1].reset_index(drop=True)
    pd.testing.assert_frame_equal(whole.head(60), alone)
    pd.testing.assert_frame_equal(whole, turned)


@pytest.mark.requirement("R27")
def test_an_unseen_word_has_a_place_of_its_own(detector: FraudArtifact):
    frame = planted(procedure_code="0001U", diagnosis_code=None)
    found = encode(frame, detector.facts)
    assert found.value("procedure_code")[0] == UNSEEN
    assert found.classes["procedure_code"][0] == detector.facts["others"]["procedure_code"]
    assert UNSEEN not in {code for words in detector.facts["words"].values() for code, _ in words.values()}
    score = detector.score(frame)
    assert score["is_flagged"][0]
    assert any(r.startswith("procedure_code = 0001U, expected T1019") for r in score["top_reasons"][0])


@pytest.mark.requirement("R28")
def test_no_claim_is_scored_by_a_model_that_saw_it(claims: pd.DataFrame, detector: FraudArtifact):
    """Changing a claim leaves the trees that score it as they were, bit for bit; the other fold's trees change."""
    folds = folds_of(claims["claim_id"], 2)
    changed = claims.copy()
    rows = np.flatnonzero(folds == 0)
    changed.loc[rows, "service_units"] = changed.loc[rows, "service_units"] + 1
    other = fit(changed, "xgboost", seed=42).artifact
    assert other.trees["service_units"][0] == detector.trees["service_units"][0]
    assert other.trees["service_units"][1] != detector.trees["service_units"][1]


@pytest.mark.requirement("R28")
def test_the_threshold_comes_from_held_out_scores(claims: pd.DataFrame, fitted: FittedDetector):
    detector = fitted.artifact
    scores = detector.score(claims)["fraud_score"]
    assert detector.facts["threshold"] == pytest.approx(np.quantile(scores, FLAGGED_FROM), abs=0.01)
    assert fitted.metrics["mean_fraud_score"] == pytest.approx(scores.mean(), abs=0.01)
    assert fitted.metrics["p99_fraud_score"] == pytest.approx(np.quantile(scores, 0.99), abs=0.01)
    unseen = detector.score(fresh(600))
    assert 0.02 < unseen["is_flagged"].mean() < 0.10, "a model that scores what it saw flags far more of what is new"
    assert unseen["fraud_percentile"].between(0, 1).all()


@pytest.mark.parametrize(
    ("change", "feature"),
    [
        ({"service_units": 900.0, "units_per_day": 900.0}, "service_units"),
        ({"claim_amount": 90_000.0}, "claim_amount"),
        ({"provider_specialty": "Laboratory"}, "provider_specialty"),
        ({"line_count": 9}, "line_count"),
    ],
)
def test_the_reasons_name_what_was_planted(detector: FraudArtifact, change, feature):
    found = detector.score(planted(**change))
    assert found["is_flagged"][0]
    assert feature in found["top_features"][0]
    assert len(found["top_reasons"][0]) <= TOP
    assert any(r.startswith(f"{feature} = ") and "expected" in r for r in found["top_reasons"][0])


def test_only_an_excess_of_an_amount_is_an_error(detector: FraudArtifact):
    cheap, dear = (detector.score(planted(claim_amount=a))["feature_errors"][0] for a in (1.0, 90_000.0))
    amount = detector.counted.index("claim_amount")
    assert cheap[amount] < 0.1 < 2 < dear[amount]


@pytest.mark.parametrize("feature", MODELLED)
def test_no_feature_is_among_its_own_inputs(detector: FraudArtifact, feature: str):
    assert feature not in inputs_of(feature)
    if feature in ("claim_amount", "claim_type", "procedure_code"):
        assert PEERS not in inputs_of(feature)
    refuse_leaks(feature, inputs_of(feature))
    with pytest.raises(Leak, match=f"The model of {feature} is given"):
        refuse_leaks(feature, [*inputs_of(feature), feature])


def test_a_detector_with_a_feature_among_its_own_inputs_is_refused(detector: FraudArtifact):
    facts = detector.facts | {"features": {**detector.facts["features"]}}
    units = facts["features"]["service_units"]
    facts["features"]["service_units"] = units | {"inputs": [*units["inputs"], "service_units"]}
    with pytest.raises(ValueError, match="service_units has service_units among its inputs"):
        FraudArtifact(facts, detector.trees)


def test_a_planted_leak_stops_the_fit(claims: pd.DataFrame, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(fraud_fitting, "inputs_of", lambda name, columns: list(columns))
    with pytest.raises(Leak, match="The model of claim_amount is given"):
        fit(claims, "xgboost", seed=42)


def test_a_copy_under_another_name_stops_the_fit(claims: pd.DataFrame):
    copied = claims.assign(average_claim_amount=claims["claim_amount"])
    with pytest.raises(Leak, match="average_claim_amount is claim_amount under another name"):
        fit(copied, "xgboost", seed=42)


def test_the_same_claims_give_the_same_bytes_in_any_order(claims: pd.DataFrame, detector: FraudArtifact):
    assert fit(claims, "xgboost", seed=42).artifact.to_bytes() == detector.to_bytes()
    again = FraudArtifact.from_bytes(detector.to_bytes())
    pd.testing.assert_frame_equal(again.score(fresh()), detector.score(fresh()))


def test_parts_make_the_whole_again(detector: FraudArtifact):
    first, *others = [detector.part(name) for name in detector.trees]
    assert first.joined(others).to_bytes() == detector.to_bytes()


def test_too_few_claims_are_no_training(claims: pd.DataFrame):
    with pytest.raises(NotTrainable, match="10 claims are too few"):
        fit(claims.head(10), "xgboost", seed=42)


def test_a_lacking_column_is_named(detector: FraudArtifact):
    with pytest.raises(ValueError, match="lacks claim_amount"):
        detector.score(fresh().drop(columns="claim_amount"))


def test_the_score_adds_up_the_rarest_errors(detector: FraudArtifact):
    found = detector.score(fresh())
    errors = np.vstack(found["feature_errors"].to_list())
    np.testing.assert_allclose(top_sum(errors), found["fraud_score"], atol=2e-4)
    assert errors.shape[1] == len(detector.counted)


def test_a_family_never_predicts_itself():
    for family in fraud_inputs._FAMILIES:
        for name in family:
            assert not set(family) & set(inputs_of(name))


def test_catboost_is_behind_the_same_interface(claims: pd.DataFrame):
    pytest.importorskip("catboost", reason="an extra: pip install 'claims-assets[catboost]'")
    detector = fit(claims, "catboost", seed=42).artifact
    new = fresh()
    pd.testing.assert_frame_equal(
        detector.score(new).head(20), detector.score(new.head(20)), check_exact=False, rtol=1e-6
    )
    found = detector.score(planted(service_units=900.0, units_per_day=900.0))
    assert "service_units" in found["top_features"][0]
