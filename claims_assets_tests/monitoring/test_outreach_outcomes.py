"""The table: who is compared, which doses and contacts count, and that a planted effect is found."""

import random

import pytest

from claims_assets.bronze.outreach_contacts import OutreachContacts
from claims_assets.inputs import Window
from claims_assets.monitoring.outreach_outcomes import (
    ANY,
    JUDGED_AFTER,
    OutreachOutcomes,
    outreach_outcomes,
    picture,
)
from claims_assets.monitoring.outreach_outcomes_plot import shown
from claims_assets.monitoring.uptake import ALL, HIDDEN, HOLDOUT, LISTED, NO_COMPARISON
from claims_assets.outreach.formulas import TIERS
from claims_assets.outreach.immunization_targeting import ImmunizationTargeting
from claims_assets.outreach.outreach_policy import OutreachPolicy
from claims_assets.silver.immunization_evidence import ImmunizationEvidence

LIST, JUDGED = "2024-08", "2024-12"
"""The second month of a program year that starts in July; its doses count from 1 September to 29 November."""
ONE, TWO = TIERS[0][1], TIERS[1][1]
POLICY = {
    "valid_from": "2000-01",
    "weeks": 4,
    "program_year_starts_in": 7,
    "lists_no_evidence": True,
    "lists_discuss": False,
}


def member(number, group=LISTED, month=LIST, **more):
    """A row of the targeting table: listed, or held out within the capacity; influenza is due."""
    name = f"M{number:04d}"
    return {
        "member_id": name,
        "claim_month": month,
        "disposition": "listed" if group == LISTED else "excluded",
        "exclusion_reason": None if group == LISTED else group,
        "within_capacity": True,
        "is_holdout": group == HOLDOUT,
        "household_id": f"H{number:04d}",
        "contact_member_id": name,
        "outreach_tier": ONE,
        "vaccines_due": ["influenza"],
        "vaccines_no_evidence": [],
        "vaccines_to_discuss": [],
    } | more


def dose(number, day="2024-10-05", **more):
    return {
        "member_id": f"M{number:04d}",
        "vaccine": "influenza",
        "administered_date": day,
        "standing": "counts",
        "first_month": day[:7],
    } | more


def attempt(number, day="2024-09-10", **more):
    return {
        "member_id": f"M{number:04d}",
        "contacted_at": f"{day}T10:00:00",
        "channel": "phone",
        "outcome": "no answer",
        "known_from": day[:7],
    } | more


@pytest.fixture
def frame(rows):
    """`frame(people, doses, attempts, months)`: the table's frame."""

    def frame(people, doses=(), attempts=(), months=(JUDGED,), policy=(POLICY,)):
        return outreach_outcomes(
            rows(ImmunizationTargeting, *people),
            rows(OutreachPolicy, *policy),
            rows(ImmunizationEvidence, *doses),
            rows(OutreachContacts, *attempts),
            list(months),
        )

    return frame


@pytest.fixture
def judge(frame):
    """The same, as rows by judged month, group, tier and vaccine."""

    def judge(*given, **more):
        return {
            (r.claim_month, r.outreach_group, r.outreach_tier, r.vaccine): r for r in frame(*given, **more).collect()
        }

    return judge


def trial(listed, held_out, share, share_held_out):
    """People of both groups and the doses of an exact share of each."""
    people = [member(i) for i in range(listed)] + [member(listed + i, HOLDOUT) for i in range(held_out)]
    doses = [dose(i) for i in range(round(share * listed))]
    return people, doses + [dose(listed + i) for i in range(round(share_held_out * held_out))]


def test_a_planted_effect_is_found_with_an_interval_that_covers_it(judge):
    row = judge(*trial(400, 200, 0.40, 0.20))[JUDGED, LISTED, ALL, ANY]
    assert (row.list_month, row.members, row.vaccinated, row.uptake) == (LIST, 400, 160, 0.4)
    assert row.difference == pytest.approx(0.2)
    assert 0.1 < row.difference_lower < 0.2 < row.difference_upper < 0.3
    assert row.absent == []


def test_no_effect_gives_an_interval_over_zero(judge):
    found = judge(*trial(400, 200, 0.30, 0.29))
    row = found[JUDGED, LISTED, ALL, ANY]
    assert row.difference_lower < 0 < row.difference_upper
    held_out = found[JUDGED, HOLDOUT, ALL, ANY]
    assert held_out.uptake_lower < 0.29 < held_out.uptake_upper
    assert held_out.difference is None and held_out.absent == []


def test_who_could_not_have_been_contacted_is_not_compared(judge):
    people, doses = trial(100, 100, 0.4, 0.2)
    beyond = [
        *(member(900 + i, within_capacity=False) for i in range(50)),
        *(member(1000 + i, HOLDOUT, within_capacity=False) for i in range(50)),
        *(member(1100 + i, "over_capacity", within_capacity=False) for i in range(50)),
        *(member(1200 + i, "opt_out", is_holdout=True, within_capacity=False) for i in range(50)),
        *(member(1300 + i, "cooldown", is_holdout=True) for i in range(50)),
    ]
    vaccinated = [dose(n) for n in range(900, 1350)]
    assert judge(people + beyond, doses + vaccinated) == judge(people, doses)


def test_a_dose_counts_from_the_day_after_the_list_month_for_ninety_days(judge):
    people = [member(i) for i in range(60)]
    before = [dose(i, "2024-08-31") for i in range(20)]
    first = [dose(i, "2024-09-01") for i in range(20, 33)]
    last = [dose(i, "2024-11-29") for i in range(33, 46)]
    after = [dose(i, "2024-11-30") for i in range(46, 60)]
    assert judge(people, before + first + last + after)[JUDGED, LISTED, ALL, ANY].vaccinated == 26


def test_a_dose_counts_as_it_was_known_in_the_judged_month(judge):
    people, known = [member(i) for i in range(60)], [dose(i, first_month=JUDGED) for i in range(20)]
    alone = judge(people, known)
    later = [dose(i, first_month="2025-01") for i in range(20, 40)]
    voided = [dose(i, last_month="2024-11") for i in range(20, 40)]
    voided_later = [dose(i, last_month="2024-12") for i in range(20, 40)]
    refused = [dose(i, standing="not_given") for i in range(20, 40)]
    other = [dose(i, vaccine="zoster") for i in range(20, 40)]
    assert alone[JUDGED, LISTED, ALL, ANY].vaccinated == 20
    for more in (later, voided, refused, other):
        assert judge(people, known + more) == alone
    assert judge(people, known + voided_later)[JUDGED, LISTED, ALL, ANY].vaccinated == 40


def test_several_pieces_of_evidence_are_one_dose(judge):
    people = [member(i) for i in range(60)]
    twice = [dose(i, day, source_id=s) for i in range(20) for day, s in (("2024-10-05", "a"), ("2024-10-07", "b"))]
    assert judge(people, twice)[JUDGED, LISTED, ALL, ANY].vaccinated == 20


def test_only_the_first_list_of_a_program_year_is_compared(judge):
    """Who is held out stays; who is listed rests after a contact: later lists hold other people of the two groups."""
    months = ["2024-06", "2024-07", LIST, "2024-09"]
    people = [member(i, HOLDOUT, month) for i in range(40) for month in months]
    people += [member(i, month=month) for i in range(40, 80) for month in (LIST, "2024-09")]
    found = judge(people, months=["2024-10", "2024-11", JUDGED, "2025-01"])
    members = {(month, group): r.members for (month, group, tier, v), r in found.items() if (tier, v) == (ALL, ANY)}
    assert members == {("2024-10", HOLDOUT): 40, ("2024-11", HOLDOUT): 40, (JUDGED, LISTED): 40}


def test_who_was_out_of_reach_of_an_earlier_list_is_new_to_the_next(judge):
    people = [member(i, "over_capacity", "2024-07", within_capacity=False) for i in range(40)]
    people += [member(40 + i, HOLDOUT, "2024-07", within_capacity=False) for i in range(40)]
    people += [member(i) for i in range(40)] + [member(40 + i, HOLDOUT) for i in range(40)]
    found = judge(people, months=["2024-11", JUDGED])
    members = {(month, group): r.members for (month, group, tier, v), r in found.items() if (tier, v) == (ALL, ANY)}
    assert members == {(JUDGED, LISTED): 40, (JUDGED, HOLDOUT): 40}


def test_who_took_the_place_of_a_hold_out_is_compared_in_no_list_of_the_year(judge):
    people = [member(i) for i in range(40)]
    people += [member(40 + i, month="2024-07", within_capacity=False) for i in range(40)]
    people += [member(40 + i) for i in range(40)]
    found = judge(people, months=["2024-11", JUDGED])
    assert {(month, r.members) for (month, _, tier, v), r in found.items() if (tier, v) == (ALL, ANY)} == {(JUDGED, 40)}


def test_the_months_asked_for_together_do_not_matter(judge):
    people = [member(i, month=m) for i in range(40) for m in ("2024-07", LIST)] + [member(i) for i in range(40, 100)]
    doses = [dose(i) for i in range(0, 100, 3)]
    together = judge(people, doses, months=["2024-11", JUDGED])
    apart = judge(people, doses, months=["2024-11"]) | judge(people, doses, months=[JUDGED])
    assert together == apart
    assert {key[0] for key in together} == {"2024-11", JUDGED}


def test_the_order_of_rows_does_not_matter(judge):
    people, doses = trial(120, 60, 0.35, 0.25)
    people = [p | {"household_id": f"H{n // 3}"} for n, p in enumerate(people)]
    attempts = [attempt(i, outcome=o) for i in range(0, 60) for o in ("reached", "no answer")]
    expected = judge(people, doses, attempts)
    draw = random.Random(5)
    for given in (people, doses, attempts):
        draw.shuffle(given)
    assert judge(people, doses, attempts) == expected


def test_members_of_a_household_are_no_independent_witnesses(judge):
    """The same counts with four to a household, all or none vaccinated: a wider interval."""
    people, doses = trial(400, 200, 0.40, 0.20)
    apart = judge(people, doses)[JUDGED, LISTED, ALL, ANY]
    together = judge([p | {"household_id": f"H{n // 4}"} for n, p in enumerate(people)], doses)
    row = together[JUDGED, LISTED, ALL, ANY]
    assert row.difference == apart.difference
    assert row.difference_upper - row.difference_lower > 1.7 * (apart.difference_upper - apart.difference_lower)


def test_attempts_count_by_member_list_and_day(judge):
    people = [member(i, contact_member_id="M9000" if i < 12 else f"M{i:04d}") for i in range(80)]
    attempts = [
        attempt(9000, outcome="Spoke with member"),
        *(attempt(i) for i in range(12, 24)),
        *(attempt(i, list_month=LIST, outcome="appointment") for i in range(24, 36)),
        *(attempt(i, list_month="2024-07") for i in range(36, 40)),
        *(attempt(i, "2024-08-31") for i in range(40, 50)),
        *(attempt(i, "2024-11-30") for i in range(50, 60)),
        *(attempt(i, known_from="2025-01") for i in range(60, 70)),
    ]
    row = judge(people, (), attempts)[JUDGED, LISTED, ALL, ANY]
    assert (row.members, row.contacted, row.reached, row.vaccinated) == (80, 36, 24, 0)


def test_each_vaccine_and_tier_has_its_own_members(judge):
    people = [member(i, vaccines_due=["influenza", "zoster"]) for i in range(50)]
    people += [member(50 + i, outreach_tier=TWO, vaccines_no_evidence=["mmr"]) for i in range(50)]
    doses = [dose(i, vaccine=v) for i in range(20) for v in ("influenza", "zoster")]
    doses += [dose(50 + i, vaccine="mmr") for i in range(30)]
    found = judge(people, doses)
    vaccinated = {(tier, vaccine): (r.vaccinated, r.members) for (_, _, tier, vaccine), r in found.items()}
    assert vaccinated == {
        (ALL, ANY): (50, 100), (ONE, ANY): (20, 50), (TWO, ANY): (30, 50),
        (ALL, "influenza"): (20, 100), (ONE, "influenza"): (20, 50), (TWO, "influenza"): (0, 50),
        (ALL, "zoster"): (20, 50), (ONE, "zoster"): (20, 50),
        (ALL, "mmr"): (30, 50), (TWO, "mmr"): (30, 50),
    }  # fmt: skip


def test_vaccines_count_for_which_the_policy_lists(judge):
    people = [member(i, vaccines_no_evidence=["mmr"], vaccines_to_discuss=["hpv"]) for i in range(50)]

    def vaccines(**policy):
        return {v for _, _, _, v in judge(people, policy=[POLICY | policy])} - {ANY}

    assert vaccines() == {"influenza", "mmr"}
    assert vaccines(lists_no_evidence=False) == {"influenza"}
    assert vaccines(lists_discuss=True) == {"influenza", "mmr", "hpv"}


def test_small_counts_are_hidden_and_nothing_is_told_of_a_member(frame, lake, spark):
    people, doses = trial(100, 30, 0.4, 0.2)
    found = lake.write(frame(people, doses), "monitoring", "outreach_outcomes", OutreachOutcomes, [JUDGED])
    assert not found.blocked and found.failed_by_rule() == {}
    kept = {(r.outreach_group, r.vaccine): r for r in lake.read(spark, "monitoring", "outreach_outcomes").collect()
            if r.outreach_tier == ALL}  # fmt: skip
    held_out = kept[HOLDOUT, ANY]
    assert (held_out.members, held_out.vaccinated, held_out.uptake) == (30, None, None)
    assert held_out.absent == [HIDDEN]
    assert (kept[LISTED, ANY].uptake, kept[LISTED, ANY].difference) == (0.4, None)
    assert kept[LISTED, ANY].absent == [NO_COMPARISON]
    assert "member_id" not in OutreachOutcomes.to_schema().columns


def test_a_month_without_a_list_is_empty(judge):
    assert judge([member(1, month="2024-05")]) == {}
    assert judge([]) == {}


def test_a_judged_month_reads_the_lists_of_the_year_before_it():
    (lists,) = [i.window for i in outreach_outcomes.inputs if i.name == "immunization_targeting"]
    assert lists == Window(12, lag=JUDGED_AFTER)
    assert lists.reach([JUDGED])[-1] == LIST and lists.reach([JUDGED])[0] == "2023-09"


def test_the_picture_shows_both_groups_and_no_hidden_one(frame):
    rows = [r.asDict() for r in frame(*trial(100, 60, 0.4, 0.3)).collect()]
    assert {tier: set(groups) for tier, groups in shown(rows).items()} == {
        ONE: {LISTED, HOLDOUT},
        ALL: {LISTED, HOLDOUT},
    }
    assert picture(JUDGED, rows).startswith("![uptake of listed and held out members](data:image/png;base64,")
    assert picture(JUDGED, []).startswith("No picture")
    small = [r.asDict() for r in frame(*trial(100, 20, 0.4, 0.3)).collect()]
    assert shown(small)[ALL].keys() == {LISTED}
