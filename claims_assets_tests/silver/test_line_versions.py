"""Lines of one number: repeats, corrections, and reversals by negative amounts."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claims_assets.silver.line_versions import CONFLICT, REPEAT, UNMATCHED, Line, settle

MONTHS = [f"2024-{m:02d}" for m in range(1, 7)]
LAST = MONTHS[-1]


def line(amount, day="2024-01-10", known=None, status=None, indicator="0", content="", place=2):
    said = f"{amount} {day} {status} {content}"
    text = None if amount is None else str(amount)
    return Line(indicator, status, text, day, known or (day or "2024-01")[:7], said, "claims.csv", place)


def counting(lines, month=LAST):
    """Lines that count as of a month: at most one."""
    return [
        x
        for x in lines
        if x.reason is None
        and x.counts_from <= month
        and (x.line_cancelled_on is None or month < x.line_cancelled_on)
        and x.adjustment_indicator != "1"
    ]


def paid(lines, month=LAST):
    return sum((x.money for x in counting(lines, month) if x.is_paid), Decimal(0))


def after(*lines):
    settle(lines)
    return paid(lines)


D1, D2, D3 = "2024-01-10", "2024-02-10", "2024-03-10"


@pytest.mark.requirement("R7")
def test_an_amount_negated_takes_the_line_back_R7():
    lines = [line(100, D1), line(-100, D2)]
    assert after(*lines) == 0
    assert [paid(lines, m) for m in MONTHS[:3]] == [100, 0, 0]
    assert [(x.line_cancelled_on, x.reason, x.version_number) for x in lines] == [
        ("2024-02", None, 1),
        ("2024-02", None, 2),
    ]


@pytest.mark.parametrize("day", [D1, D2, D3, None])
def test_what_is_reissued_on_the_day_of_the_reversal_or_later_stands(day):
    assert after(line(100, day and D1), line(-100, day and min(day, D2)), line(80, day)) == 80


def test_a_line_reversed_and_paid_again_stands():
    assert after(line(100, D1), line(-100, D2), line(100, D3)) == 100
    assert after(line(100, D1), line(-100, D2), line(100, D2)) == 100
    assert after(line(100, D1), line(-100, D2), line(100, D2), line(-100, D3)) == 0


def test_a_reversal_paid_before_its_line_takes_it_back_once_both_are_known():
    lines = [line(-100, D1), line(100, D2)]
    assert after(*lines) == 0
    assert [paid(lines, m) for m in MONTHS[:3]] == [-100, 0, 0]


def test_a_reversal_of_an_earlier_line_leaves_its_correction():
    assert after(line(100, D1), line(80, D2), line(-100, D3)) == 80


def test_a_reversed_correction_does_not_bring_back_what_it_corrected():
    assert after(line(100, D1), line(80, D2), line(-80, D3)) == 0


def test_the_status_reversed_takes_back_like_a_negative_amount():
    assert after(line(100, D1, status="PAID"), line(100, D2, status="REVERSED")) == 0
    assert after(line(100, D1), line(100, D2, status="REVERSED"), line(80, D2)) == 80
    assert after(line(100, D1), line(-100, D2, status="REVERSED"), line(80, D2)) == 80


@pytest.mark.parametrize("amount", [None, "0.00", "95.00"])
def test_a_reversal_that_states_another_amount_ends_what_was_paid_before_it(amount):
    assert after(line(100, D1), line(amount, D2, status="REVERSED")) == 0


def test_a_reversal_without_amount_ends_what_was_paid_the_same_day():
    assert after(line(100, D1), line("0.00", D1, status="REVERSED")) == 0


def test_a_partial_reversal_is_set_aside():
    lines = [line(100, D1), line(-30, D2)]
    assert after(*lines) == 100
    assert [x.reason for x in lines] == [None, UNMATCHED]


def test_a_second_reversal_of_one_line_is_set_aside():
    lines = [line(100, D1), line(-100, D2), line(-100, D3)]
    assert after(*lines) == 0
    assert [x.reason for x in lines] == [None, None, UNMATCHED]


def test_a_negative_payment_without_a_positive_one_stays():
    assert after(line(-20)) == -20
    lines = [line(-20, D1), line(-25, D2)]
    assert after(*lines) == -25
    assert [x.reason for x in lines] == [None, None]


def test_a_denial_takes_nothing_that_a_reversal_could_be_matched_with():
    assert after(line(100, D1, status="DENIED"), line(100, D2), line(-100, D3)) == 0


def test_a_correction_counts_from_its_own_month_and_what_it_corrects_until_then():
    lines = [line(100, D1), line(90, D3), line(95, D2)]
    settle(lines)
    assert [paid(lines, m) for m in MONTHS[:3]] == [100, 95, 90]
    assert [x.version_number for x in lines] == [1, 3, 2]


def test_a_paid_line_denied_later_counts_no_more():
    lines = [line(100, D1), line(0, D2, status="DENIED")]
    assert after(*lines) == 0
    assert counting(lines) == [lines[1]]


def test_an_earlier_statement_that_arrives_late_never_counts():
    lines = [line(100, D1, known="2024-05"), line(90, D2)]
    assert after(*lines) == 90
    assert (lines[0].line_cancelled_on, lines[0].reason) == ("2024-05", None)


def test_a_repeat_is_set_aside_and_the_first_known_is_kept():
    lines = [line(100, D1, "2024-03"), line(100, D1, "2024-02", place=7), line(100, D1, "2024-02", place=3)]
    settle(lines)
    assert [x.reason for x in lines] == [REPEAT, REPEAT, None]
    assert lines[2].counts_from == "2024-02"


def test_of_two_statements_of_one_day_the_larger_holds_and_the_other_conflicts():
    for known in ([D1[:7], D1[:7]], ["2024-02", D1[:7]]):
        lines = [line(80, D1, known[0]), line(100, D1, known[1])]
        assert after(*lines) == 100
        assert [x.reason for x in lines] == [CONFLICT, None]


def test_a_conflicting_statement_that_has_counted_stays_until_the_other_came():
    lines = [line(80, D1, "2024-01"), line(100, D1, "2024-02")]
    settle(lines)
    assert [paid(lines, m) for m in MONTHS[:2]] == [80, 100]


def test_a_statement_that_lost_to_one_taken_back_later_counts_from_then_on():
    lines = [line(100, D1), line(80, D1), line(-100, D1, "2024-03")]
    settle(lines)
    assert [paid(lines, m) for m in MONTHS[:3]] == [100, 100, 80]


def test_an_equal_line_that_arrives_behind_a_reversal_holds_in_place_of_the_one_taken_back():
    lines = [line(100, D2), line(-100, D3), line(100, D1, "2024-05")]
    settle(lines)
    assert [paid(lines, m) for m in MONTHS] == [0, 100, 0, 0, 100, 100]


def test_voids_never_count_whatever_their_sign():
    lines = [line(100, D1, indicator="1"), line(-100, D2, indicator="1")]
    assert after(*lines) == 0
    assert [(x.reason, x.line_cancelled_on) for x in lines] == [(None, "2024-02"), (None, None)]


@st.composite
def histories(draw, own_days=False):
    """Up to eight lines of one number with few amounts, days, months and statuses, so that they collide."""
    days = st.sampled_from([D1, D2, D3, "2024-04-10"])
    made = []
    for i in range(draw(st.integers(1, 8))):
        day = f"2024-01-{10 + i}" if own_days else draw(days)
        amount = draw(st.sampled_from([100, 80, 0, -100, -80, -30]))
        status = draw(st.sampled_from([None, "PAID", "PAID", "DENIED", "REVERSED"]))
        made.append(line(amount, day, draw(st.sampled_from(MONTHS)), status, content=draw(st.integers(0, 1)), place=i))
    return made


def copies(lines):
    return [replace(x) for x in lines]


@pytest.mark.requirement("R8")
@settings(max_examples=300, deadline=None)
@given(histories(), st.randoms(use_true_random=False))
def test_the_order_of_rows_never_matters(lines, rng):
    shuffled = copies(rng.sample(lines, len(lines)))
    settle(lines)
    settle(shuffled)
    assert sorted(map(repr, lines)) == sorted(map(repr, shuffled))


@pytest.mark.requirement("R8")
@settings(max_examples=300, deadline=None)
@given(histories(own_days=True), st.randoms(use_true_random=False))
def test_the_order_of_arrival_never_matters_for_what_is_paid_today(lines, rng):
    months = rng.sample([x.known_from for x in lines], len(lines))
    other = [replace(x, known_from=m) for x, m in zip(lines, months, strict=True)]
    settle(lines)
    settle(other)
    assert paid(lines) == paid(other)


@settings(max_examples=300, deadline=None)
@given(histories(), st.sampled_from(MONTHS))
def test_what_is_known_later_changes_no_past_month(lines, month):
    then = [replace(x) for x in lines if x.known_from <= month]
    settle(lines)
    settle(then)
    for past in [m for m in MONTHS if m <= month]:
        assert [x.source_line for x in counting(lines, past)] == [x.source_line for x in counting(then, past)]


@settings(max_examples=300, deadline=None)
@given(histories(), st.sampled_from([100, 80, 30]), st.sampled_from([D1, D2, "2024-05-10"]), st.booleans())
def test_a_reversal_never_raises_what_is_paid(lines, amount, day, negative):
    reversal = line(-amount if negative else amount, day, "2024-07", "REVERSED", place=99)
    more = [*copies(lines), reversal]
    settle(lines)
    settle(more)
    stating = any(x.money >= 0 for x in lines)
    assert paid(more, "2024-07") <= paid(lines) or not stating


@settings(max_examples=200, deadline=None)
@given(histories())
def test_lines_sent_again_change_nothing_that_stands(lines):
    again = [replace(x, known_from=LAST, source_file="again.csv") for x in lines]
    more = [*copies(lines), *again]
    settle(lines)
    settle(more)
    for month in MONTHS:
        assert [x.content for x in counting(more, month)] == [x.content for x in counting(lines, month)]


@settings(max_examples=200, deadline=None)
@given(histories())
def test_at_most_one_line_counts_in_a_month_and_every_line_has_a_place(lines):
    settle(lines)
    assert all(len(counting(lines, m)) <= 1 for m in MONTHS)
    kept = [x.version_number for x in lines if x.reason is None]
    assert len(kept) == len(set(kept))
