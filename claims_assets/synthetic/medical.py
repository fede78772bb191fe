"""Medical claims of the visits: facility and professional claims of one event, their lines, diagnoses, amounts and lag.

Two declarations say it all: `VISITS` (why someone comes and which claims follow) and `CLAIMS` (how a claim looks, line by
line). Voids, replacements, denials and errors come later, in `adjustments.py` and `dirt.py`.
"""

from dataclasses import dataclass

import numpy as np

from claims_assets.synthetic.arrays import NO_DAY, Array, Table, cents, counter, first_day, month_of_day, occurrences, rows_of, stack, take
from claims_assets.synthetic.codes import ACUTE, CONDITIONS, at, one
from claims_assets.synthetic.conditions import Conditions
from claims_assets.synthetic.enrolment import Enrolment
from claims_assets.synthetic.population import Population
from claims_assets.synthetic.providers import Providers

DIAGNOSIS_SLOTS = 12
CLAIM_DEFAULTS = {
    "id": np.int64(0), "visit": np.int32(-1), "member": np.int32(0), "type": np.int8(0), "from_day": np.int32(0), "to_day": np.int32(0),
    "admit": np.int32(NO_DAY), "discharge": np.int32(NO_DAY), "claim_day": np.int32(0), "paid_day": np.int32(0), "received": np.int16(0),
    "provider": np.int32(0), "status": np.int8(0), "indicator": np.int8(0), "original": np.int64(-1), "bill": np.int8(0),
    "place": np.int8(0), "drg": np.int8(0), "dx": np.zeros(DIAGNOSIS_SLOTS, np.int16), "style": np.int8(0), "late": np.int8(0),
}  # fmt: skip
"""Columns of the claim table; codes are positions in codes.py, `received` is a month offset, `late` names the late file."""
LINE_DEFAULTS = {
    "claim": np.int32(0), "line": np.int16(0), "proc": np.int16(0), "proc2": np.int16(0), "mod": np.int8(0), "rev": np.int8(0),
    "ndc": np.int16(0), "units": np.int32(1), "billed": np.int64(0), "allowed": np.int64(0), "paid": np.int64(0),
    "liability": np.int64(0), "junk": np.int8(0),
}  # fmt: skip
"""Columns of the line table; `claim` is a row of the claim table, amounts are cents."""


@dataclass(frozen=True)
class Visit:
    """Why: pool of first diagnoses, chance that a chronic condition comes first, chance that each one is recorded."""

    reason: str
    chronic: float
    recorded: float
    claims: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Line:
    """One line of a claim: procedure choices, revenue code, median USD, spread, chance, most units."""

    procedures: tuple[str, ...]
    revenue: str
    usd: float
    spread: float
    chance: float = 1.0
    units: int = 1


@dataclass(frozen=True)
class Claim:
    """How a claim looks. `dual` scales amounts of members whom Medicare pays first."""

    type: str
    provider: str
    place: str
    bill: str
    lines: tuple[Line, ...]
    drgs: tuple[str, ...] = ()
    dual: float = 0.35


VISITS = {
    "emergency": Visit("ed", 0.22, 0.35, (("emergency_facility", 1.0), ("emergency_doctor", 0.75))),
    "admission": Visit("admission", 0.50, 0.85, (("inpatient", 1.0), ("inpatient_doctor", 0.90), ("inpatient_consult", 0.5))),
    "respiratory": Visit("respiratory", 0.10, 0.20, (("office", 1.0), ("rapid_test", 0.25))),
    "flu": Visit("flu", 0.0, 0.20, (("office", 1.0), ("rapid_test", 0.8))),
    "office": Visit("office", 0.62, 0.42, (("office", 1.0), ("laboratory", 0.22))),
    "check_up": Visit("check_up", 0.0, 0.35, (("check_up", 1.0), ("laboratory", 0.15))),
    "outpatient": Visit("outpatient", 0.25, 0.40, (("outpatient", 1.0), ("imaging_doctor", 0.35))),
    "behavioral": Visit("office", 1.0, 0.15, (("behavioral", 1.0),)),
    "dental": Visit("dental", 0.0, 0.0, (("dental", 1.0),)),
    "prenatal": Visit("prenatal", 0.0, 0.10, (("office", 1.0), ("laboratory", 0.3))),
    "birth": Visit("birth", 0.0, 0.40, (("birth", 1.0), ("birth_doctor", 1.0))),
    "newborn": Visit("newborn", 0.0, 0.0, (("newborn", 1.0), ("newborn_doctor", 0.9))),
    "long_term_care": Visit("long_term_care", 0.20, 0.60, (("nursing", 1.0), ("nursing_doctor", 0.3))),
    "home_care": Visit("long_term_care", 0.60, 0.30, (("home", 1.0),)),
    "chemotherapy": Visit("chemotherapy", 0.0, 0.90, (("infusion", 1.0),)),
    "dialysis": Visit("dialysis", 0.0, 0.70, (("dialysis", 1.0),)),
    "ambulance": Visit("ed", 0.3, 0.10, (("ambulance", 1.0),)),
}
CLAIMS = {
    "emergency_facility": Claim("ER", "hospital", "23", "0131", (
        Line(("99281", "99282", "99283", "99283", "99284", "99284", "99285"), "0450", 400, 0.55),
        Line(("80053", "85025", "81003"), "0300", 32, 0.5, 0.40, 3),
        Line(("71046", "70450", "73610", "74177"), "0320", 190, 0.6, 0.30))),
    "emergency_doctor": Claim("PROF", "emergency", "23", "", (Line(("99283", "99284", "99284", "99285"), "", 105, 0.35),)),
    "inpatient": Claim("IP", "hospital", "21", "0111", (
        Line(("",), "0120", 7300, 0.70, 1.0, -1), Line(("",), "0250", 900, 0.9, 0.7), Line(("",), "0300", 650, 0.6, 0.6),
        Line(("",), "0360", 5200, 0.6, 0.16), Line(("99285",), "0450", 480, 0.4, 0.5)),
        ("871", "194", "291", "190", "638", "683", "885", "280", "065", "343", "603", "378", "897", "392")),
    "inpatient_doctor": Claim("PROF", "specialist", "21", "", (
        Line(("99222", "99223", "99221"), "", 150, 0.3), Line(("99232", "99233", "99231"), "", 88, 0.3, 0.9, -2),
        Line(("99238", "99239"), "", 92, 0.3, 0.8))),
    "inpatient_consult": Claim("PROF", "specialist", "21", "", (Line(("93306", "45378", "43239", "70551", "29881"), "", 330, 0.8),)),
    "office": Claim("PROF", "primary", "11", "", (
        Line(("99212", "99213", "99213", "99214", "99214", "99203"), "", 84, 0.28), Line(("36415", "81003", "96372", "93000"), "", 16, 0.5, 0.18))),
    "check_up": Claim("PROF", "primary", "11", "", (Line(("99395", "99396"), "", 112, 0.22),)),
    "rapid_test": Claim("PROF", "laboratory", "81", "", (Line(("87804", "87880"), "", 19, 0.3),)),
    "laboratory": Claim("PROF", "laboratory", "81", "", (
        Line(("80053", "83036", "80061"), "", 14, 0.5), Line(("85025", "84443"), "", 11, 0.4, 0.5))),
    "outpatient": Claim("OP", "hospital", "22", "0131", (
        Line(("45378", "43239", "77067", "70551", "93306", "97110", "95810", "29881", "66984"), "0510", 420, 1.05),
        Line(("80053", "85025"), "0300", 38, 0.6, 0.25), Line(("J1885",), "0636", 120, 1.2, 0.2, 4))),
    "imaging_doctor": Claim("PROF", "specialist", "22", "", (Line(("77067", "70551", "74177", "93306"), "", 85, 0.6),)),
    "behavioral": Claim("PROF", "behavioral", "11", "", (Line(("90834", "90837", "90791", "90853", "H0004", "H2015"), "", 95, 0.30),), dual=0.8),
    "dental": Claim("DENTAL", "dentist", "11", "", (
        Line(("D0120", "D0140", "D1110"), "", 52, 0.3), Line(("D0274", "D2391", "D7140"), "", 95, 0.5, 0.55)), dual=1.0),
    "birth": Claim("IP", "hospital", "21", "0111", (
        Line(("",), "0120", 3900, 0.30, 1.0, -1), Line(("",), "0720", 1800, 0.35), Line(("",), "0250", 240, 0.6, 0.8)), ("807", "788")),
    "birth_doctor": Claim("PROF", "specialist", "21", "", (Line(("59400", "59400", "59510"), "", 1900, 0.2),)),
    "newborn": Claim("IP", "hospital", "21", "0111", (Line(("",), "0170", 1150, 0.65, 1.0, -1),), ("795", "795", "795", "791")),
    "newborn_doctor": Claim("PROF", "primary", "21", "", (Line(("99460",), "", 88, 0.2),)),
    "nursing": Claim("LTC", "nursing", "31", "0211", (Line(("",), "0100", 4900, 0.18, 1.0, -3),), dual=1.0),
    "nursing_doctor": Claim("PROF", "primary", "32", "", (Line(("99308", "99309"), "", 70, 0.2),)),
    "home": Claim("PROF", "home", "12", "", (
        Line(("T1019", "S5125"), "", 880, 0.50, 1.0, 60), Line(("S5170",), "", 150, 0.4, 0.4, 20), Line(("T2003",), "", 60, 0.5, 0.3, 4)), dual=1.0),
    "infusion": Claim("OP", "hospital", "22", "0131", (
        Line(("96413",), "0510", 320, 0.3), Line(("J9271", "J9035"), "0636", 5600, 0.75, 0.8, 200))),
    "dialysis": Claim("OP", "dialysis", "65", "0721", (
        Line(("90999",), "0821", 2700, 0.2, 1.0, 13), Line(("90935",), "0821", 240, 0.3, 0.4)), dual=0.45),
    "ambulance": Claim("PROF", "emergency", "02", "", (Line(("A0429",), "", 290, 0.3),)),
}  # fmt: skip
STAYS = {"admission": (3.6, 0.75, 75), "birth": (2.4, 0.25, 7), "newborn": (2.3, 0.45, 40)}
"""Median, spread and longest length of stay, days."""
INTERIM_FROM = 25
"""Stays of at least so many days are billed in two: bill type 0112, then 0114."""
PAID_AFTER = (9.0, 0.75)
"""Days from the end of service to payment: median and spread of the lag, plus ten days of handling."""
SLOW_PROVIDERS = 0.06
"""Share of claims whose lag is four times as long."""
CHILD_CHECK_UPS = ("99391", "99392", "99393", "99394")


def medical_claims(
    people: Population, ill: Conditions, cover: Enrolment, rates: dict[str, Array], providers: Providers, rng: np.random.Generator
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
        parts.append({"kind": np.full(len(member), number), "member": member, "month": month, "day": day, "days": _stay(kind, people, member, day, rng)})
    visits = stack(parts, {"kind": np.int8(0), "member": np.int32(0), "month": np.int32(0), "day": np.int64(0), "days": np.int32(0)})
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
    kinds = list(VISITS.values())
    active = ill.active(visits["member"], visits["month"])
    codes = ill.codes(visits["member"], rng)
    first = np.zeros(n, np.int64)
    for number, visit in enumerate(kinds):
        rows = np.flatnonzero(visits["kind"] == number)
        pool = at("dx", *ACUTE[visit.reason])
        skewed = (rng.random(len(rows)) ** 1.6 * len(pool)).astype(np.int64)
        first[rows] = pool[skewed]
    child = (visits["day"] - people.birth[visits["member"]]) < 18 * 365
    is_check_up = visits["kind"] == list(VISITS).index("check_up")
    pool = at("dx", *ACUTE["child_check_up"])
    first = np.where(is_check_up & child, pool[rng.integers(0, 2, n)], first)
    chosen = _chronic_reason(visits, active, rng)
    first = np.where(chosen >= 0, codes[np.arange(n), np.maximum(chosen, 0)], first)
    recorded = np.array([v.recorded for v in kinds])[visits["kind"]]
    seen = active & (rng.random(active.shape) < recorded[:, None])
    seen[np.flatnonzero(chosen >= 0), chosen[chosen >= 0]] = False
    others = np.where(seen, codes, 0)
    others = np.where(others == first[:, None], 0, others)
    packed = np.take_along_axis(others, np.argsort(others == 0, axis=1, kind="stable"), axis=1)
    dx = np.zeros((n, DIAGNOSIS_SLOTS), np.int16)
    dx[:, 0], dx[:, 1 : 1 + packed.shape[1]] = first, packed
    return dx


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
    name: str, visits: Table, people: Population, ill: Conditions, providers: Providers, rng: np.random.Generator
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
    lines = _lines_of(look, v, claims, people, ill, providers, rng)
    if name == "check_up":
        _child_check_ups(lines, v, people)
    return claims, lines


def pay_dates(to_day: Array, rng: np.random.Generator, first_month: int) -> Table:
    """When a claim is written, paid and received."""
    n = len(to_day)
    median, spread = PAID_AFTER
    lag = np.exp(rng.normal(0, spread, n)) * median * np.where(rng.random(n) < SLOW_PROVIDERS, 6, 1)
    claim_day = to_day + 1 + (lag * 0.6).astype(np.int64)
    paid_day = claim_day + 6 + (lag * 0.4).astype(np.int64)
    return {"claim_day": claim_day, "paid_day": paid_day, "received": np.maximum(month_of_day(paid_day) - first_month, 0)}


def _lines_of(look: Claim, v: Table, claims: Table, people: Population, ill: Conditions, providers: Providers, rng: np.random.Generator) -> Table:
    member, provider = v["member"], claims["provider"]
    scale = ill.severity[member] ** 0.35 * providers.price[provider] * np.where(people.dual[member], look.dual, 1.0)
    parts = []
    for order, line in enumerate(look.lines):
        rows = np.flatnonzero(rng.random(len(member)) < line.chance)
        units = _units(line.units, v["days"][rows], rng)
        size = np.where(line.units < 0, (np.maximum(v["days"][rows], 1) / (4.0 if line.units > -3 else 28.0)) ** 0.75, 1.0)
        proc = at("proc", *line.procedures)[rng.integers(0, len(line.procedures), len(rows))]
        parts.append({
            "claim": rows, "order": np.full(len(rows), order), "proc": proc, "rev": np.full(len(rows), one("rev", line.revenue)),
            "units": units, "allowed": cents(rng, line.usd * size * scale[rows], line.spread, len(rows)),
        })  # fmt: skip
    lines = stack(parts, {"claim": np.int32(0), "order": np.int8(0), "proc": np.int16(0), "rev": np.int8(0), "units": np.int32(1), "allowed": np.int64(0)})
    lines = take(lines, np.lexsort((lines["order"], lines["claim"])))
    lines["line"] = counter(lines["claim"]) + 1
    return _amounts(lines, providers, provider, rng)


def _units(most: int, days: Array, rng: np.random.Generator) -> Array:
    """Units of a line: days of the stay where `most` is negative, else 1 to `most`."""
    return np.maximum(days, 1) if most < 0 else rng.integers(1, most + 1, len(days))


def _amounts(lines: Table, providers: Providers, provider: Array, rng: np.random.Generator) -> Table:
    """Billed, paid and member's share of lines whose allowed amount is known."""
    n = rows_of(lines)
    unusual = providers.unusual[provider[lines["claim"]]]
    lines["units"] = np.where(unusual, lines["units"] * 2, lines["units"])
    lines["billed"] = np.rint(lines["allowed"] * rng.uniform(1.3, 2.9, n) * np.where(unusual, 3.0, 1.0)).astype(np.int64)
    owed = np.where(rng.random(n) < 0.10, np.minimum(rng.integers(1, 9, n) * 100, lines["allowed"]), 0)
    lines["liability"], lines["paid"] = owed, lines["allowed"] - owed
    lines["mod"] = np.where((lines["rev"] == 0) & (rng.random(n) < 0.12), rng.integers(1, 8, n), 0)
    visit_levels = at("proc", "99212", "99213", "99214", "99203")
    lines["proc"] = np.where(unusual & np.isin(lines["proc"], visit_levels), one("proc", "99215"), lines["proc"])
    return lines


def _child_check_ups(lines: Table, v: Table, people: Population) -> None:
    """Well-child visit codes by age."""
    age = (v["day"] - people.birth[v["member"]])[lines["claim"]] / 365.25
    code = at("proc", *CHILD_CHECK_UPS)[np.digitize(age, (1, 5, 12))]
    lines["proc"] = np.where(age < 18, code, lines["proc"])
