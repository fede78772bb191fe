"""Counts, sums, trends and recency of `gold.member_features`."""

from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from pyspark.sql import functions as F

from claims_assets.features.conditions import CONDITIONS
from claims_assets.features.member_features import LARGEST_TREND, NEVER_DAYS, MemberFeatures
from claims_assets.silver.claim_versions import ClaimVersions
from claims_assets_tests.features.conftest import fill, line
from claims_assets_tests.features.made import made_features

NEVER = ("never_medical_claim", "never_er_visit", "never_admission", "never_rx_fill")


@pytest.mark.requirement("R17")
def test_a_member_without_claims_has_zeros_no_nulls_and_never_flags(features):
    row = features(line("other", "2024-06-03"), also=["quiet"])["quiet"].asDict()
    numbers = {
        n: v
        for n, v in row.items()
        if n.endswith(("_12mo", "_count", "_90d", "_275d", "_pct")) or n[:4] in ("avg_", "max_")
    }
    assert len(numbers) > 25
    assert set(numbers.values()) == {0}
    assert not any(row[c.column] for c in CONDITIONS)
    assert all(row[n] for n in NEVER)
    assert {v for n, v in row.items() if n.startswith("days_since_")} == {NEVER_DAYS}
    assert (row["composite_risk_score"], row["risk_tier"]) == (1, "Very Low")


def test_one_row_comes_out_for_each_enrolled_member_and_month(features):
    found = features(line("a", "2024-05-03"), line("a", "2024-04-03"), also=["b"], months=("2024-05", "2024-06"))
    assert sorted(found) == [(m, month) for m in "ab" for month in ("2024-05", "2024-06")]


def test_claims_of_members_who_are_not_enrolled_make_no_row(rows, members):
    found = made_features(rows(ClaimVersions, line("gone", "2024-06-03")), members(["b"], ["2024-06"]), ["2024-06"])
    assert [r.member_id for r in found.collect()] == ["b"]


def test_a_claim_is_all_its_lines(features):
    row = features(
        line("a", "2024-06-03", claim_id="X", paid_amount="7000.00"),
        line("a", "2024-06-04", claim_id="X", paid_amount="3000.01", claim_line_number=2),
        line("a", "2024-05-04", claim_id="X", paid_amount="5.00", claim_line_number=3),
        line("a", "2024-06-04", claim_id="Y", paid_amount="10000.00"),
        line("a", "2024-06-04", claim_id="Z", paid_amount=None),
    )["a"]
    assert (row.claim_count_12mo, row.service_days_12mo, row.high_cost_claim_count) == (3, 3, 1)
    assert (row.total_paid_12mo, row.max_claim_amount) == (Decimal("20005.01"), Decimal("10005.01"))
    assert row.avg_claim_amount == pytest.approx(20005.01 / 3)


@pytest.mark.requirement("R9")
def test_facility_and_professional_lines_of_one_event_count_once(features):
    row = features(
        line("a", "2024-06-03", claim_type="ER", revenue_code="0450"),
        line("a", "2024-06-03", claim_type="PROF", procedure_code_1="99284", place_of_service="23"),
        line("a", "2024-06-05", claim_type="OP", revenue_code="0981"),
        line("a", "2024-06-10", claim_type="IP", admit_date="2024-06-10", discharge_date="2024-06-14"),
        line("a", "2024-06-11", claim_type="IP", admit_date="2024-06-10"),
        line("a", "2024-06-11", claim_type="PROF", procedure_code_1="99222", place_of_service="21"),
    )["a"]
    assert (row.er_visit_count_12mo, row.inpatient_admit_count_12mo, row.claim_count_12mo) == (2, 1, 6)


def test_length_of_stay_is_discharge_minus_admission_of_a_stay_whose_dates_are_known(features):
    def stay(member, admit, discharge, day=None):
        return line(member, day or admit, claim_type="IP", admit_date=admit, discharge_date=discharge)

    found = features(
        stay("a", "2024-06-01", "2024-06-04"), stay("a", "2024-06-10", "2024-06-10"), stay("a", "2024-06-20", None),
        stay("b", "2024-06-01", None), stay("b", "2024-06-01", "2024-06-09", day="2024-06-05"),
        stay("c", "2024-06-05", "2024-06-01"),
        line("d", "2024-06-05", claim_type="IP", discharge_date="2024-06-07"),
    )  # fmt: skip
    lengths = {
        m: (r.inpatient_admit_count_12mo, r.total_inpatient_days, r.avg_length_of_stay) for m, r in found.items()
    }
    assert lengths == {"a": (3, 3, 1.5), "b": (1, 8, 8.0), "c": (1, 0, 0.0), "d": (1, 2, 2.0)}


def test_fills_are_counted_by_drug_class_and_kind(features):
    row = features(
        fill("a", "2024-06-01", therapeutic_class="OPIOID ANALGESIC", generic_indicator="Y", paid_amount="500.01"),
        fill(
            "a", "2024-06-01", therapeutic_class="STATIN", generic_indicator="N", days_supply=90, paid_amount="500.00"
        ),
        fill(
            "a",
            "2024-06-02",
            therapeutic_class="STATIN",
            generic_indicator="GENERIC",
            days_supply=None,
            paid_amount="0.99",
        ),
        fill(
            "a", "2024-06-03", ndc_code="00000000001", therapeutic_class=None, generic_indicator=None, days_supply=999
        ),
    )["a"]
    assert (row.rx_fill_count_12mo, row.unique_drug_count, row.unique_therapy_class_count) == (4, 2, 2)
    assert (row.generic_fill_count, row.controlled_substance_count, row.high_cost_rx_count) == (2, 1, 1)
    assert (row.total_rx_paid_12mo, row.avg_days_supply) == (Decimal("1021.00"), 60.0)
    assert row.avg_rx_cost == pytest.approx(1021 / 4)
    assert (row.claim_count_12mo, row.total_paid_12mo, row.service_days_12mo, row.unique_provider_count) == (0, 0, 0, 0)


def test_recent_are_the_last_three_claim_months_and_prior_the_nine_before(features):
    row = features(
        line("a", "2024-04-01", paid_amount="10.00", claim_type="ER"),
        line("a", "2024-06-30", paid_amount="20.00", claim_type="ER"),
        line("a", "2024-03-31", paid_amount="40.00", claim_type="ER"),
        line("a", "2023-07-01", paid_amount="80.00"),
        line("a", "2023-06-30", paid_amount="160.00", claim_type="ER"),
    )["a"]
    assert (row.recent_claim_count_90d, row.prior_claim_count_275d) == (2, 2)
    assert (row.recent_paid_90d, row.prior_paid_275d) == (30, 120)
    assert (row.recent_er_visits_90d, row.prior_er_visits_275d) == (2, 1)
    assert row.claim_count_trend_pct == (3 * 2 - 2) / 2
    assert row.cost_trend_pct == (3 * 30 - 120) / 120


@pytest.mark.requirement("R17")
def test_trends_of_activity_that_stopped_began_or_never_was(features):
    recent, prior = "2024-06-01", "2023-08-01"
    found = features(
        line("stopped", prior), line("began", recent), line("free", recent, paid_amount="0.00"),
        line("soared", prior, paid_amount="0.01"), line("soared", recent, paid_amount="900.00"),
        line("steady", prior, paid_amount="300.00"), line("steady", recent, paid_amount="100.00"),
        also=["none"],
    )  # fmt: skip
    trends = {m: (r.claim_count_trend_pct, r.cost_trend_pct) for m, r in found.items()}
    assert trends == {
        "stopped": (-1, -1),
        "began": (LARGEST_TREND, LARGEST_TREND),
        "free": (LARGEST_TREND, 0),
        "soared": (2, LARGEST_TREND),
        "steady": (2, 0),
        "none": (0, 0),
    }


@pytest.mark.requirement("R12", "R17")
def test_recency_is_days_to_the_end_of_the_month_with_a_cap_and_a_never_flag(features):
    found = features(
        line("today", "2024-06-30", claim_type="ER"), fill("today", "2024-06-29"),
        line("first day", "2023-07-01", claim_type="IP", admit_date="2023-07-01"),
        line("too old", "2023-06-30"),
        line("long stay", "2024-06-01", claim_type="IP", admit_date="2022-01-01"),
        line("wrong admission", "2024-06-01", claim_type="IP", admit_date="2025-01-01"),
        line("not yet known", "2024-06-01", known_from="2024-07"), line("not yet known", "2024-05-31"),
    )  # fmt: skip
    names = ("medical_claim", "er_visit", "admission", "rx_fill")
    days = {m: tuple(r[f"days_since_last_{n}"] for n in names) for m, r in found.items()}
    assert days == {
        "today": (0, 0, 366, 1),
        "first day": (365, 366, 365, 366),
        "too old": (366, 366, 366, 366),
        "long stay": (29, 366, 366, 366),
        "wrong admission": (29, 366, 0, 366),
        "not yet known": (30, 366, 366, 366),
    }
    never = {m: tuple(r[f"never_{n}"] for n in names) for m, r in found.items()}
    assert never["today"] == (False, False, True, False)
    assert never["too old"] == (True, True, True, True)
    assert never["long stay"] == (False, True, False, True), "366 days since is not never"


def test_demography_is_that_of_the_member_month(rows, members, features):
    row = features(line("a", "2024-06-03"), dual_eligible=None, ltss_indicator=True, smoker=True, bmi=31, age=40)["a"]
    assert (row.dual_eligible, row.high_risk_flag, row.smoking_factor, row.bmi_category) == (None, True, 100.0, "obese")
    assert row.eligibility_years == 365 / 365
    row = features(line("a", "2024-06-03"), dual_eligible=False, age=None, age_group=None)["a"]
    assert (row.high_risk_flag, row.age_risk_score, row.actuarial_age_risk) == (False, 1, None)


@pytest.mark.requirement("R12")
def test_all_rows_keep_the_contract_and_a_rerun_on_shuffled_lines_writes_the_same(lake, random_claims):
    months = random_claims.months[-3:]
    members = random_claims.members.where(F.col("claim_month").isin(months))
    lines = random_claims.versions.where(F.col("claim_month").isin(random_claims.months[-14:]))
    shuffled = lines.orderBy(F.xxhash64("claim_id", "claim_month"), F.desc("claim_line_number"))

    def written(versions):
        return lake.write(made_features(versions, members, months), "gold", "member_features", MemberFeatures, months)

    first, again = written(lines), written(shuffled)
    assert first.blocked == [] and first.failed_by_rule() == {}
    assert (
        first.rows_kept
        == random_claims.members_table.filter(pc.is_in(pc.field("claim_month"), pa.array(months))).num_rows
    )
    assert first.fingerprint == again.fingerprint
    assert len(set(first.fingerprint.values())) == len(months)


def test_a_month_is_the_same_alone_and_in_a_range(random_claims):
    def of_the_last_month(months):
        members = random_claims.members.where(F.col("claim_month").isin(months))
        made = made_features(random_claims.versions, members, months).where(
            F.col("claim_month") == random_claims.months[-1]
        )
        return made.toArrow().sort_by("member_id")

    assert of_the_last_month(random_claims.months[-1:]).equals(of_the_last_month(random_claims.months[-5:]))
