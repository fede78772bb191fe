"""Claims of hospice and of the doses at four to six years: what they look like, and that all else stays as it was."""

from collections import Counter, defaultdict
from datetime import date

import numpy as np
import pytest

from claims_assets.synthetic.added import IDS_FROM, with_added
from claims_assets.synthetic.arrays import NO_DAY, rows_of, stream
from claims_assets.synthetic.boosters import booster_doses
from claims_assets.synthetic.codes import BILL_TYPES, PROCEDURES, REVENUE
from claims_assets.synthetic.hospice import hospice_claims
from claims_assets.synthetic.products import VACCINES
from claims_assets.synthetic.providers import enlist


@pytest.fixture(scope="module")
def providers():
    return enlist(5000, 7, 0.0)


@pytest.fixture(scope="module")
def hospice(life, providers):
    return hospice_claims(life.people, life.cover, providers, stream(7, 0, "hospice"))


@pytest.fixture(scope="module")
def boosters(life):
    return booster_doses(life.people, life.cover, stream(7, 0, "boosters"))


def test_hospice_is_rare_mostly_before_death_and_while_covered(life, hospice):
    claims, lines = hospice
    people, members = life.people, np.unique(claims["member"])
    died = people.death[members] != NO_DAY
    assert 0.002 < len(members) / people.block.members < 0.02
    assert died.mean() > 0.6
    for member, first, last in zip(*(claims[n] for n in ("member", "from_day", "to_day")), strict=True):
        month = (
            np.datetime64(int(first), "D").astype("datetime64[M]").astype(int) + 1970 * 12 - people.block.first_month
        )
        assert life.cover.covered[member, month]
        assert first <= last and (people.death[member] == NO_DAY or last <= people.death[member])
    assert {PROCEDURES[p] for p in lines["proc"]} == {"Q5001", "Q5003"}
    assert {REVENUE[r] for r in lines["rev"]} == {"0651"}
    assert (lines["units"] == (claims["to_day"] - claims["from_day"] + 1)).all()


def test_a_hospice_stay_is_billed_by_month_from_first_to_last(hospice):
    claims, _ = hospice
    bills = defaultdict(list)
    for member, day, bill in zip(*(claims[n] for n in ("member", "from_day", "bill")), strict=True):
        bills[member].append((int(day), BILL_TYPES[bill]))
    of_stay = Counter(tuple(code for _, code in sorted(found)) for found in bills.values())
    assert {"0811", "0812"} == {codes[0] for codes in of_stay}
    assert all(codes == ("0811",) or (codes[0], codes[-1]) == ("0812", "0814") for codes in of_stay)
    assert all(set(codes[1:-1]) <= {"0813"} for codes in of_stay)


def test_most_children_get_four_vaccines_on_one_day_at_four_to_six(life, boosters):
    age = (boosters["day"] - life.people.birth[boosters["member"]]) / 365.25
    assert age.min() >= 4 and age.max() < 6
    visits = defaultdict(set)
    for member, vaccine, day in zip(*(boosters[n] for n in ("member", "vaccine", "day")), strict=True):
        visits[member].add((VACCINES[vaccine].name, int(day)))
    assert {name for found in visits.values() for name, _ in found} == {"DTAP", "POLIO", "MMR", "VARICELLA"}
    assert all(len({day for _, day in found}) == 1 for found in visits.values())
    assert np.mean([len(found) == 4 for found in visits.values()]) > 0.6
    assert (boosters["claim"] | boosters["registry"]).mean() > 0.8
    assert not boosters["pharmacy"].any()


def test_added_claims_leave_the_others_alone(life, boosters, providers):
    before = {name: column.copy() for name, column in life.claims.items()}
    claims, lines = with_added(life.claims, life.lines, life, boosters, providers, 7)
    old = rows_of(life.claims)
    assert rows_of(claims) > old
    for name, column in before.items():
        assert (claims[name][:old] == column).all() and (life.claims[name] == column).all()
    assert (lines["claim"][: rows_of(life.lines)] == life.lines["claim"]).all()
    assert len(np.unique(claims["id"])) == rows_of(claims)
    assert (claims["id"][old:] % 10**8 >= IDS_FROM).all()
    assert (claims["received"] < life.people.block.months).all()


def test_added_claims_of_a_late_month_come_in_its_late_file(landing):
    ids = [r for r in landing.medical if r["claim_id"][4:5] == "5"]
    assert len({r["claim_id"] for r in ids}) == landing.summary.facts["added_claims"] > 50
    assert {"." in r["diagnosis_code_1"] for r in ids if len(r["diagnosis_code_1"]) > 3} == {True, False}, (
        "as providers"
    )
    late = {name.split("_batch_of_")[1] for name in {r["file"] for r in landing.medical} if "batch_of" in name}
    assert late
    on_time = {r["file"] for r in ids if "batch_of" not in r["file"]}
    assert not on_time & late


def test_second_varicella_doses_are_in_the_files(landing):
    doses = defaultdict(set)
    for r in landing.medical:
        if r["procedure_code_1"] == "90716" and r["adjustment_indicator"] == "0":
            doses[r["member_id"]].add(r["service_from_date"])
    births = {r["member_id"]: r["birth_date"] for r in landing.rows("member_eligibility")}
    ages = [
        (date.fromisoformat(day) - date.fromisoformat(births[m])).days // 365
        for m, days in doses.items()
        for day in days
        if births.get(m, "0000") > "1900"
    ]
    assert sum(age in (4, 5) for age in ages) > 10
