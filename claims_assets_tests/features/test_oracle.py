"""Every feature of two months against an independent computation in another engine."""

import pytest

from claims_assets.contracts import compiled
from claims_assets.features.member_features import MemberFeatures
from claims_assets.features.outcomes import outcomes
from claims_assets_tests.features.made import made_features
from claims_assets_tests.features.oracle import expected

FROM_THE_MEMBER_MONTH = {
    "member_id", "claim_month", "age", "age_group", "gender", "race", "ethnicity", "zip_code", "county",
    "dual_eligible", "ltss_indicator", "smoker", "bmi", "high_risk_flag", "eligibility_years", "smoking_factor",
    "bmi_category", "actuarial_age_risk",
}  # fmt: skip
"""Columns that no claim decides; literal tests hold these."""
INDICES = {"charlson_index", "elixhauser_index"}
"""Of `gold.member_conditions`; `test_member_conditions.py` holds them."""
CHECKED = [n for n in compiled(MemberFeatures).columns if n not in FROM_THE_MEMBER_MONTH | INDICES]


def differences(found: dict, wanted: dict, columns) -> dict:
    """Column -> members where it differs."""
    wrong: dict[str, list] = {}
    for member, row in wanted.items():
        for name in columns:
            value = found[member][name]
            same = value == (pytest.approx(row[name], rel=1e-12) if isinstance(value, float) else row[name])
            if not same:
                wrong.setdefault(name, []).append((member, value, row[name]))
    return wrong


@pytest.fixture(scope="module")
def features_of_all_months(random_claims):
    """One run over all months, as a range run makes it."""
    rows = made_features(random_claims.versions, random_claims.members, random_claims.months).collect()
    found: dict[str, dict] = {}
    for row in rows:
        found.setdefault(row.claim_month, {})[row.member_id] = row.asDict()
    return found


@pytest.mark.parametrize("month", ["2023-05", "2024-06"])
def test_features_equal_an_independent_computation(random_claims, features_of_all_months, month):
    wanted = expected(random_claims.versions_table, random_claims.members_table, month)
    found = features_of_all_months[month]
    assert found.keys() == wanted.keys() and len(found) > 200
    assert differences(found, wanted, CHECKED) == {}
    flat = [n for n in CHECKED if len({str(row[n]) for row in wanted.values()}) < 2]
    assert flat == [], "a column that is the same for all members proves nothing"


@pytest.mark.parametrize(
    ("month", "run_out", "horizon"), [("2023-06", 3, "2023-09"), ("2023-06", 0, "2023-06"), ("2024-03", 3, "2024-06")]
)
def test_outcomes_equal_an_independent_computation(random_claims, month, run_out, horizon):
    wanted = expected(random_claims.versions_table, random_claims.members_table, month, horizon)
    made = outcomes(random_claims.versions, [month], members=random_claims.members, run_out=run_out)
    found = {row.member_id: row.asDict() for row in made.collect()}
    assert found.keys() == wanted.keys()
    for row in wanted.values():
        row |= {"medical_paid": float(row["total_paid_12mo"]), "rx_paid": float(row["total_rx_paid_12mo"])}
        row |= {"total_paid": float(row["total_paid_12mo"] + row["total_rx_paid_12mo"])}
        row |= {
            "er_visit_count": row["er_visit_count_12mo"],
            "inpatient_admit_count": row["inpatient_admit_count_12mo"],
        }
    assert differences(found, wanted, [n for n in made.columns if n not in ("member_id", "claim_month")]) == {}
