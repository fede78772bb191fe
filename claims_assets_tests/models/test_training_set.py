"""Training rows: who is in them, what they know, and that they are read again when the tables change."""

from decimal import Decimal

import pytest

from claims_assets.features.member_features import MemberFeatures
from claims_assets.models.training_set import KEYS, held_by, training_rows, training_set
from claims_assets.models.windows import NotTrainable, split_for
from claims_assets.silver.claim_versions import ClaimVersions
from claims_assets.silver.member_months import MemberMonths
from claims_assets_tests.models.population import (
    FIRST,
    LAST,
    MEMBERS,
    TEST_INDEX,
    TRAIN_INDEX,
    TRAINABLE,
    claims,
    line,
    write,
)

SPLIT = split_for(TRAINABLE, FIRST)


def read(lake, spark, **given):
    return training_set(lake, held_by(lake), lambda: spark, TRAINABLE, **given)


def test_train_and_test_are_apart_in_time(planted, spark):
    found = read(planted, spark)
    assert set(found.train["claim_month"]) == {TRAIN_INDEX}
    assert set(found.test["claim_month"]) == {TEST_INDEX}
    assert len(found.train) == len(found.test) == MEMBERS


def test_rows_are_in_one_order_and_missing_is_missing(planted, spark):
    found = read(planted, spark)
    assert list(found.train["member_id"]) == sorted(found.train["member_id"])
    assert found.train["dual_eligible"].isna().all()
    assert not found.train["ltss_indicator"].isna().any()


@pytest.mark.requirement("R1")
@pytest.mark.parametrize(
    ("given", "changes"),
    [
        ({"month": LAST, "known_from": TRAINABLE}, True),
        ({"month": LAST, "known_from": "2025-07"}, False),
        ({"month": "2025-04", "known_from": "2025-04"}, False),
        ({"month": "2023-12", "known_from": "2024-03"}, True),
        ({"month": "2023-12", "known_from": "2024-04"}, False),
    ],
    ids=[
        "known at T",
        "known after T",
        "served after the outcome year",
        "train label, known at the test index",
        "train label, known after the test index",
    ],
)
def test_labels_know_nothing_that_came_after(own_planted, spark, given, changes):
    before = read(own_planted, spark)
    month = given["month"]
    late = line(1, month, 25, "ER", 50_000, claim_id="late", known_from=given["known_from"])
    write(own_planted, "silver", "claim_versions", ClaimVersions, [late], mode="append")
    after = read(own_planted, spark)
    assert (before.fingerprint != after.fingerprint) == changes


def test_a_void_that_was_known_in_time_takes_the_cost_back(own_planted, spark):
    for claim, cancelled in (("stands", None), ("voided", "2025-06"), ("voided later", "2025-07")):
        bill = line(2, LAST, 25, "OP", 7_000, claim_id=claim, cancelled_on=cancelled)
        write(own_planted, "silver", "claim_versions", ClaimVersions, [bill], mode="append")
    before = read_cost(own_planted, spark)
    one_more = line(2, LAST, 26, "OP", 7_000, claim_id="another")
    write(own_planted, "silver", "claim_versions", ClaimVersions, [one_more], mode="append")
    assert read_cost(own_planted, spark) - before == 7_000
    assert before - planted_cost() == 2 * 7_000


def read_cost(lake, spark) -> float:
    rows = read(lake, spark).test.set_index("member_id")
    return rows.loc["M0002", "outcome_total_paid"]


def planted_cost() -> float:
    """The member's cost in the outcome year of the test index, added up from the lines themselves."""
    lines = [x for x in claims(3) if x["member_id"] == "M0002" and "2024-04" <= x["claim_month"] <= LAST]
    return float(sum((x["paid_amount"] for x in lines), Decimal(0)))


def test_members_count_who_are_enrolled_at_the_index_and_in_the_year_after(spark, rows):
    known = {"claim_month": TRAIN_INDEX, "age": 30, "composite_risk_score": 1}
    features = rows(MemberFeatures, *[{"member_id": m, **known} for m in ("stays", "leaves")])
    months = [
        {"member_id": "stays", "claim_month": "2023-12"},
        {"member_id": "leaves", "claim_month": TRAIN_INDEX},
        {"member_id": "leaves", "claim_month": "2024-01"},
        {"member_id": "comes", "claim_month": "2023-01"},
    ]
    found = training_rows(features, rows(MemberMonths, *months), rows(ClaimVersions), SPLIT).collect()
    assert [(r.member_id, r.claim_month, r.outcome_er_visit_count) for r in found] == [("stays", TRAIN_INDEX, 0.0)]


def test_a_share_takes_the_same_members_every_time(planted, spark):
    half = read(planted, spark, most_rows=MEMBERS)
    again = read(planted, spark, most_rows=MEMBERS)
    members = set(half.train["member_id"])
    assert 0.3 * MEMBERS < len(members) < 0.7 * MEMBERS
    assert members == set(half.test["member_id"])
    assert half.fingerprint == again.fingerprint != read(planted, spark).fingerprint


def test_tables_that_changed_are_read_again_and_others_are_not(own_planted, spark):
    def no_session():
        raise AssertionError("nothing changed, so nothing is to be read")

    first = read(own_planted, spark)
    assert training_set(own_planted, held_by(own_planted), no_session, TRAINABLE) is first
    bill = line(1, LAST, 27, "OP", 10, claim_id="new")
    write(own_planted, "silver", "claim_versions", ClaimVersions, [bill], mode="append")
    assert read(own_planted, spark) is not first


def test_an_empty_lake_says_what_to_do(lake, spark):
    with pytest.raises(NotTrainable, match=r"silver\.claim_versions holds no claims: materialize it first"):
        read(lake, spark)


def test_keys_come_first(planted, spark):
    assert tuple(read(planted, spark).train.columns[:2]) == KEYS
