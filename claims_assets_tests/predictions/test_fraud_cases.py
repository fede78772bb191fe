"""Providers for investigators: what is counted of them, who comes first, and what a decision changes."""

import pytest

from claims_assets.bronze.fraud_labels import FraudLabels
from claims_assets.predictions.case_ranking import SIGNAL
from claims_assets.predictions.fraud_cases import FraudCases, fraud_cases
from claims_assets.predictions.fraud_cases_plot import picture, points, reasons
from claims_assets.predictions.fraud_labels_as_known import latest_labels

MONTH, YEAR_AGO = "2024-06", "2023-07"
"""The second is the oldest month of the year up to the first."""
SCHEMA = (
    "claim_id string, claim_month string, provider_id string, claim_amount double, fraud_score double,"
    " is_flagged boolean, top_features array<string>, rule_severity string, ensemble_score double"
)


@pytest.fixture
def scores(spark):
    """`scores({provider: (claims, flagged)}, month)`: rows of gold.claim_fraud_scores, with ids `<provider>-<n>`."""

    def build(providers, month=MONTH, **more):
        made = []
        for provider, (claims, flagged) in providers.items():
            for n in range(claims):
                row = {
                    "claim_id": f"{provider}-{month}-{n}", "claim_month": month, "provider_id": provider,
                    "claim_amount": 100.0, "fraud_score": 9.0 - n if n < flagged else 0.5, "is_flagged": n < flagged,
                    "top_features": ["units_per_day", "claim_amount"] if n < flagged else [],
                    "rule_severity": "none", "ensemble_score": float(claims - n),
                }  # fmt: skip
                made.append(tuple({**row, **more}.values()))
        return spark.createDataFrame(made, SCHEMA)

    return build


@pytest.fixture
def labels(rows):
    """`labels((claim, label, known from), ...)`: rows of bronze.fraud_labels."""

    def build(*given):
        return rows(
            FraudLabels,
            *[
                {
                    "claim_id": claim, "label": label, "decided_at": f"{known}-01 00:00:00", "known_from": known,
                    "source_file": "a.csv", "source_line": n,
                }
                for n, (claim, label, known) in enumerate(given)
            ],
        )  # fmt: skip

    return build


@pytest.fixture
def cases(spark, labels):
    """`cases(scores, labels, months, {claim: supervised score})`: rows of gold.fraud_cases."""

    def build(claims, decided=None, months=(MONTH,), learnt=()):
        given = [(claim, MONTH, score) for claim, score in dict(learnt).items()]
        frame = spark.createDataFrame(given, "claim_id string, claim_month string, supervised_score double")
        return fraud_cases(claims, frame, decided or labels(), list(months))

    return build


def listed(frame, month=MONTH):
    return {r.provider_id: r for r in frame.collect() if r.claim_month == month}


PLAN = {f"P{n}": (80 + n, 4) for n in range(12)}


def test_one_claim_of_one_ranks_below_forty_of_a_hundred(scores, labels, cases):
    found = listed(cases(scores({"one": (1, 1), "forty": (100, 40), **PLAN})))
    assert found["forty"].case_rank == 1
    assert found["one"].case_rank > 1
    assert (found["forty"].is_case, found["one"].is_case) == (True, False)
    assert found["forty"].excess_lower >= SIGNAL > found["one"].excess_lower
    assert sorted(r.case_rank for r in found.values()) == list(range(1, len(found) + 1))


def test_a_row_says_what_is_at_stake_why_and_where_to_begin(scores, labels, cases):
    claims = scores({"forty": (100, 40), **PLAN}).union(scores({"forty": (10, 0)}, rule_severity="high", claim_id="x"))
    row = listed(cases(claims))["forty"]
    assert (row.claims, row.flagged, row.undecided, row.confirmed, row.cleared) == (110, 40, 40, 0, 0)
    assert str(row.amount_at_stake) == "4000.00"
    assert row.top_reasons == ["claim_amount (40)", "units_per_day (40)"]
    assert row.rule_severities == ["high (10)"]
    assert row.claims_to_open == [f"forty-{MONTH}-{n}" for n in range(5)]
    assert row.excess == pytest.approx((row.rate_ratio - 1) * row.expected, abs=1e-5)


def test_providers_without_a_flag_or_a_score_are_not_listed(scores, labels, cases):
    unscored = scores({"unscored": (5, 0)}, fraud_score=None)
    found = listed(cases(scores({**PLAN, "none": (40, 0)}).union(unscored)))
    assert found.keys() == PLAN.keys()
    claims, flagged = 40 + sum(c for c, _ in PLAN.values()), sum(f for _, f in PLAN.values())
    assert found["P0"].expected == pytest.approx(80 * flagged / claims, abs=1e-6)


def test_a_month_counts_its_year_alone_whichever_months_are_asked_for(scores, labels, cases):
    claims = scores({"A": (10, 3)}).union(scores({"A": (10, 2)}, YEAR_AGO)).union(scores({"A": (10, 5)}, "2023-06"))
    alone = listed(cases(claims))
    together = cases(claims, months=["2024-05", MONTH, "2024-07"])
    assert alone == listed(together)
    assert (alone["A"].claims, alone["A"].flagged, alone["A"].flagged_this_month) == (20, 5, 3)
    before = listed(together, "2024-05")["A"]
    assert (before.claims, before.flagged, before.flagged_this_month) == (20, 7, 0)


def test_decided_claims_are_counted_and_are_at_stake_no_more(scores, labels, cases):
    first = [f"A-{MONTH}-{n}" for n in range(4)]
    decided = labels(
        (first[0], " Confirmed", "2024-06"), (first[1], "cleared", "2024-05"), (first[2], "cleared", "2024-07")
    )
    row = listed(cases(scores({"A": (50, 4), **PLAN}), decided))["A"]
    assert (row.flagged, row.confirmed, row.cleared, row.undecided) == (4, 1, 1, 2)
    assert row.claims_to_open == first[2:4]
    assert str(row.amount_at_stake) == "200.00"


def test_a_provider_whose_flags_are_all_decided_is_no_case(scores, labels, cases):
    decided = labels(*[(f"forty-{MONTH}-{n}", "cleared", "2024-06") for n in range(40)])
    row = listed(cases(scores({"forty": (100, 40), **PLAN}), decided))["forty"]
    assert row.excess_lower >= SIGNAL
    assert (row.is_case, row.undecided, str(row.amount_at_stake), row.claims_to_open) == (False, 0, "0.00", [])


def test_supervised_scores_say_what_to_open_first_and_how_much_will_be_confirmed(scores, labels, cases):
    claims, decided = scores({"A": (50, 4), **PLAN}), labels((f"A-{MONTH}-0", "cleared", "2024-05"))
    learnt = {f"A-{MONTH}-{n}": p for n, p in ((0, 0.9), (2, 0.75), (3, 0.8), (10, 0.99))}
    found = listed(cases(claims, decided, learnt=learnt))
    assert found["A"].claims_to_open == [f"A-{MONTH}-{n}" for n in (3, 2, 1)]
    assert found["A"].expected_confirmed == pytest.approx(1.55)
    assert found["P0"].expected_confirmed is None


def test_the_latest_decision_that_was_known_holds(labels):
    decided = labels(("A", "cleared", "2024-03"), ("A", "confirmed", "2024-05"), ("B", "CLEARED ", "2024-06"))
    found = latest_labels(decided, ["2024-02", "2024-04", "2024-06"]).collect()
    assert sorted((r.as_of_month, r.claim_id, r.label) for r in found) == [
        ("2024-04", "A", "cleared"), ("2024-06", "A", "confirmed"), ("2024-06", "B", "cleared")
    ]  # fmt: skip


def test_the_picture_names_no_provider_and_shows_no_small_number():
    row = {
        "expected": 5.0, "flagged": 40, "claims": 100, "is_case": True, "provider_id": "forty",
        "top_reasons": ["claim_amount (40)", "patient_age (3)"],
    }  # fmt: skip
    small = row | {"claims": 10, "is_case": False}
    assert reasons([row, small]) == [("claim_amount", 80)]
    assert (points([row, small], cases=True), points([row, small], cases=False)) == ([(5.0, 40)], [])
    drawn = picture(MONTH, [row, small])
    assert drawn.startswith("![flagged claims](data:image/png;base64,")
    assert "forty" not in drawn
    assert picture(MONTH, [small]) == "No picture: no provider with a flagged claim has 11 claims."


def test_the_rows_keep_the_contract(scores, cases, lake):
    frame = cases(scores({"one": (1, 1), "forty": (100, 40), **PLAN}))
    found = lake.write(frame, "gold", "fraud_cases", FraudCases, [MONTH])
    assert (found.rows_kept, found.rows_quarantined, found.blocked) == (14, 0, [])
