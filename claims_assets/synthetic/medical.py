"""Medical claims of the visits: facility and professional claims of one event, their lines, diagnoses, amounts and lag.

What each visit and claim looks like is declared in `care.py`. Voids, replacements, denials and errors come later, in
`adjustments.py` and `dirt.py`.
"""

import numpy as np

from claims_assets.synthetic.arrays import (
    NO_DAY,
    Array,
    Table,
    first_day,
    month_of_day,
    occurrences,
    rows_of,
    stack,
    take,
)
from claims_assets.synthetic.care import CLAIMS, STAYS, VISITS
from claims_assets.synthetic.codes import ACUTE, CONDITIONS, at, one
from claims_assets.synthetic.conditions import Conditions
from claims_assets.synthetic.enrolment import Enrolment
from claims_assets.synthetic.medical_lines import child_check_ups, lines_of
from claims_assets.synthetic.population import Population
from claims_assets.synthetic.providers import Providers

DIAGNOSIS_SLOTS = 12
CLAIM_DEFAULTS = {
    "id": np.int64(0), "visit": np.int32(-1), "member": np.int32(0), "type": np.int8(0), "from_day": np.int32(0),
    "to_day": np.int32(0), "admit": np.int32(NO_DAY), "discharge": np.int32(NO_DAY), "claim_day": np.int32(0),
    "paid_day": np.int32(0), "received": np.int16(0), "provider": np.int32(0), "status": np.int8(0),
    "indicator": np.int8(0), "original": np.int64(-1), "bill": np.int8(0), "place": np.int8(0), "drg": np.int8(0),
    "dx": np.zeros(DIAGNOSIS_SLOTS, np.int16), "style": np.int8(0), "late": np.int8(0),
}  # fmt: skip
"""Columns of the claim table; codes are positions in codes.py, `received` is a month offset, `late` names the late
file."""
LINE_DEFAULTS = {
    "claim": np.int32(0), "line": np.int16(0), "proc": np.int16(0), "proc2": np.int16(0), "mod": np.int8(0),
    "mod2": np.int8(0), "rev": np.int8(0), "ndc": np.int16(0), "units": np.int32(1), "billed": np.int64(0),
    "allowed": np.int64(0), "paid": np.int64(0), "liability": np.int64(0), "junk": np.int8(0),
}  # fmt: skip
"""Columns of the line table; `claim` is a row of the claim table, amounts are cents."""
PAID_AFTER = (13.0, 0.75)
"""Days from the end of service to payment: median and spread of the lag, plus ten days of handling."""
SLOW_CLAIMS = 0.07
"""Share of claims whose lag is six times as long."""


def medical_claims(
    people: Population,
    ill: Conditions,
    cover: Enrolment,
    rates: dict[str, Array],
    providers: Providers,
    rng: np.random.Generator,
) -> tuple[Table, Table]:
    """Original claims and lines of all visits, in service order; ids are the position."""
    visits = _visits(people, cover, rates, rng)
    visits["dx"] = _diagnoses(visits, people, ill, rng)
    made = [_claims_of(kind, visits, people, ill, providers, rng) for kind in CLAIMS]
    return join(made)


def join(made: list[tuple[Table, Table]]) -> tuple[Table, Table]:
    """Several (claims, lines) as one, the lines re-pointed to the joint claim table."""
    sizes = np.cumsum([0, *(rows_of(c) for c, _ in made)])
    lines = [{**ls, "claim": ls["claim"] + start} for (_, ls), start in zip(made, sizes[:-1], strict=True)]
    return stack([c for c, _ in made], CLAIM_DEFAULTS), stack(lines, LINE_DEFAULTS)


def _visits(people: Population, cover: Enrolment, rates: dict[str, Array], rng: np.random.Generator) -> Table:
    parts = []
    for number, kind in enumerate(VISITS):
        member, month = occurrences(rng, np.minimum(rates[kind], 25.0))
        if kind in ("newborn", "long_term_care", "dialysis"):
            member, month = _once(member, month)
        day = cover.days(rng, member, month, people.block.first_month)
        parts.append(
            {
                "kind": np.full(len(member), number),
                "member": member,
                "month": month,
                "day": day,
                "days": _stay(kind, people, member, day, rng),
            }
        )
    visits = stack(
        parts,
        {
            "kind": np.int8(0),
            "member": np.int32(0),
            "month": np.int32(0),
            "day": np.int64(0),
            "days": np.int32(0),
        },
    )
    return take(visits, np.argsort(visits["day"], kind="stable"))


def _once(member: Array, month: Array) -> tuple[Array, Array]:
    """At most one visit a member and month."""
    keep = np.r_[True, (member[1:] != member[:-1]) | (month[1:] != month[:-1])][: len(member)]
    return member[keep], month[keep]


def _stay(kind: str, people: Population, member: Array, day: Array, rng: np.random.Generator) -> Array:
    """Nights of each visit; a nursing home bills to the end of the month."""
    if kind == "long_term_care":
        return first_day(month_of_day(day) + 1) - 1 - day
    if kind not in STAYS:
        return np.zeros(len(member), np.int64)
    median, spread, longest = STAYS[kind]
    nights = np.clip(np.rint(np.exp(rng.normal(0, spread, len(member))) * median), 1, longest).astype(np.int64)
    death = people.death[member]
    return np.where((death != NO_DAY) & (day + nights > death), np.maximum(death - day, 0), nights)


def _diagnoses(visits: Table, people: Population, ill: Conditions, rng: np.random.Generator) -> Array:
    """(visits, 12) codes: the reason first, then the recorded chronic conditions."""
    n = rows_of(visits)
    active = ill.active(visits["member"], visits["month"])
    codes = ill.codes(visits["member"], rng)
    chosen = _chronic_reason(visits, active, rng)
    led = np.flatnonzero(chosen >= 0)
    first = _acute_reason(visits, people, rng)
    first[led] = codes[led, chosen[led]]
    recorded = np.array([v.recorded for v in VISITS.values()])[visits["kind"]]
    seen = active & (rng.random(active.shape) < recorded[:, None])
    seen[led, chosen[led]] = False
    others = np.where(seen & (codes != first[:, None]), codes, 0)
    packed = np.take_along_axis(others, np.argsort(others == 0, axis=1, kind="stable"), axis=1)
    dx = np.zeros((n, DIAGNOSIS_SLOTS), np.int16)
    dx[:, 0], dx[:, 1 : 1 + packed.shape[1]] = first, packed
    return dx


def _acute_reason(visits: Table, people: Population, rng: np.random.Generator) -> Array:
    """A code of each visit's pool, the first ones more often."""
    n = rows_of(visits)
    first = np.zeros(n, np.int64)
    for number, visit in enumerate(VISITS.values()):
        rows = np.flatnonzero(visits["kind"] == number)
        pool = at("dx", *ACUTE[visit.reason])
        first[rows] = pool[(rng.random(len(rows)) ** 1.6 * len(pool)).astype(np.int64)]
    child = (visits["day"] - people.birth[visits["member"]]) < 18 * 365
    well_child = at("dx", *ACUTE["child_check_up"])[rng.integers(0, 2, n)]
    return np.where(child & (visits["kind"] == list(VISITS).index("check_up")), well_child, first)


def _chronic_reason(visits: Table, active: Array, rng: np.random.Generator) -> Array:
    """Condition number that leads each visit, -1 where an acute reason does."""
    n = rows_of(visits)
    weights = np.where(active, rng.random(active.shape), 0.0)
    mind = list(VISITS).index("behavioral")
    mental = CONDITIONS.index("mental_health")
    weights[visits["kind"] == mind, mental] += 2.0
    share = np.array([v.chronic for v in VISITS.values()])[visits["kind"]]
    return np.where(active.any(axis=1) & (rng.random(n) < share), weights.argmax(axis=1), -1)


def _claims_of(
    name: str,
    visits: Table,
    people: Population,
    ill: Conditions,
    providers: Providers,
    rng: np.random.Generator,
) -> tuple[Table, Table]:
    """All claims of one kind with their lines."""
    look = CLAIMS[name]
    chance = np.array([dict(v.claims).get(name, 0.0) for v in VISITS.values()])[visits["kind"]]
    rows = np.flatnonzero(rng.random(len(chance)) < chance)
    v = take(visits, rows)
    member, n = v["member"], len(rows)
    stay = look.type == "IP"
    covers_days = stay or look.type == "LTC" or name == "inpatient_doctor"
    to_day = v["day"] + np.where(covers_days, v["days"], 0)
    claims: Table = {
        "visit": rows, "member": member, "from_day": v["day"], "to_day": to_day,
        "type": np.full(n, one("type", look.type)), "dx": v["dx"],
        "admit": np.where(stay, v["day"], NO_DAY), "discharge": np.where(stay, to_day, NO_DAY),
        "provider": providers.choose(rng, look.provider, people.pcp_choice[member]),
        "bill": np.full(n, one("bill", look.bill)), "place": np.full(n, one("place", look.place)),
        "drg": at("drg", *(look.drgs or ("",)))[rng.integers(0, max(1, len(look.drgs)), n)],
    }  # fmt: skip
    claims.update(pay_dates(to_day, rng, people.block.first_month))
    lines = lines_of(look, v, claims, people, ill, providers, rng)
    if name == "check_up":
        child_check_ups(lines, v, people)
    return claims, lines


def pay_dates(to_day: Array, rng: np.random.Generator, first_month: int) -> Table:
    """When a claim is written, paid and received."""
    n = len(to_day)
    median, spread = PAID_AFTER
    lag = np.exp(rng.normal(0, spread, n)) * median * np.where(rng.random(n) < SLOW_CLAIMS, 6, 1)
    claim_day = to_day + 1 + (lag * 0.6).astype(np.int64)
    paid_day = claim_day + 6 + (lag * 0.4).astype(np.int64)
    return {
        "claim_day": claim_day,
        "paid_day": paid_day,
        "received": np.maximum(month_of_day(paid_day) - first_month, 0),
    }
