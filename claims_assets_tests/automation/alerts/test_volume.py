"""Too few rows: each rule at its limits, with the day passed in."""

from datetime import date

import pytest

from claims_assets.automation.alerts import volume
from claims_assets.partitions import add_months


def months(rows, last="2024-01"):
    return {add_months(last, i - len(rows) + 1): n for i, n in enumerate(rows)}


@pytest.mark.parametrize(
    ("rows", "low"),
    [
        ([100] * 12 + [49], True),
        ([100] * 12 + [50], False),
        ([100] * 5 + [0], False),  # five months say nothing of what is usual
        ([100] * 6 + [0], True),
        ([20] * 12 + [0], False),  # a median below thirty is too small to be sure
        ([1000, *[100] * 12, 49], True),  # only the twelve before count
    ],
)
def test_a_month_below_half_of_the_median_of_the_twelve_before_is_low(rows, low):
    found = volume.low_volume({"bronze.medical_claims": months(rows)}, date(2024, 3, 10))
    assert [c.claim_month for c in found] == (["2024-01"] if low else [])


def test_a_month_is_judged_only_when_most_claims_must_have_come():
    rows = {"bronze.medical_claims": months([100] * 12 + [10], last="2024-02")}
    assert volume.low_volume(rows, date(2024, 3, 30)) == []
    assert [c.claim_month for c in volume.low_volume(rows, date(2024, 3, 31))] == ["2024-02"]


@pytest.mark.parametrize(("newest", "told"), [(49, True), (50, False)])
def test_fewer_than_fifty_predictions_in_the_newest_month_are_told(newest, told):
    rows = {"gold.member_risk_predictions": {"2024-01": 3, "2024-02": newest}, "gold.pmpm": {"2024-02": 1}}
    assert [c.claim_month for c in volume.few_rows(rows)] == (["2024-02"] if told else [])
