"""Chains of claim versions: who cancels whom, and since when it was known."""

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claims_assets.bronze.chains import CYCLE, LINKED, SEPARATOR, UNKNOWN_ORIGINAL, Version, resolve

MONTHS = [f"2024-{m:02d}" for m in range(1, 7)]
LAST = "9999-12"
"""A month by which everything is known."""


def version(claim_id, indicator="0", original=None, paid="2024-01-10", known=None):
    return Version(claim_id, indicator, original, paid, known or (paid or "2024-01")[:7])


def standing(versions, month=LAST):
    """(claim id, indicator) of the versions that count as of a month."""
    return sorted(
        (v.claim_id, v.adjustment_indicator)
        for v in versions
        if v.chain_state != CYCLE
        and v.adjustment_indicator != "1"
        and v.known_from <= month < (v.cancelled_on or LAST + "x")
    )


def after(*versions):
    resolve(versions)
    return [claim_id for claim_id, _ in standing(versions)]


def test_a_void_leaves_nothing():
    assert after(version("A"), version("V", "1", "A", "2024-02-10")) == []


def test_a_replacement_leaves_only_itself():
    assert after(version("A"), version("B", "4", "A", "2024-02-10")) == ["B"]


def test_a_second_replacement_outlives_the_first_whichever_it_names():
    for named in ("A", "B"):
        assert after(version("A"), version("B", "4", "A", "2024-02-10"), version("C", "4", named, "2024-03-10")) == [
            "C"
        ]


def test_a_replacement_after_a_void_stands():
    assert after(version("A"), version("V", "1", "A", "2024-02-10"), version("B", "4", "A", "2024-02-11")) == ["B"]


def test_a_void_and_a_replacement_of_one_claim_paid_the_same_day_leave_the_replacement():
    assert after(version("A"), version("V", "1", "A", "2024-02-10"), version("B", "4", "A", "2024-02-10")) == ["B"]


def test_a_void_of_a_replacement_does_not_bring_the_original_back():
    assert after(version("A"), version("B", "4", "A", "2024-02-10"), version("V", "1", "B", "2024-03-10")) == []


def test_a_void_of_a_replacement_paid_the_same_day_comes_after_it():
    assert after(version("A"), version("B", "4", "A"), version("V", "1", "B")) == []


@pytest.mark.parametrize("original", [None, "A"])
def test_an_adjustment_may_bear_the_id_of_its_original(original):
    versions = [version("A"), version("A", "4", original, "2024-02-10")]
    resolve(versions)
    assert standing(versions) == [("A", "4")]
    assert after(version("A"), version("A", "1", original, "2024-02-10")) == []


def test_a_void_and_a_replacement_may_both_bear_the_id_of_their_original():
    versions = [version("A"), version("A", "1", None, "2024-02-10"), version("A", "4", None, "2024-02-10")]
    resolve(versions)
    assert standing(versions) == [("A", "4")]


def test_a_void_under_the_id_of_a_replacement_paid_the_same_day_comes_after_it():
    assert after(version("A"), version("B", "4", "A"), version("B", "1")) == []


def test_what_names_an_id_comes_after_its_first_version_and_not_after_its_later_ones():
    early = [version("V", "1", "A", "2024-02-10"), version("R", "4", "V", "2024-02-11")]
    versions = [version("A"), version("A", "4", None, "2024-03-10"), *early]
    resolve(versions)
    assert standing(versions) == [("A", "4")]


def test_two_originals_never_cancel_one_another():
    assert after(version("A"), version("B", paid="2024-02-10"), version("V", "1", "C")) == ["A", "B"]


def test_an_original_that_names_another_claim_replaces_it():
    assert after(version("A"), version("B", "0", "A", "2024-02-10")) == ["B"]


def test_an_original_that_names_another_claim_outlives_a_void_of_that_claim_paid_the_same_day():
    back_out, rebill = version("B", "1", "A", "2024-02-10"), version("B", "0", "A", "2024-02-10")
    versions = [version("A"), back_out, rebill]
    resolve(versions)
    assert standing(versions) == [("B", "0")]


def test_a_version_that_names_several_claims_adjusts_them_all():
    versions = [version("A"), version("B"), version("C"), version("R", "4", f"A{SEPARATOR}B", "2024-02-10")]
    resolve(versions)
    assert standing(versions) == [("C", "0"), ("R", "4")]
    assert [v.cancelled_by for v in versions] == ["R", "R", None, None]


def test_a_version_that_names_several_claims_is_linked_when_one_of_them_is_known():
    versions = [version("B"), version("V", "1", f"A{SEPARATOR}B", "2024-02-10")]
    resolve(versions)
    assert (versions[1].chain_state, versions[0].cancelled_by) == (LINKED, "V")


def test_an_earlier_version_that_arrives_late_never_stands():
    late = version("A", paid="2024-01-10", known="2024-05")
    versions = [version("B", "4", "A", "2024-02-10"), late]
    resolve(versions)
    assert [standing(versions, m) for m in ("2024-02", "2024-05", LAST)] == [[("B", "4")]] * 3
    assert (late.cancelled_on, late.cancelled_by) == ("2024-05", "B")


def test_a_void_without_paid_date_comes_after_the_claim_it_names():
    assert after(version("A", paid="2024-01-20"), version("V", "1", "A", None, "2024-01")) == []
    assert after(version("A", paid="2024-03-20"), version("V", "1", "A", None, "2024-01")) == []


def test_a_claim_counts_until_the_month_in_which_its_void_is_known():
    versions = [version("A"), version("V", "1", "A", "2024-02-10", known="2024-04")]
    resolve(versions)
    assert [standing(versions, m) for m in ("2023-12", "2024-01", "2024-03", "2024-04")] == [
        [],
        [("A", "0")],
        [("A", "0")],
        [],
    ]
    assert (versions[0].cancelled_on, versions[0].cancelled_by) == ("2024-04", "V")


def test_the_first_of_two_later_versions_cancels():
    versions = [version("A"), version("B", "4", "A", "2024-02-10"), version("C", "4", "A", "2024-03-10")]
    resolve(versions)
    assert [(v.cancelled_on, v.cancelled_by) for v in versions] == [("2024-02", "B"), ("2024-03", "C"), (None, None)]


def test_a_chain_is_known_once_the_names_that_lead_through_it_are():
    versions = [
        version("A"),
        version("C", "4", "B", "2024-03-10"),
        version("B", "4", "A", "2024-02-10", known="2024-05"),
    ]
    resolve(versions)
    assert standing(versions, "2024-04") == [("A", "0"), ("C", "4")]
    assert standing(versions, "2024-05") == [("C", "4")]


def test_a_claim_nobody_holds_is_the_root_of_those_that_name_it():
    versions = [version("B", "4", "A"), version("C", "4", "A", "2024-02-10"), version("V", "1", "C", "2024-03-10")]
    resolve(versions)
    assert [v.root_claim_id for v in versions] == ["A", "A", "A"]
    assert [v.chain_state for v in versions] == [UNKNOWN_ORIGINAL, UNKNOWN_ORIGINAL, LINKED]


def test_the_root_is_the_claim_that_names_no_other_whatever_its_id():
    versions = [version("Z"), version("B", "4", "Z"), version("C", "4", "B")]
    resolve(versions)
    assert {v.root_claim_id for v in versions} == {"Z"}


def test_a_void_is_no_original_of_a_replacement_under_the_same_id():
    versions = [version("A", "1"), version("A", "4")]
    resolve(versions)
    assert [v.chain_state for v in versions] == [LINKED, UNKNOWN_ORIGINAL]


def test_a_void_under_its_own_id_alone_has_no_known_original():
    versions = [version("A", "1")]
    resolve(versions)
    assert versions[0].chain_state == UNKNOWN_ORIGINAL


def test_a_cycle_is_named_and_so_is_what_hangs_on_it():
    versions = [
        version("A", "4", "B"),
        version("B", "4", "A"),
        version("C", "1", "B"),
        version("D"),
        version("E", "4", "D"),
    ]
    resolve(versions)
    assert [v.chain_state for v in versions] == [CYCLE, CYCLE, CYCLE, LINKED, LINKED]
    assert [v.root_claim_id for v in versions] == ["A", "A", "A", "D", "D"]


def test_a_chain_of_two_thousand_replacements_ends_in_the_last():
    chain = [version("R0000")] + [version(f"R{i:04d}", "4", f"R{i - 1:04d}") for i in range(1, 2000)]
    random.Random(1).shuffle(chain)
    assert after(*chain) == ["R1999"]


def test_no_versions_resolve_to_nothing():
    assert after() == []


@st.composite
def chains(draw):
    """One to four chains: a version names an earlier one (or an unknown root), is paid after it, arrives any month."""
    versions = []
    for chain in range(draw(st.integers(1, 4))):
        ids = [f"{chain}-0"]
        day = {ids[0]: draw(st.integers(1, 20))}
        if draw(st.booleans()):
            versions.append(_drawn(draw, ids[0], "0", None, day[ids[0]]))
        for i in range(1, draw(st.integers(0, 6)) + 1):
            named = draw(st.sampled_from(ids))
            claim, later = f"{chain}-{i}", day[named] + draw(st.integers(0, 3))
            ids.append(claim)
            day[claim] = later
            versions.append(_drawn(draw, claim, draw(st.sampled_from("144")), named, later))
    return versions


def _drawn(draw, claim, indicator, named, day):
    return Version(
        claim, indicator, named, f"2024-{1 + day // 28:02d}-{1 + day % 28:02d}", draw(st.sampled_from(MONTHS))
    )


def stands_by_oracle(versions, month):
    """What counts as of a month, from nothing but the versions known by then: walk each chain, keep its last."""
    known = {v.claim_id: v for v in versions if v.known_from <= month}

    def up(claim):
        while claim in known and known[claim].original_claim_id:
            claim = known[claim].original_claim_id
            yield claim

    last = {}
    for claim, v in known.items():
        path = [claim, *up(claim)]
        rank = (v.paid_date, len(path), v.adjustment_indicator, claim)
        last[path[-1]] = max(last.get(path[-1], ("", 0, "", "")), rank)
    return sorted((rank[3], rank[2]) for rank in last.values() if rank[2] != "1")


def copies(versions):
    return [replace(v) for v in versions]


@settings(max_examples=300, deadline=None)
@given(chains())
def test_what_stands_in_a_month_is_what_could_be_known_in_it(versions):
    expected = {m: stands_by_oracle(versions, m) for m in MONTHS}
    resolve(versions)
    assert {m: standing(versions, m) for m in MONTHS} == expected


@pytest.mark.requirement("R8")
@settings(max_examples=100, deadline=None)
@given(chains(), st.randoms(use_true_random=False))
def test_the_order_of_rows_never_matters(versions, rng):
    shuffled = copies(rng.sample(versions, len(versions)))
    resolve(versions)
    resolve(shuffled)
    assert sorted(map(repr, versions)) == sorted(map(repr, shuffled))


@settings(max_examples=100, deadline=None)
@given(chains(), st.randoms(use_true_random=False))
def test_the_order_of_arrival_never_matters_for_what_stands_in_the_end(versions, rng):
    months = rng.sample([v.known_from for v in versions], len(versions))
    other = [replace(v, known_from=m) for v, m in zip(versions, months, strict=True)]
    resolve(versions)
    resolve(other)
    assert standing(versions) == standing(other)


@settings(max_examples=100, deadline=None)
@given(chains())
def test_one_version_of_a_chain_is_left_and_counts_unless_it_is_a_void(versions):
    resolve(versions)
    for root in {v.root_claim_id for v in versions}:
        left = [v for v in versions if v.root_claim_id == root and v.cancelled_on is None]
        assert len(left) == 1
        counting = [claim for claim, _ in standing(versions) if claim.split("-")[0] == root.split("-")[0]]
        assert counting == [v.claim_id for v in left if v.adjustment_indicator != "1"]


@pytest.mark.requirement("R7")
@settings(max_examples=100, deadline=None)
@given(chains(), st.integers(0, 30))
def test_adding_a_void_never_raises_what_is_paid(versions, pick):
    if not versions:
        return
    amount = {v.claim_id: 100 + 7 * i for i, v in enumerate(versions)}
    target = versions[pick % len(versions)]
    void = Version("void", "1", target.claim_id, target.paid_date, "2024-06")
    with_void = [*copies(versions), void]
    resolve(versions)
    resolve(with_void)
    assert sum(amount[c] for c, _ in standing(with_void)) <= sum(amount[c] for c, _ in standing(versions))
