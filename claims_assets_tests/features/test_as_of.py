"""When a line counts: service within twelve months, known, not yet cancelled."""

import random

import pytest

from claims_assets.features.as_of import BITS, BLOCK, joined, spread_bits
from claims_assets.partitions import months_between
from claims_assets_tests.features.conftest import fill, line

YEARS = months_between("2023-01", "2025-12")


def counted_in(features, *lines, months=tuple(YEARS), column="claim_count_12mo"):
    """Member -> months in which it has anything in the column."""
    found = {}
    for (member, month), row in sorted(features(*lines, months=months).items()):
        if row[column]:
            found.setdefault(member, []).append(month)
    return found


def test_a_line_counts_for_twelve_months_while_it_is_known_and_not_cancelled(features):
    lines = [
        line("plain", "2023-06-15"),
        line("late", "2023-06-15", known_from="2023-09"),
        line("too late", "2023-06-15", known_from="2024-06"),
        line("known before it was served", "2023-06-15", known_from="2023-04"),
        line("cancelled", "2023-06-15", cancelled_on="2023-08"),
        line("cancelled at once", "2023-06-15", known_from="2023-08", cancelled_on="2023-08"),
        line("cancelled after a year", "2023-06-15", cancelled_on="2024-09"),
        line("late and cancelled", "2023-06-15", known_from="2023-08", cancelled_on="2023-10"),
        line("void", "2023-06-15", adjustment_indicator="1"),
    ]
    assert counted_in(features, *lines) == {
        "plain": months_between("2023-06", "2024-05"),
        "late": months_between("2023-09", "2024-05"),
        "known before it was served": months_between("2023-06", "2024-05"),
        "cancelled": ["2023-06", "2023-07"],
        "cancelled after a year": months_between("2023-06", "2024-05"),
        "late and cancelled": ["2023-08", "2023-09"],
    }


@pytest.mark.requirement("R18")
def test_only_paid_lines_count_and_a_missing_status_is_paid(features):
    statuses = ("PAID", None, "DENIED", "PENDING", "REVERSED")
    found = features(
        *[line(f"{s}", "2024-06-02", claim_status=s, diagnosis_code_1="E119", claim_type="IP") for s in statuses],
        *[fill(f"{s}", "2024-06-03", claim_status=s) for s in statuses],
    )
    counts = {
        m: (r.claim_count_12mo, r.total_paid_12mo, r.rx_fill_count_12mo, r.has_diabetes) for m, r in found.items()
    }
    assert counts == dict.fromkeys(("PAID", "None"), (1, 100, 1, True)) | dict.fromkeys(
        ("DENIED", "PENDING", "REVERSED"), (0, 0, 0, False)
    )
    assert found["DENIED"].never_medical_claim and found["DENIED"].never_rx_fill


@pytest.mark.requirement("R1")
def test_a_replacement_takes_over_in_the_month_it_became_known(features):
    found = features(
        line("a", "2024-01-10", claim_id="A", paid_amount="500.00", cancelled_on="2024-03"),
        line("a", "2024-01-10", claim_id="B", adjustment_indicator="4", paid_amount="300.00", known_from="2024-03"),
        line("b", "2024-01-10", claim_id="A", paid_amount="500.00", cancelled_on="2024-03"),
        line("b", "2024-01-10", claim_id="V", adjustment_indicator="1", paid_amount="-500.00", known_from="2024-03"),
        months=("2024-02", "2024-03"),
    )
    assert {k: (r.total_paid_12mo, r.claim_count_12mo) for k, r in found.items()} == {
        ("a", "2024-02"): (500, 1),
        ("a", "2024-03"): (300, 1),
        ("b", "2024-02"): (500, 1),
        ("b", "2024-03"): (0, 0),
    }


def test_an_event_told_by_versions_with_a_gap_between_them_counts_in_neither_twice_nor_in_the_gap(features):
    lines = [
        line("a", "2023-01-10", provider_id="P", cancelled_on="2023-03"),
        line("a", "2023-01-10", provider_id="P", known_from="2023-06"),
        line("a", "2023-01-10", provider_id="P", known_from="2023-07", cancelled_on="2023-09"),
        line("a", "2023-09-10", provider_id="P"),
    ]
    found = features(*lines, months=tuple(YEARS))
    providers = {month: row.unique_provider_count for (_, month), row in found.items() if row.unique_provider_count}
    assert providers == dict.fromkeys(["2023-01", "2023-02", *months_between("2023-06", "2024-08")], 1)


def test_only_the_asked_months_come_out_also_when_they_have_gaps(features):
    assert counted_in(features, line("a", "2023-06-15"), months=("2023-05", "2023-08", "2025-01")) == {"a": ["2023-08"]}


def test_an_event_has_each_month_of_its_spans_once(spark):
    rng = random.Random(3)
    starts = [(rng.choice("abcd"), rng.randrange(400 * BLOCK - 80, 400 * BLOCK + 140)) for _ in range(60)]
    spans = [(event, start, start + rng.randrange(90)) for event, start in starts]
    frame = spark.createDataFrame(spans, "event string, span_start int, span_end int")
    once = joined(frame, ["event"])
    found = [(row.event, row.as_of) for row in spread_bits(once.select("event", *BITS)).collect()]
    assert sorted(found) == sorted({(event, m) for event, start, end in spans for m in range(start, end + 1)})
