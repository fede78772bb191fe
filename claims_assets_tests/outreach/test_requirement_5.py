"""Nobody is forgotten: members of the list and of its exclusions are all enrolled members, healthy adults too."""

import random
from collections import Counter

import pytest

from claims_assets.bronze.immunizations import Immunizations as Registry
from claims_assets.contracts import compiled
from claims_assets.features.immunization_gaps import ImmunizationGaps, immunization_gaps
from claims_assets.features.member_conditions import member_conditions
from claims_assets.features.vaccine_condition_days import vaccine_condition_days
from claims_assets.outreach.immunization_master_outreach_list import immunization_master_outreach_list
from claims_assets.outreach.immunization_outreach_exclusions import immunization_outreach_exclusions
from claims_assets.outreach.immunization_targeting import immunization_targeting
from claims_assets.outreach.policy import CHANNELS
from claims_assets.silver.claim_versions import ClaimVersions
from claims_assets.silver.immunization_evidence import immunization_evidence
from claims_assets.silver.member_months import MemberMonths
from claims_assets.sources.code_sets import vaccine_codes
from claims_assets_tests.features.conftest import line
from claims_assets_tests.outreach.conftest import MONTH, POLICY

STATUSES = ("complete", "contraindicated", "not_yet", "discuss", "no_evidence", "overdue", "due")
VACCINES = ("influenza", "zoster", "hpv", "td_tdap")
HEALTHY = {"of 22": 22, "of 40": 40, "of 57": 57, "of 66": 66}
PRODUCTS = {
    v: next(x.code for x in vaccine_codes() if x.vaccine == v and x.code_system == "CPT" and not x.administration_only)
    for v in ("influenza", "td_tdap", "hepatitis_b", "mmr", "varicella")
} | {"zoster": "90750", "pneumococcal": "90677", "hpv": "90651"}
"""A product of each vaccine that counts by itself."""


def random_plan(plan, seed):
    """Members of all kinds, in households of one to four, from a seeded generator."""
    rng = random.Random(seed)
    tight = POLICY | {f"{c}_per_week": rng.randint(0, 5) for c in CHANNELS} | {"holdout_share": 0.2, "weeks": 2}
    made = plan(policy=[tight])
    for n in range(120):
        age = rng.choice([None, 3, 15, 22, 40, 57, 70])
        made.member(
            f"M{n:03d}",
            *rng.sample(CHANNELS, rng.randint(0, 4)),
            needs={v: rng.choice(STATUSES) for v in rng.sample(VACCINES, rng.randint(0, 4))},
            household_id=rng.choice([None, f"H{n // 3}"]),
            age=age,
            death_date=rng.choice([None] * 9 + ["2024-10-20"]),
            enrolment_by_day="1" * 30 if rng.random() < 0.9 else "1" * 10 + "0" * 20,
            risk_tier=rng.choice(["High", "Medium", "Low", "Very Low"]),
            high_risk_score=rng.random(),
        )
    for contact in made.contacts:
        contact |= {"opt_out": rng.random() < 0.3, "contact_role": rng.choice([None, "guardian"])}
    made.attempts = [
        {"member_id": m, "contacted_at": "2024-09-20 10:00:00", "known_from": "2024-09"}
        for m in rng.sample(list(made.members), 10)
    ]
    made.hospice = [
        {"member_id": m, "service_date": "2024-05-01", "first_month": "2024-05", "last_month": "2025-04"}
        for m in rng.sample(list(made.members), 5)
    ]
    return made


@pytest.fixture(scope="module")
def known():
    """What was made already, by seed."""
    return {}


@pytest.fixture(params=[1, 2])
def random_month(plan, known, request):
    """A plan of 120 members and the rows of its month."""
    if request.param not in known:
        made = random_plan(plan, request.param)
        known[request.param] = made, made.made()
    return known[request.param]


@pytest.mark.requirement("R5")
def test_every_member_is_listed_or_excluded_with_one_reason(random_month):
    made, found = random_month
    assert sorted(r.member_id for r in found) == sorted(made.members)
    assert all((r.disposition == "listed") == (r.exclusion_reason is None) for r in found)
    assert all(r.reason for r in found)
    listed = [r for r in found if r.disposition == "listed"]
    assert sorted(r.outreach_rank for r in listed) == list(range(1, len(listed) + 1))
    assert len({r.exclusion_reason for r in found}) > 8, "the plan holds most reasons"


@pytest.mark.requirement("R5")
def test_what_is_listed_keeps_the_policy(random_month):
    made, found = random_month
    policy = made.policy[0]
    used: Counter = Counter()
    for who, channel, week in {
        (r.contact_member_id, r.contact_channel, r.contact_week) for r in found if r.disposition == "listed"
    } | {(r.contact_member_id, "mail", r.letter_week) for r in found if r.letter_week}:
        assert who
        used[channel, week] += 1
    assert used
    assert all(n <= policy[f"{channel}_per_week"] and week <= policy["weeks"] for (channel, week), n in used.items())

    out = {m for m in made.members if (own := [c for c in made.contacts if c["member_id"] == m])
           and all(c["opt_out"] for c in own)}  # fmt: skip
    assert not out & {r.member_id for r in found if r.disposition == "listed"}
    assert not out & {r.contact_member_id for r in found if r.disposition == "listed"}
    holdouts: dict = {}
    for r in found:
        holdouts.setdefault(r.household_id or r.member_id, set()).add(r.is_holdout)
    assert all(len(kinds) == 1 for kinds in holdouts.values()), "whole households are held out"
    assert {True} in holdouts.values()
    assert not any(r.is_holdout for r in found if r.disposition == "listed")


@pytest.mark.requirement("R5")
def test_the_order_of_rows_changes_nothing_and_list_and_exclusions_are_the_two_halves(plan, spark, known):
    made, found = known.get(1) or ((given := random_plan(plan, 1)), given.made())
    mixed = []
    for frame in made.frames():
        rows = frame.collect()
        mixed.append(spark.createDataFrame(random.Random(5).sample(rows, len(rows)), frame.schema))
    targeting = immunization_targeting(*mixed)
    listed = immunization_master_outreach_list(targeting).collect()
    excluded = immunization_outreach_exclusions(targeting).collect()
    assert sorted((*listed, *excluded), key=lambda r: r.member_id) == sorted(found, key=lambda r: r.member_id)


@pytest.fixture
def healthy(plan, rows):
    """(member -> row of the targeting, member -> vaccines offered) of healthy adults with the given claims."""

    def build(*lines):
        people = rows(
            MemberMonths,
            *[
                {
                    "member_id": name, "claim_month": MONTH, "age": age, "birth_date": f"{2024 - age}-01-15",
                    "gender": "F", "race": "White", "ethnicity": "Unknown", "enrolled_since": "2020-01-01",
                    "enrolment_by_day": "1" * 31,
                }
                for name, age in HEALTHY.items()
            ],
        )  # fmt: skip
        versions = rows(ClaimVersions, line("somebody", "2020-01-05", procedure_code_1="90686"), *lines)
        gaps = immunization_gaps(
            people,
            member_conditions(versions, people, [MONTH]),
            immunization_evidence(versions, rows(Registry)),
            vaccine_condition_days(versions),
        ).select(*compiled(ImmunizationGaps).columns)
        made = plan()
        for name, age in HEALTHY.items():
            made.member(name, "phone", age=age)
        frames = made.frames()
        found = {r.member_id: r for r in immunization_targeting(people, gaps, *frames[2:]).collect()}
        return found, {n: {*r.vaccines_due, *r.vaccines_no_evidence} for n, r in found.items()}

    return build


@pytest.mark.requirement("R4")
@pytest.mark.requirement("R5")
def test_healthy_adults_are_found_and_a_dose_of_all_that_is_due_takes_them_off(healthy):
    found, offered = healthy()
    assert {r.disposition for r in found.values()} == {"listed"}
    assert {r.chronic_condition_count for r in found.values()} == {0}
    assert "hpv" in offered["of 22"]
    assert "zoster" in offered["of 57"]
    assert "pneumococcal" in offered["of 66"]
    assert all("influenza" in vaccines for vaccines in offered.values())
    doses = [
        line(name, day, procedure_code_1=PRODUCTS[vaccine])
        for name, vaccines in offered.items()
        for vaccine in vaccines
        for day in (("2024-10-03",) if vaccine == "influenza" else ("2021-06-01", "2022-06-01", "2023-06-01"))
    ]
    after, open_now = healthy(*doses)
    assert open_now == {name: set() for name in HEALTHY}
    assert {r.exclusion_reason for r in after.values()} == {"complete"}
    assert all(r.dose_evidence for r in after.values())


@pytest.mark.requirement("R5")
def test_due_vaccines_are_an_array_of_names(plan):
    row = plan().member("a", "mail", needs={"zoster": "due", "hpv": "overdue", "mmr": "no_evidence"}).by_member()["a"]
    assert (row.vaccines_due, row.vaccines_overdue, row.vaccines_no_evidence) == (["hpv", "zoster"], ["hpv"], ["mmr"])


@pytest.mark.requirement("R6")
def test_a_member_with_three_conditions_in_one_claim_gets_the_points_for_them(plan):
    row = plan().member("a", "phone", risk_tier="Low", chronic_condition_count=3).by_member()["a"]
    assert (row.disposition, row.immunization_priority_score) == ("listed", 45.0)
