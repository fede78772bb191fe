"""Months of service valued as of later months: what must hold for any movements."""

from calendar import monthrange

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claims_assets.features.valuation import EXPOSED, MOVED, VALUED_MONTHS, valued
from claims_assets.partitions import month_index
from claims_assets.silver.service_categories import SERVICE_CATEGORIES

START, MONTHS = month_index("2022-01"), 40
CATEGORIES = SERVICE_CATEGORIES[:3]

movement = st.tuples(
    st.integers(0, MONTHS - 1), st.integers(0, 30), st.sampled_from(CATEGORIES), st.integers(-1000, 10_000)
)


def facts(*movements, members=(100,) * MONTHS) -> pd.DataFrame:
    """(month of service, age, category, cents): fifty claims each; and the members of each month, all days."""
    rows = [
        {"incurred": START + i, "moved": START + i + age, "service_category": category, "paid": cents, "claims": 50,
         "claim_lines": 50}
        for i, age, category, cents in movements
    ]  # fmt: skip
    rows += [
        {"incurred": START + i, "moved": START + i, "members": n, "enrolled_days": days_of(START + i) * n}
        for i, n in enumerate(members)
    ]
    frame = pd.DataFrame(rows, columns=["incurred", "moved", "service_category", *MOVED, *EXPOSED])
    numbers = [*MOVED, *EXPOSED]
    return frame.astype({"service_category": object}).assign(**frame[numbers].fillna(0).astype("int64"))


def days_of(number: int) -> int:
    return monthrange(number // 12, number % 12 + 1)[1]


def month(number: int, months, of: pd.DataFrame) -> pd.DataFrame:
    """The rows of one as-of month, of a run over `months`."""
    frame = valued(of, [START + m for m in months])
    return frame[frame["as_of"] == START + number].reset_index(drop=True)


@settings(max_examples=25, deadline=None)
@given(st.lists(movement, max_size=120), st.integers(0, MONTHS - 1), st.lists(st.integers(0, MONTHS - 1), max_size=3))
def test_a_month_does_not_depend_on_those_asked_for_with_it(movements, asked, others):
    of = facts(*movements)
    pd.testing.assert_frame_equal(month(asked, [asked], of), month(asked, sorted({asked, *others}), of))


@settings(max_examples=25, deadline=None)
@given(st.lists(movement, max_size=120), st.integers(0, MONTHS - 1))
def test_what_becomes_known_later_changes_nothing(movements, asked):
    known = [m for m in movements if m[0] + m[1] <= asked]
    pd.testing.assert_frame_equal(month(asked, [asked], facts(*movements)), month(asked, [asked], facts(*known)))


@settings(max_examples=25, deadline=None)
@given(st.lists(movement, max_size=120), st.integers(2, 50))
def test_shares_do_not_depend_on_the_unit_of_amounts(movements, scale):
    times = [(i, age, category, cents * scale) for i, age, category, cents in movements]
    one, other = (month(39, [39], facts(*m))[["completion_factor", "completion_basis"]] for m in (movements, times))
    pd.testing.assert_frame_equal(one, other)


def paid_at_once(*months, category="dental", cents=10_000):
    return [(i, 0, category, cents) for i in months]


def test_paid_at_once_is_complete_and_mature_after_three_months():
    found = month(39, [39], facts(*paid_at_once(*range(MONTHS)))).query("service_category == 'dental'")
    assert len(found) == VALUED_MONTHS
    assert (found["completion_factor"] == 1).all() and (found["completion_basis"] == "service_category").all()
    assert found[found["is_mature"]]["age_months"].min() == 3 and found["is_mature"].sum() == 21
    assert (found["member_months"] == 100).all() and (found["pmpm"] == 1.0).all()


def test_a_history_of_less_than_a_year_completes_nothing():
    found = month(11, [11], facts(*paid_at_once(*range(12)))).query("service_category == 'dental'")
    assert found["completion_factor"].isna().all() and found["completed_paid"].isna().all()
    assert found["completed_pmpm"].isna().all() and not found["is_mature"].any()
    assert not month(12, [12], facts(*paid_at_once(*range(13))))["completion_factor"].isna().any()


def test_a_category_of_few_claims_takes_the_factors_of_all():
    many = [(i, age, "inpatient", cents) for i in range(MONTHS) for age, cents in ((0, 5_000), (1, 5_000))]
    few = [(i, age, "dental", cents) for i in range(35, 37) for age, cents in ((0, 100), (1, 900))]
    found = month(39, [39], facts(*many, *few)).query("age_months == 0").set_index("service_category")
    assert found.loc["inpatient", ["completion_factor", "completion_basis"]].tolist() == [0.5, "service_category"]
    assert found.loc["dental", "completion_basis"] == "all_categories"
    # steps from 50.00 to 100.00, two of them with the 1.00 to 10.00 of the few, which grew most and are left out
    assert found.loc["dental", "completion_factor"] == 0.5
    assert found.loc["inpatient", "completed_paid"] == 10_000


def test_late_payments_of_every_month_are_expected_of_the_next():
    paid = [(i, age, "dental", cents) for i in range(MONTHS) for age, cents in ((0, 6_000), (2, 3_200), (5, 800))]
    found = month(39, [39], facts(*paid)).query("service_category == 'dental'").set_index("age_months").sort_index()
    assert found["completion_factor"].loc[:6].tolist() == pytest.approx([0.6, 0.6, 0.92, 0.92, 0.92, 1, 1])
    assert (found["completed_paid"] == 10_000).all()
    assert found["is_mature"].loc[:6].tolist() == [False, False, False, True, True, True, True]


def test_months_without_members_and_claims_have_no_rows():
    members = [0] * 30 + [7] * 10
    found = month(39, [39], facts(*paid_at_once(25), members=members))
    assert sorted(set(found["incurred"] - START)) == [25, *range(30, 40)]
    assert found.query("incurred == @START + 25")["pmpm"].isna().all()
    assert (found.query("incurred >= @START + 30").groupby("incurred").size() == len(SERVICE_CATEGORIES)).all()
