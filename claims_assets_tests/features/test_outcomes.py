"""Labels: everything that was known some months after the period, and nothing that became known later."""

from claims_assets.features.outcomes import outcomes
from claims_assets.silver.claim_versions import ClaimVersions
from claims_assets_tests.features.conftest import fill, line


def of(rows, members, *lines, months=("2024-06",), run_out=3, **given):
    people = members(sorted({x["member_id"] for x in lines}), months, **given)
    found = outcomes(rows(ClaimVersions, *lines), list(months), members=people, run_out=run_out)
    return {(r.member_id, r.claim_month): r for r in found.collect()}


def test_run_out_lets_late_lines_and_late_voids_count_for_some_months_only(rows, members):
    lines = [
        line("late", "2024-06-03", known_from="2024-09"),
        line("too late", "2024-06-03", known_from="2024-10"),
        line("cancelled in run-out", "2024-06-03", cancelled_on="2024-09"),
        line("cancelled after it", "2024-06-03", cancelled_on="2024-10"),
        line("cancelled before known", "2024-06-03", known_from="2024-08", cancelled_on="2024-08"),
        line("served after the period", "2024-07-01"),
        line("served before the period", "2023-06-30"),
        line("first month", "2023-07-01"),
    ]
    counted = {m for (m, _), r in of(rows, members, *lines).items() if r.total_paid}
    assert counted == {"late", "cancelled after it", "first month"}
    counted = {m for (m, _), r in of(rows, members, *lines, run_out=0).items() if r.total_paid}
    assert counted == {"cancelled in run-out", "cancelled after it", "first month"}


def test_outcomes_are_costs_visits_and_the_tier_at_the_age_given(rows, members):
    lines = [
        line("a", "2024-06-03", claim_type="ER", paid_amount="30000.00", diagnosis_code_1="E119"),
        line("a", "2024-06-05", claim_type="IP", paid_amount="25000.50", diagnosis_code_1="I509"),
        fill("a", "2024-06-07", paid_amount="99.25"),
    ]
    row = of(rows, members, *lines, age=80)["a", "2024-06"]
    assert (row.er_visit_count, row.inpatient_admit_count, row.chronic_condition_count) == (1, 1, 1)
    assert (row.medical_paid, row.rx_paid, row.total_paid) == (55000.5, 99.25, 55099.75)
    assert (row.composite_risk_score, row.risk_tier) == (3 + 1 + 2 + 3, "High")
    assert of(rows, members, *lines, age=40)["a", "2024-06"].risk_tier == "Medium"


def test_a_member_without_claims_has_zero_outcomes_not_none(rows, members):
    found = outcomes(
        rows(ClaimVersions, line("other", "2024-06-03")), ["2024-06"], members=members(["quiet"], ["2024-06"])
    )
    assert found.first().asDict() == {
        "member_id": "quiet", "claim_month": "2024-06", "er_visit_count": 0, "inpatient_admit_count": 0,
        "medical_paid": 0, "rx_paid": 0, "total_paid": 0,
        "chronic_condition_count": 0, "composite_risk_score": 1, "risk_tier": "Very Low",
    }  # fmt: skip
