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
    assert (found.rows_in, found.rows_kept, found.rows_quarantined, found.duplicates) == (9, 4, 5, 0)
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


FEW = settings(PROPERTY, max_examples=3)
"""Each example is twelve claims and several engine calls; `test_line_versions.py` has many examples without one."""
DAYS = [f"2024-{m:02d}-10" for m in range(1, 7)]
"""Days on which the steps of a history are paid; each step is known in the month it is paid, or later."""


@st.composite
def histories(draw):
    """Twelve claims as lists of (day, amount): what each stated in turn, None where it was voided."""
    made = {}
    for n in range(12):
        days = sorted(draw(st.lists(st.sampled_from(DAYS), min_size=1, max_size=4, unique=True)))
        first = draw(st.integers(1, 9)) * 10
        later = st.one_of(st.none(), st.integers(1, 9).map(lambda x: x * 10))
        made[f"C{n}"] = [(days[0], first), *((day, draw(later)) for day in days[1:])]
    return made


def said(claim_id, indicator, original, day, amount, n):
    """One line, served in January whatever the day it was paid."""
    texts = {"paid_amount": str(amount), "received_month": day[:7], "claim_line_number": "1"}
    return line(claim_id, indicator, original, paid_date=day, source_line=n, **texts)


def steps(history):
    """(claim, number of the step, day, amount stated before, amount stated now); None: nothing."""
    for claim, stated in history.items():
        before = None
        for i, (day, amount) in enumerate(stated):
            if amount != before:
                yield claim, i, day, before, amount
            before = amount


def by_indicators(history):
    """New ids: a void names the last version, a replacement too; what is stated after a void replaces the void."""
    lines, last = [], {}
    for claim, i, day, _, amount in steps(history):
        indicator = "0" if i == 0 else "1" if amount is None else "4"
        lines.append(said(f"{claim}-{i}", indicator, last.get(claim), day, amount or 0, len(lines)))
        last[claim] = f"{claim}-{i}"
    return lines


def by_negative_amounts(history, own_ids=False):
    """What was stated is negated, and what is stated now added: under the old id, or under new ids that name it."""
    lines, last = [], {}
    for claim, i, day, before, amount in steps(history):
        for sign, value in (("-", before), ("+", amount)):
            if value is not None:
                number, named = (f"{claim}{sign}{i}", last.get(claim)) if own_ids else (claim, None)
                lines.append(said(number, "0", named, day, -value if sign == "-" else value, len(lines)))
                last[claim] = number
    return lines


def final(history, month=MONTHS[-1]):
    """What is paid for all claims as of a month, from the history alone."""
    known = [[amount for day, amount in stated if day[:7] <= month] for stated in history.values()]
    return sum(amounts[-1] or 0 for amounts in known if amounts)


def total(found, month=MONTHS[-1]):
    return sum(counting_lines(found, month))


def counting_lines(found, month):
    """Paid amounts that count, each version of each line on its own, so that nothing can hide behind another."""
    return [
        int(r.paid_amount)
        for r in found
        if r.known_from <= month and (r.cancelled_on is None or month < r.cancelled_on)
        if r.adjustment_indicator != "1" and not r[REJECTED]
    ]


@pytest.mark.requirement("R7")
@FEW
@given(history=histories())
def test_all_ways_to_write_a_history_give_what_was_known_in_each_month(build, history):
    expected = {m: final(history, m) for m in MONTHS}
    for written in (by_indicators(history), by_negative_amounts(history), by_negative_amounts(history, own_ids=True)):
        found = build(written)
        assert {m: total(found, m) for m in MONTHS} == expected


@pytest.mark.requirement("R7")
@FEW
@given(history=histories())
def test_the_raw_sum_of_negative_amounts_is_what_is_finally_paid_R7(build, history):
    given = by_negative_amounts(history)
    found = build(given)
    assert sum(int(g["paid_amount"]) for g in given) == total(found) == final(history)
    assert sum(int(r.paid_amount) for r in found) == total(found)


@pytest.mark.requirement("R8")
@FEW
@given(history=histories(), rng=st.randoms(use_true_random=False), own_ids=st.booleans())
def test_rows_files_and_months_of_arrival_change_nothing_that_is_paid_today(build, history, rng, own_ids):
    given = by_negative_amounts(history, own_ids)
    months = rng.sample([g["received_month"] for g in given], len(given))
    places = rng.sample(range(1, 1000), len(given))
    shuffled = [
        g | {"received_month": m, "source_file": f"{rng.randint(1, 3)}.csv", "source_line": n}
        for g, m, n in zip(rng.sample(given, len(given)), months, places, strict=True)
    ]
    assert total(build(shuffled)) == total(build(given))


@pytest.mark.requirement("R7")
@FEW
@given(history=histories(), rng=st.randoms(use_true_random=False))
def test_reversals_never_raise_what_is_paid_R7(build, history, rng):
    given = by_negative_amounts(history)
    chosen = rng.sample(given, len(given) // 2)
    known = {"paid_date": "2024-06-20", "received_month": MONTHS[-1], "source_file": "reversals.csv"}
    reversals = [g | known | {"paid_amount": str(-abs(int(g["paid_amount"])))} for g in chosen]
    assert total(build([*given, *reversals])) <= total(build(given))


@FEW
@given(history=histories(), own_ids=st.booleans())
def test_the_same_files_landed_twice_change_nothing_that_stands(build, history, own_ids):
    given = by_negative_amounts(history, own_ids)
    again = [g | {"source_file": "again.csv", "received_month": MONTHS[-1]} for g in given]
    once, twice = build(given), build([*given, *again])
    assert {m: counting(twice, m) for m in MONTHS} == {m: counting(once, m) for m in MONTHS}
    assert Counter(tuple(r[REJECTED]) for r in twice) - Counter(tuple(r[REJECTED]) for r in once) == {
        ("line_is_not_a_repeat",): len(given)
    }


@FEW
@given(history=histories(), month=st.sampled_from(MONTHS[:-1]), own_ids=st.booleans())
def test_lines_known_later_change_no_past_month(build, history, month, own_ids):
    given = by_negative_amounts(history, own_ids)
    then = build([g for g in given if g["received_month"] <= month])
    now = build(given)
    for past in [m for m in MONTHS if m <= month]:
        assert counting(now, past) == counting(then, past)


@FEW
@given(history=histories(), amounts=st.lists(st.sampled_from(["-30", "70", "0"]), min_size=24, max_size=24))
def test_rows_and_money_are_kept_or_set_aside(pipeline, lake, history, amounts):
    odd = [said(f"C{i % 12}", "0", None, "2024-05-20", a, 100 + i) for i, a in enumerate(amounts)]
    given = [*by_negative_amounts(history), *odd]
    found = pipeline(given)
    assert (found.rows_in, found.duplicates, found.blocked) == (len(given), 0, [])
    aside = [r for r in stored(lake, "quarantine", "silver_claim_versions") if r["_reasons"]]
    kept = sum(int(r["paid_amount"]) for r in stored(lake, "silver", "claim_versions"))
    assert kept + sum(int(float(json.loads(r["_raw"])["paid_amount"])) for r in aside) == sum(
        int(g["paid_amount"]) for g in given
    )
