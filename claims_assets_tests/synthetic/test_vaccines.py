"""Vaccine doses: uptake by group and habit, and the traces one dose leaves in several feeds."""

from collections import defaultdict
from datetime import date

import numpy as np

from claims_assets.synthetic.arrays import first_day, month_number
from claims_assets.synthetic.population import RACES
from claims_assets.synthetic.products import FLU_REGISTRY_CODES, VACCINES, vaccine

FLU = [i for i, v in enumerate(VACCINES) if v.name.startswith("INFLUENZA")]
FLU_CPT = {VACCINES[i].cpt for i in FLU}


def flu_of_season(life, year):
    """Members with a flu dose from July of a year to June of the next."""
    d = life.doses
    start, stop = (int(first_day(month_number(f"{y}-07"))) for y in (year, year + 1))
    hit = np.isin(d["vaccine"], FLU) & (d["day"] >= start) & (d["day"] < stop)
    got = np.zeros(life.people.block.members, bool)
    got[d["member"][hit]] = True
    return got


def test_flu_uptake_differs_by_group(life):
    got, age = flu_of_season(life, 2022), life.people.ages()[:, 20]
    of = {name: got[life.people.race == i].mean() for i, name in enumerate(RACES)}
    assert of["black"] + 0.05 < of["white"] < of["asian"]
    assert got[(age >= 19) & (age < 50)].mean() + 0.12 < got[age >= 65].mean()


def test_flu_vaccination_is_a_habit(life):
    before, after = flu_of_season(life, 2022), flu_of_season(life, 2023)
    assert after[before].mean() > after[~before].mean() + 0.2


def test_doses_fall_into_the_season(life):
    d = life.doses
    months = d["day"][np.isin(d["vaccine"], FLU)].astype("datetime64[D]").astype("datetime64[M]").astype(int) % 12 + 1
    assert {8, 7, 6, 5} & set(months.tolist()) == set()
    assert np.isin(months, (9, 10, 11)).mean() > 0.6


def test_one_dose_may_show_in_two_sources_within_three_days(landing):
    claims, registry = defaultdict(list), defaultdict(list)
    for r in landing.medical:
        if (
            r["procedure_code_1"] in FLU_CPT
            and r["adjustment_indicator"] == "0"
            and "2022" < r["service_from_date"] < "2025"
        ):
            claims[r["member_id"]].append(date.fromisoformat(r["service_from_date"]))
    cvx = {VACCINES[i].cvx for i in FLU} | set(FLU_REGISTRY_CODES)
    for r in landing.parquet("immunizations"):
        if r["cvx_code"] in cvx:
            registry[r["member_id"]].append(date.fromisoformat(r["administered_date"]))
    gaps = {(b - a).days for m in registry for b in registry[m] for a in claims[m] if abs((b - a).days) < 30}
    assert gaps == {0, 1, 2, 3}


def test_the_registry_reconciles(landing):
    rows = landing.parquet("immunizations")
    refused = [r for r in rows if r["status"] == "not-done"]
    assert len(rows) == landing.summary.rows["immunizations"]
    assert len(refused) == landing.summary.dirt["registry_not_done"]
    assert all(r["reason"] for r in refused) and not any(r["reason"] for r in rows if r["status"] == "completed")
    assert {"150", "140", "135", "171", "185", "88"} <= {r["cvx_code"] for r in rows}


def test_adult_series_have_second_doses(life):
    zoster = vaccine("ZOSTER RECOMBINANT")
    counts = np.bincount(life.doses["member"][life.doses["vaccine"] == zoster])
    assert set(counts) == {0, 1, 2}
    assert (counts == 2).sum() > 0.4 * (counts == 1).sum()


def test_every_product_has_its_own_codes():
    assert len({v.cpt for v in VACCINES}) == len({v.ndc for v in VACCINES}) == len(VACCINES)
