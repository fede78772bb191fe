"""Fraud scores through real tables: months alone or together, scores by claim id, rules, ranks, no model."""

import pandas as pd
import pytest

from claims_assets.contracts import compiled
from claims_assets.features.claim_fraud_features import ClaimFraudFeatures
from claims_assets.models.fraud_fitting import fit
from claims_assets.models.fraud_training import register
from claims_assets.predictions.claim_fraud_scores import ClaimFraudScores, claim_fraud_scores
from claims_assets.predictions.fraud_rules import FLAGS, SEVERITIES
from claims_assets.predictions.fraud_scores_catboost import fraud_scores_catboost
from claims_assets.predictions.fraud_scores_xgboost import FraudScoresXgboost, fraud_scores_xgboost
from claims_assets.predictions.fraud_scoring import FraudTask, score
from claims_assets_tests.models.claims import usual_claims

MONTHS = ["2025-04", "2025-05", "2025-06"]
A_MONTH = 60
ODD = "N000007"


@pytest.fixture(scope="module")
def fitted():
    return fit(usual_claims(1_000), "xgboost", seed=42)


@pytest.fixture
def registered(tracking, fitted):
    """The detector as of 2025-06, registered by its features."""
    tags = {"as_of_month": "2025-06", "training_data": "t", "parameters": "p"}
    register(fitted, "xgboost", "2025-06", tracking, {}, tags, "by hand")
    return tracking


@pytest.fixture(scope="module")
def claims() -> pd.DataFrame:
    """Claims that no training has seen, in three months; one bills far too many units."""
    frame = usual_claims(A_MONTH * len(MONTHS), seed=77)
    frame["claim_id"] = [f"N{i:06d}" for i in range(len(frame))]
    frame["claim_month"] = [MONTHS[i % 3] for i in range(len(frame))]
    odd = frame["claim_id"] == ODD
    frame.loc[odd, ["service_units", "units_per_day"]] = 900.0
    return frame


@pytest.fixture
def features(spark, claims):
    """`features(frame)`: the table's columns, as a frame of the engine."""

    def build(frame=claims):
        from pyspark.sql import functions as F

        kinds = compiled(ClaimFraudFeatures).columns
        plain = {"member_id": "M1", "provider_id": "P1", "service_from_date": "2025-06-03", "claim_status": "PAID"}
        whole = frame.assign(**{n: v for n, v in plain.items() if n not in frame})
        names = [n for n in kinds if n in whole]
        texts = whole[names].astype(object).where(whole[names].notna(), None)
        rows = [tuple(None if v is None else str(v) for v in row) for row in texts.itertuples(index=False)]
        made = spark.createDataFrame(rows, ", ".join(f"{n} string" for n in names))
        read = {n: F.col(n).cast("double") if _is_number(kinds[n]) else F.col(n) for n in names}
        cast = [column.cast(kinds[n]).alias(n) for n, column in read.items()]
        return made.select(*cast).withColumn("impossible_combinations", F.array().cast("array<string>"))

    return build


def _is_number(kind) -> bool:
    return kind.simpleString() in ("int", "bigint", "double", "boolean")


def by_claim(frame) -> dict[str, dict]:
    return {r.claim_id: r.asDict() for r in frame.collect()}


def whole_table(features, tracking, months, frame=None):
    given = features() if frame is None else features(frame)
    asked = given.where(given["claim_month"].isin(months))
    return by_claim(
        claim_fraud_scores(
            asked, fraud_scores_xgboost(asked, tracking, months), fraud_scores_catboost(asked, tracking, months)
        )
    )


@pytest.mark.requirement("R27")
def test_the_scores_of_a_month_are_the_same_alone_and_with_others(features, lake, spark, registered):
    def written(months, name):
        frame = features()
        frame = frame.where(frame["claim_month"].isin(months))
        lake.write(fraud_scores_xgboost(frame, registered, months), "gold", name, FraudScoresXgboost, months)
        found = lake.read(spark, "gold", name).toPandas().sort_values("claim_id", ignore_index=True)
        return found

    together = written(MONTHS, "together")
    assert len(together) == A_MONTH * len(MONTHS)
    for month in MONTHS:
        alone = written([month], f"alone_{month[-2:]}")
        of_month = together[together["claim_month"] == month].reset_index(drop=True)
        pd.testing.assert_frame_equal(alone, of_month)


@pytest.mark.requirement("R32")
def test_scores_meet_claims_by_id_and_never_by_position(features, registered, claims):
    usual = whole_table(features, registered, MONTHS)
    turned = whole_table(features, registered, MONTHS, claims.iloc[::-1])
    assert usual == turned
    odd = usual[ODD]
    assert odd["is_flagged"]
    assert "service_units" in odd["top_features"]
    assert odd["algorithm"] == "xgboost"
    assert odd["ensemble_rank"] == 1
    assert odd["ensemble_score"] == odd["fraud_score"]


@pytest.mark.requirement("R32")
def test_the_columns_of_a_batch_may_come_in_any_order(features, fitted):
    task = FraudTask(tuple(MONTHS), 1, "2025-06", fitted.artifact.to_bytes())
    frame = features()
    turned = frame.select(*reversed(frame.columns))
    assert by_claim(score(frame, [task])) == by_claim(score(turned, [task]))


def test_every_claim_keeps_the_contract_and_has_a_rank(features, lake, registered):
    asked = features()
    frame = claim_fraud_scores(
        asked, fraud_scores_xgboost(asked, registered, MONTHS), fraud_scores_catboost(asked, registered, MONTHS)
    )
    found = lake.write(frame, "gold", "claim_fraud_scores", ClaimFraudScores, MONTHS)
    assert (found.rows_kept, found.rows_quarantined, found.failed) == (A_MONTH * len(MONTHS), 0, {})
    ranks = whole_table(features, registered, MONTHS)
    for month in MONTHS:
        assert sorted(r["ensemble_rank"] for r in ranks.values() if r["claim_month"] == month) == list(
            range(1, A_MONTH + 1)
        )
    assert all((r["top_reasons"] is not None) == r["is_flagged"] for r in ranks.values())


def test_without_a_model_the_rules_stand_alone(features, tracking, claims):
    some = claims.assign(claim_amount=[120_000.0, *[60_000.0] * 2, *[100.0] * (len(claims) - 3)], claims_week=3)
    found = whole_table(features, tracking, MONTHS, some)
    assert len(found) == len(claims)
    first = found["N000000"]
    assert (first["fraud_score"], first["ensemble_score"], first["is_flagged"]) == (None, None, False)
    assert first["rule_flags"][:1] == ["amount_high"]
    assert found["N000001"]["rule_flags"][:1] == ["amount_medium"]


@pytest.mark.parametrize(
    ("change", "flags"),
    [
        ({}, []),
        ({"claim_amount": 100_000.0}, ["amount_high"]),
        ({"claim_amount": 99_999.99}, ["amount_medium"]),
        ({"claim_amount": 49_999.99}, []),
        ({"claims_month": 5, "claims_week": 2}, []),
        ({"claims_month": 6, "claims_week": 3}, ["claims_per_month", "claims_per_week"]),
        ({"patient_age": 1}, ["patient_age"]),
        ({"patient_age": 2}, []),
        ({"patient_age": 100}, ["patient_age"]),
        ({"patient_age": None}, []),
        ({"provider_experience_years": 0.99}, ["provider_experience"]),
        ({"provider_experience_years": None}, []),
        ({"impossible_count": 1}, ["impossible_combination"]),
        ({"claim_amount": 2e5, "claims_month": 9, "patient_age": 0, "provider_experience_years": 0.0},
         ["amount_high", "claims_per_month", "patient_age", "provider_experience"]),
    ],
)  # fmt: skip
def test_the_rules_are_those_of_the_source(features, tracking, claims, change, flags):
    quiet = {
        "claim_amount": 100.0, "claims_month": 1, "claims_week": 1, "patient_age": 40, "impossible_count": 0,
        "provider_experience_years": 5.0, "num_previous_claims": 9,
    }  # fmt: skip
    one = claims.head(1).assign(**{n: pd.array([v], dtype=object) for n, v in (quiet | change).items()})
    (row,) = whole_table(features, tracking, MONTHS, one).values()
    assert (row["rule_flags"], row["rule_count"]) == (flags, len(flags))
    assert set(flags) <= set(FLAGS)
    assert row["rule_severity"] == SEVERITIES[0 if not flags else 1 if len(flags) < 2 else 2 if len(flags) < 4 else 3]
    assert not row["is_rapid_alert"]


def test_ten_earlier_claims_are_a_rapid_alert(features, tracking, claims):
    found = whole_table(features, tracking, MONTHS, claims.head(2).assign(num_previous_claims=[9, 10]))
    assert [r["is_rapid_alert"] for r in found.values()].count(True) == 1
