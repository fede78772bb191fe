"""From the landing stage to what counts: nothing is lost, and a month answers with what was known in it."""

import json
from collections import Counter

import pytest
from deltalake import DeltaTable
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import functions as F

from claims_assets.bronze.claim_links import ClaimLinks, claim_links
from claims_assets.bronze.medical_claims import MedicalClaims, medical_claims
from claims_assets.bronze.pharmacy_claims import PharmacyClaims, pharmacy_claims
from claims_assets.contracts import REJECTED, compiled
from claims_assets.silver.claim_versions import ClaimVersions, claim_versions
from claims_assets_tests.bronze.test_claim_links import landed

JANUARY, FEBRUARY = "2024-01", "2024-02"
DAY = "2024-01-15"
MONTHS = [f"2024-{m:02d}" for m in range(1, 7)]


def stored(lake, schema, name):
    return DeltaTable(str(lake.path(schema, name))).to_pyarrow_table().to_pylist()


@pytest.fixture
def pipeline(spark, lake):
    """Landing rows -> links, bronze and claim_versions in a real lake; returns the findings of claim_versions."""

    def run(medical, pharmacy=(), months=(JANUARY, FEBRUARY)):
        months = list(months)
        landing = landed(spark, MedicalClaims, *medical), landed(spark, PharmacyClaims, *pharmacy)
        lake.write(claim_links(*landing), "bronze", "claim_links", ClaimLinks, None)
        lake.write(medical_claims(landing[0]), "bronze", "medical_claims", MedicalClaims, months)
        lake.write(pharmacy_claims(landing[1]), "bronze", "pharmacy_claims", PharmacyClaims, months)
        read = {n: lake.read(spark, "bronze", n, months) for n in ("medical_claims", "pharmacy_claims")}
        frame = claim_versions(*read.values(), lake.read(spark, "bronze", "claim_links"))
        expected = sum(sum(lake.rows_by_month("bronze", n).values()) for n in read)
        return lake.write(frame, "silver", "claim_versions", ClaimVersions, months, rows_expected=expected)

    return run


def line(claim_id, indicator="0", original=None, day=DAY, **more):
    given = {
        "claim_id": claim_id,
        "adjustment_indicator": indicator,
        "original_claim_id": original,
        "claim_date": day,
        "service_from_date": day,
    }
    return given | {"claim_month": day[:7], "paid_date": day} | more


def test_every_row_is_kept_or_set_aside_with_its_reason(pipeline, lake):
    medical = [
        line("A"),
        line("A"),
        line("B", "4", "A", "2024-02-02"),
        line("V", "1", "nobody"),
        line("P", "4", "Q"),
        line("Q", "4", "P"),
        line("C", received_month="2024-02"),
    ]
    fill = {"claim_id": "R", "fill_date": DAY, "ndc_code": "1", "paid_amount": "3.10"}
    found = pipeline(medical, [fill, fill])
    assert found.blocked == []
    assert (found.rows_in, found.rows_kept, found.rows_quarantined) == (9, 4, 5)
    aside = stored(lake, "quarantine", "silver_claim_versions")
    assert Counter(reason for row in aside for reason in row["_reasons"]) == {
        "claim_chain_has_no_cycle": 2,
        "line_is_not_a_repeat": 2,
        "voided_claim_is_known": 1,
    }
    assert {json.loads(row["_raw"])["claim_id"] for row in aside} == {"A", "V", "P", "Q", "R"}


def test_a_void_that_bronze_quarantines_cancels_all_the_same(pipeline, lake):
    pipeline([line("A"), line("V", "1", "A", "2024-02-01", paid_amount="minus ten")])
    assert [
        (r["claim_id"], r["cancelled_on"], r["cancelled_by"]) for r in stored(lake, "silver", "claim_versions")
    ] == [("A", FEBRUARY, "V")]


def test_a_void_of_another_claim_month_reaches_its_original(pipeline, lake):
    pipeline([line("A", day="2024-02-10"), line("V", "1", "A", day="2024-01-01", paid_date="2024-02-20")])
    assert {r["claim_id"]: r["cancelled_on"] for r in stored(lake, "silver", "claim_versions")} == {
        "A": FEBRUARY,
        "V": None,
    }


def test_a_month_does_not_depend_on_the_months_it_is_built_with(spark, lake, pipeline):
    medical = [line("A"), line("A", day="2024-02-01"), line("B"), line("C", "4", "B", "2024-02-03")]
    together = pipeline(medical).fingerprint
    read = {n: lake.read(spark, "bronze", n, [JANUARY]) for n in ("medical_claims", "pharmacy_claims")}
    frame = claim_versions(*read.values(), lake.read(spark, "bronze", "claim_links"))
    alone = lake.write(frame, "silver", "claim_versions", ClaimVersions, [JANUARY]).fingerprint
    assert alone[JANUARY] == together[JANUARY]


@st.composite
def claims(draw):
    """Landed lines of twelve claims and their adjustments, which name one another and arrive in any month."""
    given = []
    for n in range(12):
        days = sorted(draw(st.lists(st.integers(10, 28), min_size=4, max_size=4)))
        ids = [f"C{n}"]
        given += [
            line(ids[0], paid_date=f"2024-01-{days[0]}", claim_line_number=str(i))
            for i in range(1, draw(st.integers(2, 3)))
        ]
        for i in range(1, draw(st.integers(1, 4))):
            named = draw(st.sampled_from(ids))
            ids.append(f"C{n}-{i}")
            given.append(
                line(ids[-1], draw(st.sampled_from("14")), named, paid_date=f"2024-01-{days[i]}", claim_line_number="1")
            )
    paid = [g | {"paid_amount": str(draw(st.integers(0, 99)))} for g in given]
    return received(paid, lambda: draw(st.sampled_from(MONTHS)))


def received(given, month):
    """The lines with a received month for each claim."""
    months = {claim: month() for claim in sorted({g["claim_id"] for g in given})}
    return [g | {"received_month": months[g["claim_id"]]} for g in given]


def counting(found, month):
    """(claim, line) -> paid amount of what counts as of a month, by the rule that the contract states."""
    return {
        (r.claim_id, r.claim_line_number): int(r.paid_amount)
        for r in found
        if r.known_from <= month and (r.cancelled_on is None or month < r.cancelled_on)
        if r.adjustment_indicator != "1" and not r[REJECTED]
    }


def by_oracle(given, month):
    """The same, computed only from the lines received by then."""
    known = [g for g in given if g["received_month"] <= month]
    named = {g["claim_id"]: g["original_claim_id"] for g in known}

    def path(claim):
        return [claim, *(path(named[claim]) if named.get(claim) else [])]

    rank = {
        g["claim_id"]: (g["paid_date"], len(path(g["claim_id"])), g["adjustment_indicator"], g["claim_id"])
        for g in known
    }
    last = {root: max(rank[c] for c in rank if path(c)[-1] == root) for root in {path(c)[-1] for c in rank}}
    return {
        (g["claim_id"], int(g["claim_line_number"])): int(g["paid_amount"])
        for g in known
        if g["adjustment_indicator"] != "1" and rank[g["claim_id"]] in last.values()
    }


@pytest.fixture
def build(spark):
    """Rows of claim_versions, set aside or not, from landed medical lines."""

    def typed(frame, model):
        return frame.select(*[F.col(n).try_cast(t).alias(n) for n, t in compiled(model).columns.items()])

    def go(given):
        medical, pharmacy = landed(spark, MedicalClaims, *given), landed(spark, PharmacyClaims)
        bronze = typed(medical_claims(medical), MedicalClaims), typed(pharmacy_claims(pharmacy), PharmacyClaims)
        return claim_versions(*bronze, claim_links(medical, pharmacy)).collect()

    return go


PROPERTY = settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@PROPERTY
@given(given=claims())
def test_what_counts_as_of_a_month_is_what_could_be_known_in_it(build, given):
    found = build(given)
    assert {m: counting(found, m) for m in MONTHS} == {m: by_oracle(given, m) for m in MONTHS}


@pytest.mark.requirement("R8")
@PROPERTY
@given(given=claims(), rng=st.randoms(use_true_random=False))
def test_what_counts_today_does_not_depend_on_the_order_of_arrival(build, given, rng):
    shuffled = received(rng.sample(given, len(given)), lambda: rng.choice(MONTHS))
    assert counting(build(shuffled), MONTHS[-1]) == counting(build(given), MONTHS[-1])


@pytest.mark.requirement("R7")
@PROPERTY
@given(given=claims(), rng=st.randoms(use_true_random=False))
def test_voids_never_raise_what_is_paid_R7(build, given, rng):
    paid = rng.choice(given)
    void = line("void", "1", paid["claim_id"], paid_date=paid["paid_date"], paid_amount="50", received_month=MONTHS[-1])
    before, after = counting(build(given), MONTHS[-1]), counting(build([*given, void]), MONTHS[-1])
    assert sum(after.values()) <= sum(before.values())
