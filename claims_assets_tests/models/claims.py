"""Invented claims with simple relations, for tests of fraud detectors: amount follows procedure and units."""

import numpy as np
import pandas as pd

PRICES = {"99213": 80.0, "99214": 120.0, "80053": 15.0, "T1019": 6.0}
SPECIALTIES = {"99213": "Family Medicine", "99214": "Cardiology", "80053": "Laboratory", "T1019": "Home Health"}
DIAGNOSES = {"99213": "J069", "99214": "I10", "80053": "E119", "T1019": "G309"}
PLACES = {"99213": "11", "99214": "11", "80053": "22", "T1019": "12"}


def usual_claims(count: int, seed: int = 5) -> pd.DataFrame:
    """Columns of `gold.claim_fraud_features` that a detector reads, and the keys; ordered by claim id."""
    rng = np.random.default_rng(seed)
    procedure = np.array(list(PRICES))[rng.integers(0, len(PRICES), count)]
    units = np.where(procedure == "T1019", rng.integers(4, 40, count), 1)
    amount = np.array([PRICES[p] for p in procedure]) * units * np.exp(rng.normal(0, 0.1, count))
    history = rng.integers(0, 30, count)
    frame = pd.DataFrame({"claim_id": [f"C{i:06d}" for i in range(count)], "claim_month": "2025-06"})
    return frame.assign(
        patient_gender=np.where(rng.random(count) < 0.5, "F", "M"),
        provider_specialty=[SPECIALTIES[p] for p in procedure],
        diagnosis_code=[DIAGNOSES[p] for p in procedure],
        procedure_code=procedure,
        place_of_service=[PLACES[p] for p in procedure],
        claim_type=np.where(procedure == "80053", "OP", "PROF"),
        geographic_region=np.array(["SUFFOLK", "ESSEX"])[rng.integers(0, 2, count)],
        claim_amount=np.round(amount * 2, 2),
        allowed_amount=np.round(amount, 2),
        average_claim_amount=np.round(150 * np.exp(rng.normal(0, 0.3, count)), 2),
        patient_age=rng.integers(1, 90, count),
        provider_experience_years=np.round(rng.uniform(0, 20, count), 2),
        days_since_last_claim=rng.integers(1, 200, count).astype(float),
        num_previous_claims=history,
        claim_duration_days=1 + (rng.random(count) < 0.1),
        line_count=1 + (rng.random(count) < 0.3),
        service_units=units.astype(float),
        units_per_day=units.astype(float),
        distinct_procedures=1 + (rng.random(count) < 0.2),
        repeated_lines=(rng.random(count) < 0.02).astype(int),
        separate_lines=(rng.random(count) < 0.05).astype(int),
        claims_same_day=1,
        claims_week=1 + (rng.random(count) < 0.2),
        claims_month=1 + rng.integers(0, 3, count),
        previous_claims_with_provider=np.minimum(history, rng.integers(0, 10, count)),
        provider_claims_same_day=rng.integers(1, 6, count),
        is_provider_of_region=(rng.random(count) < 0.8).astype(float),
        impossible_count=(rng.random(count) < 0.01).astype(int),
    )
