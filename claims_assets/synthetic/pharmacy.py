"""Pharmacy fills: lasting drugs that follow conditions, courses that follow infections, vaccines from pharmacies.

Drug list: codes.py. Adherence is a lasting trait. Voids of fills are in `adjustments.py`.
"""

import numpy as np

from claims_assets.synthetic.arrays import (
    Array,
    Table,
    counter,
    month_of_day,
    occurrences,
    rows_of,
    stack,
    take,
)
from claims_assets.synthetic.codes import CONDITIONS
from claims_assets.synthetic.conditions import NEVER, Conditions
from claims_assets.synthetic.enrolment import Enrolment
from claims_assets.synthetic.population import Population
from claims_assets.synthetic.products import DRUGS, VACCINES
from claims_assets.synthetic.providers import Providers

FILL_DEFAULTS = {
    "id": np.int64(0), "member": np.int32(0), "drug": np.int16(0), "day": np.int32(0), "paid_day": np.int32(0),
    "received": np.int16(0), "pharmacy": np.int32(0), "prescriber": np.int32(0), "days": np.int16(1),
    "quantity": np.int32(1), "refill": np.int16(0), "indicator": np.int8(0), "original": np.int64(-1),
    "status": np.int8(0), "allowed": np.int64(0), "paid": np.int64(0), "copay": np.int64(0),
    "dashed": np.bool_(False), "junk": np.int8(0),
}  # fmt: skip
"""Columns of the fill table; a drug past the end of DRUGS is a vaccine."""
FILLS_OF_INFECTIONS = 0.85
"""Courses of medicine per respiratory visit expected."""
HEPATITIS_C_CURES = 0.004
"""Begun per adult and year."""
COURSES = ("infection", "hepatitis_c")
"""Reasons for a drug that do not last."""
MEDICARE_PAYS = 0.65
"""Share of a dual member's fills that Medicare Part D pays, which the plan never sees."""


def pharmacy_fills(
    people: Population,
    ill: Conditions,
    cover: Enrolment,
    rates: dict[str, Array],
    doses: Table,
    providers: Providers,
    rng: np.random.Generator,
) -> Table:
    """Original fills in order of payment; ids are the position."""
    parts = [*_maintenance(people, ill, cover, rng), *_courses(people, cover, rates, rng)]
    shown = take(doses, doses["pharmacy"])
    parts.append({"member": shown["member"], "drug": shown["vaccine"] + len(DRUGS), "day": shown["day"]})
    fills = stack(parts, {"member": np.int32(0), "drug": np.int16(0), "day": np.int64(0)})
    seen = ~people.dual[fills["member"]] | (fills["drug"] >= len(DRUGS)) | (rng.random(rows_of(fills)) > MEDICARE_PAYS)
    fills = take(fills, seen)
    _describe(fills, people, providers, rng)
    fills = take(fills, np.lexsort((fills["drug"], fills["member"], fills["paid_day"])))
    return stack([fills], FILL_DEFAULTS)


def _onset_of(reason: str, people: Population, ill: Conditions, rng: np.random.Generator) -> Array:
    """Month offset from which each member has the reason to take a drug."""
    if reason in CONDITIONS:
        return ill.onset[:, CONDITIONS.index(reason)]
    n, age = people.block.members, people.ages().mean(axis=1)
    frail = np.exp(0.5 * people.frailty)
    chance = {
        "pain": np.where(age >= 19, 0.085 * frail, 0.0),
        "attention": np.where((age > 5) & (age < 24), 0.09, 0.004),
        "autoimmune": np.where(age >= 10, 0.0075 * frail, 0.0),
        "rare": np.full(n, 0.0009),
        "hiv": np.where(age >= 19, 0.0055, 0.0),
        "contraception": np.where(people.female & (age > 15) & (age < 45), 0.24, 0.0),
        "reflux": np.where(age >= 19, 0.20, 0.03),
        "thyroid": np.where(age >= 19, 0.075, 0.004),
        "allergy": np.full(n, 0.24),
        "vitamins": np.where(age < 6, 0.55, 0.16),
    }[reason]
    return np.where(
        rng.random(n) < chance,
        np.where(rng.random(n) < 0.3, rng.integers(0, people.block.months, n), -1),
        NEVER,
    )


def _maintenance(people: Population, ill: Conditions, cover: Enrolment, rng: np.random.Generator) -> list[Table]:
    """Fills of drugs taken month after month."""
    adherence = rng.beta(5.0, 1.8, people.block.members)
    reasons = dict.fromkeys(d.condition for d in DRUGS if d.condition not in COURSES)
    onsets = {reason: _onset_of(reason, people, ill, rng) for reason in reasons}
    parts = []
    for number, drug in enumerate(DRUGS):
        if drug.condition in COURSES:
            continue
        since = onsets[drug.condition]
        users = np.flatnonzero((since < NEVER) & (rng.random(len(since)) < drug.taken_by))
        taking = cover.covered[users] & (np.arange(people.block.months)[None, :] >= since[users, None])
        # Pain and attention drugs are taken on and off.
        steady = 0.55 if drug.condition in ("pain", "attention", "allergy", "vitamins") else 1.0
        chance = adherence[users, None] * steady * min(1.0, 30 / max(drug.days, 28))
        row, month = np.nonzero(taking & (rng.random(taking.shape) < chance))
        member = users[row]
        day = cover.days(rng, member, month, people.block.first_month)
        parts.append({"member": member, "drug": np.full(len(member), number), "day": day})
    return parts


def _courses(people: Population, cover: Enrolment, rates: dict[str, Array], rng: np.random.Generator) -> list[Table]:
    """One-off fills: infections, pain medicine after visits to an emergency department, cures of hepatitis C."""
    member, month = occurrences(rng, (rates["respiratory"] + rates["flu"]) * FILLS_OF_INFECTIONS)
    choices = [i for i, d in enumerate(DRUGS) if d.condition == "infection"]
    weights = np.array([DRUGS[i].taken_by for i in choices])
    drug = np.array(choices)[rng.choice(len(choices), len(member), p=weights / weights.sum())]
    day = cover.days(rng, member, month, people.block.first_month)
    hurt, when = occurrences(rng, rates["emergency"] * 0.12)
    opioid = [d.name for d in DRUGS].index("OXYCODONE/APAP 5-325")
    hurt_day = cover.days(rng, hurt, when, people.block.first_month)
    after_visits = {"member": hurt, "drug": np.full(len(hurt), opioid), "day": hurt_day}
    return [{"member": member, "drug": drug, "day": day}, after_visits, _cures(people, cover, rng)]


def _cures(people: Population, cover: Enrolment, rng: np.random.Generator) -> Table:
    """Three fills in a row of a costly cure: spending that no earlier year foretells."""
    adult = people.ages() >= 19
    member, month = occurrences(rng, cover.covered * adult * HEPATITIS_C_CURES / 12)
    fill = np.repeat(np.arange(3)[None, :], len(member), 0).ravel()
    member, month = np.repeat(member, 3), np.repeat(month, 3) + fill
    keep = month < people.block.months
    keep[keep] = cover.covered[member[keep], month[keep]]
    day = cover.days(rng, member[keep], month[keep], people.block.first_month)
    drug = [d.condition for d in DRUGS].index("hepatitis_c")
    return {"member": member[keep], "drug": np.full(len(day), drug), "day": day}


def _describe(fills: Table, people: Population, providers: Providers, rng: np.random.Generator) -> None:
    """Amounts, supply, refill numbers, who prescribed and dispensed, when paid."""
    n, member, drug = rows_of(fills), fills["member"], fills["drug"]
    every = np.lexsort((fills["day"], drug, member))
    refill = np.empty(n, np.int64)
    refill[every] = counter(member[every].astype(np.int64) * 1_000 + drug[every]) % 6
    price = np.array([d.price for d in DRUGS] + [v.price + 20 for v in VACCINES])
    fills["refill"] = np.where(drug < len(DRUGS), refill, 0)
    fills["days"] = np.array([d.days for d in DRUGS] + [1] * len(VACCINES))[drug]
    fills["quantity"] = np.array([d.quantity for d in DRUGS] + [1] * len(VACCINES))[drug]
    fills["allowed"] = np.rint(price[drug] * 100 * np.exp(rng.normal(0, 0.18, n))).astype(np.int64)
    fills["copay"] = np.where(
        rng.random(n) < 0.18, np.minimum(np.where(rng.random(n) < 0.6, 100, 365), fills["allowed"]), 0
    )
    fills["paid"] = fills["allowed"] - fills["copay"]
    fills["pharmacy"] = providers.choose(rng, "pharmacy", people.pcp_choice[member] * 7.3 % 1)
    specialist = rng.random(n) < 0.25
    fills["prescriber"] = np.where(
        specialist,
        providers.choose(rng, "specialist", people.pcp_choice[member] * 3.1 % 1),
        providers.choose(rng, "primary", people.pcp_choice[member]),
    )
    # A pharmacy claim is adjudicated at the counter and paid within days.
    fills["paid_day"] = fills["day"] + rng.integers(2, 17, n)
    fills["received"] = np.maximum(month_of_day(fills["paid_day"]) - people.block.first_month, 0)
