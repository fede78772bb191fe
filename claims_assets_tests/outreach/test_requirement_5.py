"""Nobody is forgotten: members of the list and of its exclusions are all enrolled members, healthy adults too."""

import pytest

from claims_assets.bronze.member_contacts import MemberContacts
from claims_assets.features.member_features import MemberFeatures
from claims_assets.outreach.immunization_master_outreach_list import immunization_master_outreach_list
from claims_assets.outreach.immunization_outreach_exclusions import immunization_outreach_exclusions
from claims_assets.predictions.member_risk_predictions import MemberRiskPredictions
from claims_assets.silver.immunizations import Immunizations
from claims_assets.silver.member_months import MemberMonths

MONTH = "2024-10"
HEALTHY = {"child": 8, "young adult": 22, "adult": 40, "adult above 50": 57, "senior": 66}
OTHERS = ("vaccinated", "refuses")


@pytest.fixture
def outreach(rows):
    """(rows of the list, rows of the exclusions) for healthy members of all ages and two who are not to be listed."""
    ages = HEALTHY | dict.fromkeys(OTHERS, 40)
    keys = [{"member_id": member, "claim_month": MONTH} for member in ages]
    flags = ("has_diabetes", "has_copd_asthma", "has_heart_failure")
    well = {
        "risk_tier": "Very Low",
        "chronic_condition_count": 0,
        "er_visit_count_12mo": 0,
        **dict.fromkeys(flags, False),
    }
    scores = dict.fromkeys(("high_risk_score", "er_utilization_risk_score", "high_cost_risk_score"), 0.0)
    months = rows(
        MemberMonths,
        *[k | {"age": age, "birth_date": f"{2024 - age}-01-15"} for k, age in zip(keys, ages.values(), strict=True)],
    )
    dose = {"member_id": "vaccinated", "vaccine": "influenza", "administered_date": "2024-10-02", "known_from": MONTH}
    contact = {"member_id": "refuses", "channel": "phone", "opt_out": True, "opt_out_date": "2024-01-01"}
    doses, contacts = rows(Immunizations, dose), rows(MemberContacts, contact)
    features = rows(MemberFeatures, *[k | well for k in keys])
    predictions = rows(MemberRiskPredictions, *[k | scores | {"predicted_total_cost": 0.0} for k in keys])
    listed = immunization_master_outreach_list(predictions, features, months, doses, contacts)
    excluded = immunization_outreach_exclusions(months, doses, contacts)
    return listed.collect(), excluded.collect()


@pytest.mark.requirement("R5")
def test_every_member_is_listed_or_excluded_with_a_reason(outreach):
    listed, excluded = outreach
    assert sorted(r.member_id for r in listed) == sorted(HEALTHY)
    assert {r.member_id: r.exclusion_reason for r in excluded} == {"vaccinated": "complete", "refuses": "opt_out"}
    assert sorted(r.outreach_rank for r in listed) == list(range(1, len(HEALTHY) + 1))


@pytest.mark.requirement("R5")
def test_vaccines_due_are_an_array_of_names(outreach):
    listed, _ = outreach
    assert {tuple(r.vaccines_due) for r in listed} == {("influenza",)}
