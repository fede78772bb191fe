"""Vaccine doses and the traces they leave: professional claims, pharmacy fills, registry records.

Flu doses follow the season, age, race and ethnicity and a lasting personal habit; other vaccines follow age and risk at
lower rates. One dose may leave two traces, 0 to 3 days apart, or none (paid in cash).
"""

import numpy as np

from claims_assets.synthetic.arrays import (
    NO_DAY,
    Table,
    first_day,
    month_of_day,
    month_text,
    rows_of,
    share_of,
    stack,
    take,
)
from claims_assets.synthetic.codes import at, one
from claims_assets.synthetic.conditions import Conditions
from claims_assets.synthetic.enrolment import Enrolment
from claims_assets.synthetic.medical import DIAGNOSIS_SLOTS, pay_dates
from claims_assets.synthetic.population import RACES, Population
from claims_assets.synthetic.products import FLU_REGISTRY_CODES, VACCINES, vaccine
from claims_assets.synthetic.providers import Providers
from claims_assets.synthetic.rates import share

FLU_BASE = -0.75
"""Logit of a season's flu dose for a white adult without chronic conditions."""
FLU_BY_AGE = (1.05, 0.45, -0.35, 0.25, 1.15)
"""Added at ages 0-5, 6-18, 19-49, 50-64, 65+."""
FLU_BY_RACE = {
    "white": 0.0,
    "black": -0.55,
    "hispanic": -0.25,
    "asian": 0.40,
    "native": -0.30,
    "pacific": -0.30,
    "two": -0.1,
    "unknown": -0.1,
}
YEARLY = (
    ("TDAP", 19, 64, 0.055, 0), ("TD", 40, 95, 0.012, 0), ("ZOSTER RECOMBINANT", 50, 95, 0.060, 120),
    ("PNEUMOCOCCAL 20", 65, 95, 0.13, 0), ("PNEUMOCOCCAL 20", 50, 64, 0.035, 0),
    ("HEPATITIS B", 19, 59, 0.022, 150), ("HPV 9", 11, 14, 0.26, 190), ("HPV 9", 15, 26, 0.045, 150),
    ("MMR", 19, 60, 0.006, 0), ("RSV", 75, 95, 0.10, 0),
)  # fmt: skip
"""Vaccine, first and last age, yearly chance, days to the second dose (0: none)."""
SECOND_DOSE = 0.72
AVAILABLE_FROM = {
    "PNEUMOCOCCAL 20": "2021-07",
    "RSV": "2023-07",
    "ZOSTER RECOMBINANT": "2017-11",
    "HEPATITIS B CPG": "2018-01",
}
BEFORE_THAT = {"PNEUMOCOCCAL 20": "PNEUMOCOCCAL 23"}
CHILDHOOD = (
    ("HEPATITIS B CHILD", (0.1, 2, 6)), ("ROTAVIRUS", (2, 4)), ("DTAP", (2, 4, 6, 16)), ("HIB", (2, 4, 12)),
    ("PNEUMOCOCCAL 13", (2, 4, 6, 13)), ("POLIO", (2, 4, 7)), ("MMR", (12.5,)), ("VARICELLA", (12.5,)),
    ("HEPATITIS A", (13, 19)),
)  # fmt: skip
"""Ages in months at which a dose is due."""
CHILDHOOD_GIVEN = 0.86
SEEN_IN = (
    ("claim", 0.46),
    ("pharmacy", 0.16),
    ("registry", 0.16),
    ("claim+registry", 0.13),
    ("pharmacy+registry", 0.05),
    ("none", 0.04),
)
"""Where an adult's dose shows; children get theirs at the practice."""
DOSE_DEFAULTS = {"member": np.int32(0), "day": np.int64(0), "vaccine": np.int16(0)}


def doses_given(people: Population, ill: Conditions, cover: Enrolment, rng: np.random.Generator) -> Table:
    """All doses of one block: member, day, vaccine, and the sources that show them."""
    parts = [_flu(people, ill, rng), *_other(people, rng), *_childhood(people, rng)]
    return with_traces(stack(parts, DOSE_DEFAULTS), people, cover, rng)


def with_traces(doses: Table, people: Population, cover: Enrolment, rng: np.random.Generator) -> Table:
    """The doses given to the living within the window, with the sources that show each: claim, pharmacy, registry."""
    month = month_of_day(doses["day"]) - people.block.first_month
    alive = (people.death[doses["member"]] == NO_DAY) | (doses["day"] < people.death[doses["member"]])
    inside = (month >= 0) & (month < people.block.months) & alive
    doses = take(doses, inside)
    month = month[inside]
    low, high = (edge[doses["member"], month] for edge in (cover.first, cover.last))
    in_month = doses["day"] - first_day(people.block.first_month + month) + 1
    covered = (in_month >= low) & (in_month <= high) & (low > 0)
    seen = rng.choice(len(SEEN_IN), rows_of(doses), p=[s for _, s in SEEN_IN])
    child = (doses["day"] - people.birth[doses["member"]]) < 10 * 365
    for source in ("claim", "pharmacy", "registry"):
        shown = np.array([source in name for name, _ in SEEN_IN])[seen]
        if source == "claim":
            shown = shown | (child & np.isin(seen, (1, 4)))
        if source == "pharmacy":
            shown = shown & ~child
        doses[source] = shown & (covered | (source == "registry"))
    return doses


def _flu(people: Population, ill: Conditions, rng: np.random.Generator) -> Table:
    n = people.block.members
    first_year, last_year = people.block.first_month // 12 - 1, people.block.last_month // 12
    by_race = np.array([FLU_BY_RACE[r] for r in RACES])[people.race]
    parts = []
    for year in range(first_year, last_year + 1):
        start = int(first_day(year * 12 + 8))
        age = (start - people.birth) / 365.25
        chronic = (ill.onset <= year * 12 + 9 - people.block.first_month).sum(axis=1)
        logit = (
            FLU_BASE
            + np.array(FLU_BY_AGE)[np.digitize(age, (6, 19, 50, 65))]
            + by_race
            + 0.16 * chronic
            + people.vaccine_habit
        )
        given = (rng.random(n) < 1 / (1 + np.exp(-logit))) & (age > 0.4)
        day = start + np.rint(rng.beta(1.7, 4.2, n) * 200).astype(np.int64)
        product = np.array([vaccine(v) for v in ("INFLUENZA", "INFLUENZA CELL", "INFLUENZA MDV")])[
            rng.choice(3, n, p=(0.6, 0.25, 0.15))
        ]
        product = np.where(age >= 65, np.where(rng.random(n) < 0.85, vaccine("INFLUENZA HIGH DOSE"), product), product)
        product = np.where((age > 2) & (age < 18) & (rng.random(n) < 0.08), vaccine("INFLUENZA NASAL"), product)
        who = np.flatnonzero(given)
        parts.append({"member": who, "day": day[who], "vaccine": product[who]})
    return stack(parts, DOSE_DEFAULTS)


def _other(people: Population, rng: np.random.Generator) -> list[Table]:
    """First and second doses of the vaccines that are not yearly; at most one series a member and window."""
    start, stop = int(first_day(people.block.first_month)), int(first_day(people.block.last_month + 1))
    parts = []
    for name, low, high, yearly, second in YEARLY:
        age = ((start + stop) / 2 - people.birth) / 365.25
        hazard = yearly * np.exp(0.35 * people.vaccine_habit) / 365.25
        day = start + rng.exponential(1 / hazard).astype(np.int64)
        who = np.flatnonzero((age >= low) & (age < high + 1) & (day < stop))
        product = np.full(len(who), vaccine(name))
        begins = AVAILABLE_FROM.get(name)
        if begins:
            early = np.array([month_text(int(m)) < begins for m in month_of_day(day[who])], dtype=bool)
            product = np.where(early, vaccine(BEFORE_THAT.get(name, name)), product)
            keep = ~early | (name in BEFORE_THAT)
            who, product = who[keep], product[keep]
        parts.append({"member": who, "day": day[who], "vaccine": product})
        again = who[(rng.random(len(who)) < SECOND_DOSE) & (second > 0)]
        later = day[again] + second + rng.integers(-50, 60, len(again))
        parts.append({"member": again, "day": later, "vaccine": np.full(len(again), vaccine(name))})
    return parts


def _childhood(people: Population, rng: np.random.Generator) -> list[Table]:
    parts = []
    given_share = np.clip(CHILDHOOD_GIVEN + 0.05 * people.vaccine_habit, 0.2, 0.99)
    for name, ages in CHILDHOOD:
        for months in ages:
            due = people.birth + round(months * 30.44) + rng.integers(0, 25, len(people.birth))
            who = np.flatnonzero(rng.random(len(due)) < given_share)
            parts.append({"member": who, "day": due[who], "vaccine": np.full(len(who), vaccine(name))})
    return parts


def vaccine_claims(
    doses: Table, people: Population, providers: Providers, rng: np.random.Generator
) -> tuple[Table, Table]:
    """A professional claim per dose: the product and its administration."""
    shown = take(doses, doses["claim"])
    n, member = rows_of(shown), shown["member"]
    dx = np.zeros((n, DIAGNOSIS_SLOTS), np.int16)
    dx[:, 0] = one("dx", "Z23")
    claims: Table = {
        "member": member, "from_day": shown["day"], "to_day": shown["day"], "type": np.full(n, one("type", "PROF")),
        "dx": dx,
        "provider": providers.choose(rng, "primary", people.pcp_choice[member]), "place": np.full(n, one("place",
        "11")),
        **pay_dates(shown["day"], rng, people.block.first_month),
    }  # fmt: skip
    product = at("proc", *(v.cpt for v in VACCINES))[shown["vaccine"]]
    flu_of_dual = people.dual[member] & np.isin(
        shown["vaccine"], [i for i, v in enumerate(VACCINES) if v.name.startswith("INFLUENZA")]
    )
    admin = np.where(flu_of_dual, one("proc", "G0008"), one("proc", "90471"))
    price = np.rint(np.array([v.price for v in VACCINES])[shown["vaccine"]] * 100).astype(np.int64)
    allowed = np.stack([price, np.full(n, 1_985)], axis=1).ravel()
    lines: Table = {
        "claim": np.repeat(np.arange(n), 2), "line": np.tile([1, 2], n), "proc": np.stack([product, admin],
        axis=1).ravel(),
        "units": np.ones(2 * n, np.int32), "billed": allowed * 2, "allowed": allowed, "paid": allowed,
    }  # fmt: skip
    return claims, lines


def registry_rows(doses: Table, people: Population, rng: np.random.Generator, dirt: float) -> Table:
    """Registry records: member, day, cvx and lot as text positions, received month offset, status."""
    shown = take(doses, doses["registry"])
    n = rows_of(shown)
    elsewhere = shown["claim"] | shown["pharmacy"]
    shown["day"] = shown["day"] + np.where(elsewhere, rng.integers(0, 4, n), 0)
    is_flu = np.isin(shown["vaccine"], [i for i, v in enumerate(VACCINES) if v.name.startswith("INFLUENZA")])
    vague = is_flu & (rng.random(n) < 0.35)
    shown["cvx"] = np.where(vague, len(VACCINES) + rng.integers(0, len(FLU_REGISTRY_CODES), n), shown["vaccine"])
    shown["lot"] = rng.integers(1_000, 9_999, n)
    shown["received"] = month_of_day(shown["day"] + rng.integers(1, 40, n)) - people.block.first_month
    shown["not_done"] = np.zeros(n, np.int8)
    refused = share_of(rng, n, share("registry_not_done", dirt))
    shown["not_done"][refused] = 1 + rng.integers(0, 3, len(refused))
    return by_receipt([take(shown, shown["received"] < people.block.months)])


def by_receipt(records: list[Table]) -> Table:
    """Registry records in the order of their files."""
    together = {name: np.concatenate([r[name] for r in records]) for name in records[0]}
    return take(together, np.lexsort((together["member"], together["day"], together["received"])))
