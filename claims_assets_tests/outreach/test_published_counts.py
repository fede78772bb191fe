"""The published tables of a month, taken together, tell no count of 1 to 10."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claims_assets.outreach import immunization_program_roi as roi
from claims_assets.outreach.disclosure import is_small
from claims_assets.outreach.published_counts import (
    ALL,
    DIMENSIONS,
    EXCLUDED,
    LISTED,
    MEASURES,
    MEMBERS,
    TIER_MEASURES,
    TIER_NAMES,
    published,
    sums_of,
)
from claims_assets_tests.outreach.made_targeting import COUNTIES, member, population
from claims_assets_tests.outreach.test_disclosure import COUNT, largest

STANDINGS = (EXCLUDED, *TIER_MEASURES)


@st.composite
def two_tables(draw):
    """The same members by two dimensions: a few kinds of members, each with a county, a sex and a standing."""
    kinds = st.tuples(st.sampled_from("ABC"), st.sampled_from("FM"), st.sampled_from(STANDINGS))
    members = draw(st.dictionaries(kinds, COUNT, min_size=1, max_size=10))
    counted = {"county": {}, "gender": {}}
    for (county, sex, standing), n in members.items():
        for dimension, value in (("county", county), ("gender", sex)):
            counted[dimension][value, standing] = counted[dimension].get((value, standing), 0) + n
    return counted


@pytest.mark.requirement("R15")
@settings(max_examples=25, deadline=None)
@given(two_tables())
def test_no_count_of_one_to_ten_is_told_by_several_tables_together(counted):
    counts = published(counted)
    sums = sums_of(counts.values)
    for s in sums:
        assert counts.values[s.total] == sum(counts.values[p] for p in s.parts)
    for cell, n in counts.values.items():
        if is_small(n):
            assert counts.shown(*cell) is None
            assert largest(counts.values, sums, counts.hidden, cell) >= 11


@pytest.mark.requirement("R15")
def test_the_files_show_what_may_be_shown_and_nothing_else(extracted):
    told, rows = extracted("immunization_geographic_summary", population(900))
    assert [r["county"] for r in rows] == ["all", *sorted(c for c, _ in COUNTIES)]
    assert told["cells_hidden"] > told["cells_hidden_to_protect_others"] > 0
    _, factors = extracted("immunization_risk_factor_analysis")
    assert {r["risk_factor"] for r in factors} == {ALL, *DIMENSIONS} - {"county"}
    for row in [*rows, *factors]:
        shown = [row[m] for m in MEASURES]
        assert not [n for n in shown if n is not None and is_small(n)]
        if row["listed_share"] is not None:
            assert row["listed_share"] == round(row[LISTED] / row[MEMBERS], 4)
        assert None in shown or row[MEMBERS] == row[EXCLUDED] + sum(row[m] for m in TIER_MEASURES)
    assert {n: rows[0][n] for n in MEASURES} == {n: factors[0][n] for n in MEASURES}, "one judgement for both"


def test_a_cost_is_shown_only_where_all_counts_of_the_county_are(extracted):
    few = [member(n, county="Loving") for n in range(40)] + [member(50, county="Loving", outreach_tier=TIER_NAMES[0])]
    many = [member(n, county="Harris", estimated_preventable_cost="3500.00") for n in range(100, 200)]
    both = [member(n, county="Harris", outreach_tier=TIER_NAMES[0]) for n in range(200, 260)]
    _, rows = extracted("immunization_geographic_summary", few + many + both)
    cost = {r["county"]: r["estimated_preventable_cost"] for r in rows}
    assert cost == {"all": None, "Harris": None, "Loving": None}
    _, rows = extracted("immunization_geographic_summary", many + both)
    assert [r["estimated_preventable_cost"] for r in rows] == [None, 440_000]


def test_the_return_follows_the_sources_and_shows_its_assumptions(extracted):
    rows = [member(n, vaccines_due=["influenza", "zoster"]) for n in range(20)]
    rows += [member(n, outreach_tier=TIER_NAMES[3], vaccines_due=["mmr"]) for n in range(20, 60)]
    rows += [member(n, disposition="excluded") for n in range(60, 80)]
    _, found = extracted("immunization_program_roi", rows)
    second, last = found[1], found[-1]
    assert (second["members_listed"], second["assumed_outreach_cost"], second["assumed_uptake"]) == (20, 300, 0.4)
    assert second["assumed_prevented_cost"] == 20 * 1500 * 0.4
    assert second["assumed_return"] == round(20 * 1500 * 0.4 / 300, 2)
    assert second["assumed_vaccine_cost"] == 0.4 * 20 * (30 + 200)
    assert (last["outreach_tier"], last["members_listed"], last["assumed_outreach_cost"]) == (ALL, 60, 340)
    assert found[3]["assumed_vaccine_cost"] == 0
    assert all("assumed" in r["basis"] for r in found)
    assert {r["measured_uptake_difference"] for r in found} == {None}, "nothing was measured yet"


def test_a_hidden_tier_takes_every_sum_of_costs_with_it(extracted):
    rows = [member(n) for n in range(40)] + [member(n, outreach_tier=TIER_NAMES[0]) for n in range(40, 43)]
    _, found = extracted(
        "immunization_program_roi", [*rows, *[member(n, disposition="excluded") for n in range(50, 90)]]
    )
    money = [n for n in found[0] if n.startswith("assumed_") and "per_member" not in n and n != "assumed_uptake"]
    hidden = [r for r in found if r["members_listed"] is None]
    assert TIER_NAMES[0] in [r["outreach_tier"] for r in hidden]
    assert [r[n] for r in [*hidden, found[-1]] for n in money] == [None] * len(money) * (len(hidden) + 1)


def test_few_doses_of_a_vaccine_hide_their_cost(extracted):
    rows = [member(n, vaccines_due=["zoster"] if n < 4 else ["influenza"]) for n in range(40)]
    _, found = extracted("immunization_program_roi", rows)
    assert found[1]["assumed_prevented_cost"] is not None
    assert [r["assumed_vaccine_cost"] for r in (found[1], found[-1])] == [None, None]


def test_the_newest_measured_list_stands_beside_the_assumption(rows, lake, spark):
    from claims_assets.monitoring.outreach_outcomes import OutreachOutcomes

    def judged(month, difference, **given):
        usual = {"claim_month": month, "list_month": "2024-11", "outreach_group": "listed", "vaccine": "any"}
        return usual | {"outreach_tier": ALL, "difference": difference, "absent": []} | given

    frame = rows(
        OutreachOutcomes,
        judged("2025-02", "0.04"),
        judged("2025-03", "0.06"),
        judged("2025-03", "0.5", vaccine="zoster"),
        judged("2025-03", None, outreach_group="holdout"),
        judged("2025-04", "0.9"),
        judged("2025-05", None),
    )
    lake.write(frame, "monitoring", "outreach_outcomes", OutreachOutcomes, ["2025-02", "2025-03", "2025-04", "2025-05"])
    assert roi.measured_uptake(lake, "2025-03")[ALL]["difference"] == 0.06
    assert roi.measured_uptake(lake, "2025-05")[ALL]["difference"] == 0.9, "the list of May shows none"
    assert roi.measured_uptake(lake, "2025-01") == {}
