"""Which version scores which month, and what the scores are."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claims_assets.contracts import compiled
from claims_assets.features.member_features import MemberFeatures
from claims_assets.features.scores import HIGHEST_COMPOSITE
from claims_assets.models.er_utilization_predictor import ER_UTILIZATION
from claims_assets.models.health_risk_score import HEALTH_RISK
from claims_assets.models.risk_artifact import RiskArtifact
from claims_assets.models.total_cost_predictor import TOTAL_COST
from claims_assets.partitions import months_between
from claims_assets.predictions.scoring import (
    CANDIDATE,
    CHAMPION,
    MODEL_STATUSES,
    MODELS,
    RULE,
    UnknownInputs,
    choose,
    score,
    scorers_for,
    target_of,
)
from claims_assets.runtime.model_versions import ModelVersion
from claims_assets_tests.predictions.conftest import (
    MEMBERS,
    NAMES,
    artifact_of,
    crown,
    crown_all,
    register,
    scorer,
)

MONTHS = ["2025-01", "2025-06", "2025-07"]
CLASSIFIERS = [m for m in MODELS if m.is_classifier]


def version(number, as_of, gate="", *reigns):
    return ModelVersion("m", number, as_of, "data", None, gate=gate, reigns=reigns)


FIRST = version(1, "2024-06", "passed", ("2024-06", "2024-12"), ("2025-03", ""))
SECOND = version(2, "2024-12", "passed", ("2024-12", "2025-03"))
BELOW = version(3, "2024-03", "below_floor")
BELOW_TOO = version(4, "2024-09", "below_floor")
REFUSED, UNJUDGED, KEPT = version(5, "2024-01", "refused"), version(6, "2024-01"), version(7, "2024-01", "passed")
NAMELESS = version(8, "", "passed", ("2024-01", ""))
ALL = [FIRST, SECOND, BELOW, BELOW_TOO, REFUSED, UNJUDGED, KEPT, NAMELESS]


@pytest.mark.parametrize(
    ("month", "chosen"),
    [
        ("2024-02", None),
        ("2024-03", (BELOW, CANDIDATE)),
        ("2024-05", (BELOW, CANDIDATE)),
        ("2024-06", (FIRST, CHAMPION)),
        ("2024-11", (FIRST, CHAMPION)),
        ("2024-12", (SECOND, CHAMPION)),
        ("2025-02", (SECOND, CHAMPION)),
        ("2025-03", (FIRST, CHAMPION)),
        ("2030-01", (FIRST, CHAMPION)),
    ],
)
def test_the_champion_of_the_time_scores_else_a_candidate_else_the_rule_also_after_a_rollback(month, chosen):
    assert choose(ALL, month) == chosen


def test_without_a_champion_the_newest_candidate_of_the_past_scores():
    assert choose([BELOW, BELOW_TOO], "2024-08") == (BELOW, CANDIDATE)
    assert choose([BELOW_TOO, BELOW], "2024-09") == (BELOW_TOO, CANDIDATE)


@pytest.mark.parametrize("never", [REFUSED, UNJUDGED, KEPT, NAMELESS], ids=["refused", "unjudged", "kept", "nameless"])
def test_what_was_refused_not_judged_or_never_promoted_scores_nothing(never):
    assert choose([never], "2025-01") is None


@pytest.mark.parametrize("gate", ["refused", "below_floor", ""])
def test_an_alias_that_somebody_set_by_hand_makes_no_champion(gate):
    found = choose([version(1, "2024-01", gate, ("2024-01", ""))], "2025-01")
    assert (found[1] if found else None) == (CANDIDATE if gate == "below_floor" else None)


month_of_2024 = st.sampled_from(months_between("2024-01", "2025-12"))
gates = st.sampled_from(["passed", "below_floor", "refused", ""])


@pytest.mark.requirement("R1")
@settings(max_examples=200)
@given(st.lists(st.tuples(month_of_2024, gates, month_of_2024), max_size=6), month_of_2024)
def test_no_month_is_scored_by_a_version_that_saw_its_future_whatever_the_registry_says(made, month):
    versions = [version(i, as_of, gate, (since, "")) for i, (as_of, gate, since) in enumerate(made)]
    found = choose(versions, month)
    assert found is None or found[0].as_of_month <= month
    assert found is None or found[0].gate in ("passed", "below_floor")


@pytest.mark.requirement("R12")
@settings(max_examples=200)
@given(st.lists(st.tuples(month_of_2024, gates), max_size=6, unique_by=lambda x: x[0]), month_of_2024)
def test_what_is_trained_and_promoted_later_changes_no_earlier_month(made, month):
    champions = sorted(as_of for as_of, gate in made if gate == "passed")
    until = dict(zip(champions, [*champions[1:], ""], strict=False))

    def history(last):
        """The registry as it stood at the end of a month."""
        known = [(a, g) for a, g in sorted(made) if a <= last]
        return [
            version(i, a, g, (a, until[a] if until[a] <= last else "")) if g == "passed" else version(i, a, g)
            for i, (a, g) in enumerate(known)
        ]

    then, now = choose(history(month), month), choose(history("2025-12"), month)
    assert (then and (then[0].as_of_month, then[1])) == (now and (now[0].as_of_month, now[1]))


def scored(frame, scorers, months):
    found = score(frame, scorers, months).toPandas()
    return found.sort_values(["claim_month", "member_id"], ignore_index=True)


def raw(frame):
    return frame.toPandas().sort_values(["claim_month", "member_id"], ignore_index=True)


def of_all(*months, seed=3):
    return {m.name: dict.fromkeys(months, scorer(artifact_of(m, seed))) for m in MODELS}


def test_without_versions_the_rule_scores_and_says_so(features):
    found, history = scored(features("2025-01"), {}, ["2025-01"]), raw(features("2025-01"))
    assert len(found) == MEMBERS
    assert set(found["model_status"]) == {RULE}
    visits = history["er_visit_count_12mo"].astype("float64")
    assert found["er_utilization_risk_score"].to_numpy() == pytest.approx((visits / (visits + 3)).round(6).to_numpy())
    assert (found["er_utilization_prediction"] == (visits >= 3).astype(int)).all()
    cost = history["total_paid_12mo"].astype("float64") + history["total_rx_paid_12mo"].astype("float64")
    assert found["predicted_total_cost"].to_numpy() == pytest.approx(cost.round(2).to_numpy())
    points = history["composite_risk_score"] * 100 / HIGHEST_COMPOSITE
    assert found["health_risk_score"].to_numpy() == pytest.approx(points.round(2).to_numpy())
    empty = [m.version_column for m in MODELS]
    empty += [
        n for m in MODELS for n, kind in target_of(m).types.items() if n.endswith(("_lower", "_upper", "_reasons"))
    ]
    assert len(empty) == 5 + 4 + 3
    assert found[empty].isna().all().all()


@pytest.mark.requirement("R2")
def test_the_table_says_what_the_artifact_says_of_the_raw_rows(features):
    """R2: the same bits, with words, decimals, flags that nobody reported, and amounts that are missing."""
    frame = features("2025-07")
    found, rows = scored(frame, of_all("2025-07"), ["2025-07"]), raw(frame)
    assert rows[["dual_eligible", "bmi_category", "bmi"]].isna().any().all()
    for model in MODELS:
        artifact, target = artifact_of(model, seed=3), target_of(model)
        expected = artifact.predict(rows)
        assert found[model.column].to_numpy().tobytes() == expected.tobytes()
        assert len(set(expected)) > 3
        if target.interval:
            lower, upper = artifact.interval(expected)
            assert (found[target.interval[0]].tolist(), found[target.interval[1]].tolist()) == (
                lower.tolist(),
                upper.tolist(),
            )
        if target.prediction:
            assert found[target.prediction].tolist() == artifact.decide(expected).tolist()


def test_flagged_members_get_reasons_that_name_inputs_and_others_get_none(features):
    frame = features("2025-07")
    found, rows = scored(frame, of_all("2025-07"), ["2025-07"]), raw(frame)
    told = 0
    for model in CLASSIFIERS:
        target = target_of(model)
        flagged = (found[target.prediction] == 1).to_numpy()
        assert found.loc[~flagged, target.reasons].isna().all()
        said = [list(why) for why in found.loc[flagged, target.reasons]]
        assert said == artifact_of(model, seed=3).reasons(rows[flagged])
        assert {sentence.split(" = ")[0] for why in said for sentence in why} <= set(model.inputs)
        told += len(said)
    assert 0 < told < len(CLASSIFIERS) * MEMBERS


@pytest.mark.requirement("R2", "R27")
def test_scoring_one_member_alone_gives_what_it_gets_among_all(features):
    """R2"""
    scorers, frame = of_all("2025-07"), features("2025-07")
    together = scored(frame, scorers, ["2025-07"]).set_index("member_id")
    alone = scored(frame.where("member_id = 'M007'"), scorers, ["2025-07"]).set_index("member_id")
    pd.testing.assert_frame_equal(alone, together.loc[["M007"]], check_exact=True)


@pytest.mark.requirement("R32")
def test_a_month_alone_is_scored_as_among_many_in_any_order_of_rows(features):
    scorers = of_all("2025-06", "2025-07")
    together = scored(features(*reversed(MONTHS)).orderBy("er_visit_count_12mo", "member_id"), scorers, MONTHS)
    for month in MONTHS:
        alone = scored(features(month), scorers, [month])
        among = together[together["claim_month"] == month].reset_index(drop=True)
        pd.testing.assert_frame_equal(alone, among, check_exact=True, check_dtype=False)


def test_each_month_is_scored_by_its_own_version(features):
    first, second = (scorer(artifact_of(ER_UTILIZATION, n, t), n) for n, t in ((1, 0.2), (2, 0.6)))
    found = scored(features(*MONTHS), {ER_UTILIZATION.name: {"2025-06": first, "2025-07": second}}, MONTHS)
    by_month = dict(iter(found.groupby("claim_month")))
    versions = {m: g["er_utilization_model_version"].iloc[0] for m, g in by_month.items()}
    assert [None if pd.isna(versions[m]) else int(versions[m]) for m in MONTHS] == [None, 1, 2]
    scores = {m: g["er_utilization_risk_score"].tolist() for m, g in by_month.items()}
    assert scores["2025-06"] != scores["2025-07"]
    for month, threshold in (("2025-01", 0.5), ("2025-06", 0.2), ("2025-07", 0.6)):
        rows = by_month[month]
        assert ((rows["er_utilization_risk_score"] >= threshold) == (rows["er_utilization_prediction"] == 1)).all()


def test_the_status_of_a_row_is_the_least_of_its_five(features):
    scorers = of_all("2025-06", "2025-07")
    scorers[TOTAL_COST.name]["2025-07"] = scorer(artifact_of(TOTAL_COST), 2, CANDIDATE)
    scorers[HEALTH_RISK.name].pop("2025-06")
    found = scored(features(*MONTHS), scorers, MONTHS).groupby("claim_month")["model_status"].unique()
    assert {m: list(found[m]) for m in MONTHS} == {"2025-01": [RULE], "2025-06": [RULE], "2025-07": [CANDIDATE]}
    assert set(MODEL_STATUSES) == {CHAMPION, CANDIDATE, RULE}


def test_a_version_that_knows_no_interval_leaves_the_ends_empty_and_not_nan(features):
    artifact = artifact_of(TOTAL_COST)
    known = scorer(RiskArtifact(artifact.booster, artifact.facts | {"intervals": None}))
    found = score(features("2025-07"), {TOTAL_COST.name: {"2025-07": known}}, ["2025-07"])
    assert found.where("predicted_total_cost_lower is null and predicted_total_cost_upper is null").count() == MEMBERS


def test_a_month_without_members_is_scored_to_nothing(features):
    nobody = features("2025-07").where("member_id = 'nobody'")
    assert score(nobody, of_all("2025-07"), ["2025-07"]).count() == 0
    assert score(nobody, {}, ["2025-07"]).count() == 0


def test_a_member_of_whom_nothing_is_known_is_scored_all_the_same(spark, rows):
    known = {"member_id": "M1", "claim_month": "2025-07", "risk_tier": "Low"}
    found = scored(rows(MemberFeatures, known), of_all("2025-07"), ["2025-07"])
    assert found[[m.column for m in MODELS]].notna().all().all()
    assert found["is_older_smoker"].tolist() == [False]


def test_the_registry_tells_who_scores_and_every_version_is_loaded_once(tracking):
    crown_all(tracking, "2025-06")
    crown(tracking, ER_UTILIZATION, "2025-07", seed=2)
    register(tracking, TOTAL_COST, "2025-01", gate="below_floor")
    found = scorers_for(tracking, MONTHS, NAMES)
    told = {name: {m: (s.version, s.status) for m, s in of_model.items()} for name, of_model in found.items()}
    assert told[ER_UTILIZATION.name] == {"2025-06": (1, CHAMPION), "2025-07": (2, CHAMPION)}
    assert told[TOTAL_COST.name] == {"2025-01": (2, CANDIDATE), "2025-06": (1, CHAMPION), "2025-07": (1, CHAMPION)}
    assert found[TOTAL_COST.name]["2025-06"] is found[TOTAL_COST.name]["2025-07"]
    assert found[ER_UTILIZATION.name]["2025-07"].artifact == artifact_of(ER_UTILIZATION, seed=2).to_bytes()


def test_a_version_with_inputs_that_nobody_makes_is_refused(tracking):
    crown(tracking, ER_UTILIZATION, "2025-01")
    known = [n for n in compiled(MemberFeatures).columns if n != "age"]
    with pytest.raises(UnknownInputs, match="er_utilization_predictor version 1 needs age, which"):
        scorers_for(tracking, ["2025-06"], known)
