"""Reasons, contacts and sentences of single members, from literal rows."""

from claims_assets.outreach.standing import EXCLUSIONS, is_holdout
from claims_assets_tests.outreach.conftest import MONTH, POLICY

COMPLETE = {"influenza": "complete", "covid_19": "discuss"}


def test_each_reason_has_its_case_and_the_first_that_holds_counts(plan):
    made = plan(policy=[POLICY | {"phone_per_week": 1, "weeks": 1}])
    urgent = {"high_risk_score": 1.0}
    made.member("listed", "phone", **urgent)
    made.member("deceased", "phone", death_date="2024-10-31", enrolment_by_day="0" * 30)
    made.member("disenrolled", "phone", enrolment_by_day="1" * 29 + "0")
    made.member("opt_out", "phone", needs=COMPLETE)
    made.member("hospice", "phone", needs=COMPLETE)
    made.member("birth_date_unknown", "phone", birth_date=None, age=None, needs={})
    made.member("contraindicated", needs={"mmr": "contraindicated", "influenza": "complete", "covid_19": "discuss"})
    made.member("complete", needs=COMPLETE)
    made.member("not_due_yet", needs=COMPLETE | {"zoster": "not_yet", "mmr": "contraindicated"})
    made.member("clinician_decides", needs={"covid_19": "discuss"})
    made.member("no_vaccine_applies", needs={})
    made.member("cooldown", "phone", age=10)
    made.member("minor_without_guardian", "phone", age=17)
    made.member("no_channel")
    made.member("over_capacity", "phone")
    made.contacts += [{"member_id": "opt_out", "channel": "mail", "opt_out": True}]
    made.contacts[[c["member_id"] for c in made.contacts].index("opt_out")]["opt_out"] = True
    made.hospice = [
        {"member_id": "hospice", "service_date": "2024-03-05", "first_month": "2024-03", "last_month": "2025-02"},
        {"member_id": "listed", "service_date": "2023-10-05", "first_month": "2023-10", "last_month": "2024-09"},
    ]
    made.attempts = [{"member_id": "cooldown", "contacted_at": "2024-08-03 08:00:00", "known_from": "2024-08"}]
    found = made.by_member()
    reasons = {name: row.exclusion_reason for name, row in found.items()}
    assert reasons == {name: None if name == "listed" else name for name in made.members}
    assert set(EXCLUSIONS) - set(reasons.values()) == {"no_evidence", "holdout"}
    assert found["deceased"].reason == "Died on 2024-10-31."
    assert found["hospice"].reason == "In hospice care on 2024-03-05, less than a year ago."
    assert found["cooldown"].reason == "Last contact on 2024-08-03, less than 90 days ago."
    assert found["complete"].dose_evidence == ["influenza: C1"]
    assert found["over_capacity"].reason.startswith("No room left in the month through phone")
    assert not found["over_capacity"].within_capacity
    assert found["listed"].within_capacity


def test_the_policy_says_whether_what_is_not_seen_or_not_decided_is_listed(plan):
    other = {"valid_from": "2024-10", "lists_no_evidence": False, "lists_discuss": True}
    made = plan(months=["2024-09", "2024-10"], policy=[POLICY | {"valid_to": "2024-09"}, POLICY | other])
    made.member("unseen", "mail", needs={"zoster": "no_evidence"})
    made.member("undecided", "mail", needs={"covid_19": "discuss"})
    assert {(r.member_id, r.claim_month): r.exclusion_reason for r in made.made()} == {
        ("unseen", "2024-09"): None, ("undecided", "2024-09"): "clinician_decides",
        ("unseen", "2024-10"): "no_evidence", ("undecided", "2024-10"): None,
    }  # fmt: skip


def test_a_later_policy_leaves_the_months_before_as_they_were(plan):
    def of(*versions):
        made = plan(months=["2024-09", "2024-10"], policy=versions)
        for n in range(4):
            made.member(f"m{n}", "phone", "mail", household_id="H", high_risk_score=n / 10)
        return {(r.member_id, r.claim_month): r for r in made.made()}

    before = of(POLICY)
    after = of(
        POLICY | {"valid_to": "2024-09"},
        POLICY | {"valid_from": "2024-10", "cooldown_days": 1, **{f"{c}_per_week": 0 for c in ("phone", "mail")}},
    )
    september = {key for key in before if key[1] == "2024-09"}
    assert [after[k] for k in sorted(september)] == [before[k] for k in sorted(september)]
    assert {after[k].exclusion_reason for k in after.keys() - september} == {"over_capacity"}
    assert {before[k].exclusion_reason for k in before.keys() - september} == {None}


def test_a_row_says_why_in_this_tier_and_through_this_channel(plan):
    made = plan(policy=[POLICY | {"phone_per_week": 1, "weeks": 1}])
    scores = {"risk_tier": "High", "age": 70, "chronic_condition_count": 3, "high_risk_score": 0.9,
              "er_utilization_risk_score": 0.25, "high_cost_risk_score": 0.5}  # fmt: skip
    made.member("a", "phone", "mail", needs={"zoster": "overdue", "rsv": "due", "mmr": "no_evidence"}, **scores)
    made.member("b", "phone", "email", needs={"zoster": "due"}, **scores)
    made.contacts[-1] |= {"opt_out": True}
    made.contacts += [{"member_id": "b", "channel": "portal", "value": "b"}]
    found = made.by_member()
    assert found["a"].reason == (
        "Overdue: zoster since 2024-09-01 (rule zoster_rule). Due: rsv since 2024-09-01 (rule rsv_rule)."
        " No dose seen, may have been given elsewhere, ask: mmr (rule mmr_rule)."
        " Score 77.00 = 0.4 x priority 100.00 (risk tier High, age 65 or more, 3 or more conditions)"
        " + 30 x 0.90 (high risk) + 20 x 0.25 (emergency visits) + 10 x 0.50 (high cost)."
        " Tier 2 - High Priority: score from 60 and below 80; recommended: Phone Call. Contact by phone in week 1."
    )
    assert found["b"].reason.endswith(
        "Contact by portal in week 1. Not by phone: no room left, taken by higher scores. Not by mail: not on file."
        " Not by email: opted out."
    )
    assert (found["a"].outreach_rank, found["b"].outreach_rank) == (1, 2)


def test_a_minor_is_reached_through_the_guardian_or_an_adult_of_the_household(plan):
    made = plan()
    made.member("mother", "phone", needs=COMPLETE, household_id="H", age=35)
    made.member("grandmother", "phone", needs=COMPLETE, household_id="H", age=80)
    made.member("child", household_id="H", age=9)
    made.member("with her number", household_id="H", age=7)
    made.member("other guardian", household_id="H", age=5)
    made.member("sibling", household_id="H", age=4)
    made.member("own phone", "phone", age=16)
    made.contacts += [
        {"member_id": "with her number", "channel": "phone", "value": "mother phone", "contact_role": "Guardian"},
        {"member_id": "other guardian", "channel": "mail", "value": "elsewhere", "contact_role": "guardian"},
        {"member_id": "sibling", "channel": "mail", "value": "elsewhere", "contact_role": "guardian"},
    ]
    found = made.by_member()
    reached = {n: (r.contact_member_id, r.contact_channel) for n, r in found.items()}
    assert {n: by for n, by in reached.items() if n not in ("mother", "grandmother")} == {
        "child": ("mother", "phone"),
        "with her number": ("mother", "phone"),
        "other guardian": ("other guardian", "mail"),
        "sibling": ("other guardian", "mail"),
        "own phone": ("own phone", None),
    }  # fmt: skip
    assert found["own phone"].exclusion_reason == "minor_without_guardian"
    assert ", to an adult of the household." in found["child"].reason
    assert {", to the guardian." in found[n].reason for n in ("other guardian", "sibling")} == {True}


def test_one_call_serves_a_household_and_takes_one_place(plan):
    made = plan(policy=[POLICY | {"phone_per_week": 1, "weeks": 1}])
    made.member("mother", "phone", household_id="H", age=35, high_risk_score=0.9, risk_tier="High")
    made.member("child", household_id="H", age=9)
    found = made.by_member()
    assert {r.contact_week for r in found.values()} == {1}
    assert {r.contact_tier for r in found.values()} == {"Tier 3 - Standard"}
    assert "The same contact serves a member of the household in Tier 3" in found["child"].reason


def test_an_adult_who_has_left_or_died_or_opted_out_is_not_called_for_a_child(plan):
    made = plan()
    made.member("left", "phone", needs=COMPLETE, household_id="L", age=35, enrolment_by_day="1" * 10 + "0" * 20)
    made.member("dead", "phone", needs=COMPLETE, household_id="D", age=35, death_date="2024-10-02")
    made.member("refuses", "phone", needs=COMPLETE, household_id="R", age=35)
    made.contacts[-1] |= {"opt_out": True}
    for household in "LDR":
        made.member(f"child {household}", household_id=household, age=9)
    found = made.by_member()
    assert {n: r.exclusion_reason for n, r in found.items() if n.startswith("child")} == {
        "child L": "minor_without_guardian",
        "child D": "minor_without_guardian",
        "child R": "no_channel",
    }


def test_an_opt_out_counts_from_its_date_and_wins_over_other_lines(plan):
    made = plan(months=["2024-03", "2024-04"])
    made.member("dated", "phone").member("twice", "phone", "phone").member("one of two", "phone", "mail")
    made.contacts[0] |= {"opt_out": True, "opt_out_date": "2024-04-02"}
    made.contacts[2] |= {"opt_out": True}
    made.contacts[3] |= {"opt_out": True}
    found = {(r.member_id, r.claim_month): (r.exclusion_reason, r.reachable_channels) for r in made.made()}
    assert found["dated", "2024-03"] == (None, ["phone"])
    assert found["dated", "2024-04"] == ("opt_out", [])
    assert found["twice", "2024-04"] == ("opt_out", [])
    assert found["one of two", "2024-04"] == (None, ["mail"])


def test_a_contact_counts_for_the_cooldown_once_it_is_known_and_until_it_is_over(plan):
    made = plan(months=["2024-03", "2024-05", "2024-06"])
    made.member("feed", "phone").member("attempt", "phone")
    made.contacts[0] |= {"last_contacted_at": "2024-03-10 16:05:00"}
    made.attempts = [{"member_id": "attempt", "contacted_at": "2024-03-10 16:05:00", "known_from": "2024-05"}]
    found = {(r.member_id, r.claim_month): r.exclusion_reason for r in made.made()}
    assert found == {
        ("feed", "2024-03"): "cooldown", ("feed", "2024-05"): "cooldown", ("feed", "2024-06"): None,
        ("attempt", "2024-03"): None, ("attempt", "2024-05"): "cooldown", ("attempt", "2024-06"): None,
    }  # fmt: skip


def test_the_holdout_stays_for_a_program_year_and_knows_nothing_but_the_household(spark):
    months = ("2024-06", "2024-07", "2025-06")
    given = [
        (f"m{n}", f"H{n // 2}", month, 0.25, seed, 7) for n in range(400) for month in months for seed in ("one", "two")
    ]
    names = "member_id string, household_id string, claim_month string, holdout_share double, holdout_seed string,"
    frame = spark.createDataFrame(given, f"{names} program_year_starts_in int").withColumn("out", is_holdout())
    rows = frame.collect()
    of = {
        (seed, month): {r.household_id for r in rows if (r.holdout_seed, r.claim_month) == (seed, month) and r.out}
        for seed in ("one", "two")
        for month in months
    }
    assert of["one", "2024-07"] == of["one", "2025-06"] != of["one", "2024-06"]
    assert of["one", "2024-07"] != of["two", "2024-07"]
    assert all(30 <= len(households) <= 70 for households in of.values())
    assert len({(r.household_id, r.claim_month, r.holdout_seed, r.out) for r in rows}) == len(rows) / 2


def test_who_is_held_out_keeps_tier_and_standing(plan):
    made = plan(policy=[POLICY | {"holdout_share": 0.5}])
    for n in range(20):
        made.member(f"m{n}", "phone", household_id=f"H{n}")
    found = made.made()
    out = [r for r in found if r.exclusion_reason == "holdout"]
    assert 0 < len(out) < 20
    assert {(r.within_capacity, r.contact_channel, r.outreach_tier) for r in out} == {(True, None, "Tier 4 - Routine")}
    assert all("Due: influenza since 2024-09-01" in r.reason for r in out)
    assert out[0].claim_month == MONTH
