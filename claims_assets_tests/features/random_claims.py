"""A seeded population of claim versions: late lines, voids, replacements, denials, repeated days, split claims.

Far more of each than any plan has, so that a few hundred members meet every case. Plain Python and Arrow, nothing of
the package: the oracle reads the same rows.
"""

import random
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa

FIRST_YEAR, MONTHS, MEMBERS, EVENTS = 2022, 30, 300, 40
"""Events a member: visits, stays and fills over all months."""

DIAGNOSES = (
    "E119", "E109", "I10", "I110", "I130", "I129", "J449", "J45909", "I509", "N1830", "F329", "F1120", "F0390", "E6601",
    "E663", "Z6841", "C50911", "C4401", "C4A9", "J069", "R079", "Z0000", "M5450", "K219", None, None,
)  # fmt: skip
PROCEDURES = ("99213", "99213", "80053", "71046", "77263", "79005", "70010", "89398", "69990", None)
"""Visits, tests, and treatments by radiation."""
CLASSES = ("STATIN", "SSRI", "OPIOID ANALGESIC", "STIMULANT", None)

COLUMNS = {
    "claim_feed": pa.string(), "claim_id": pa.string(), "claim_line_number": pa.int32(), "member_id": pa.string(),
    "adjustment_indicator": pa.string(), "claim_status": pa.string(), "claim_type": pa.string(),
    "claim_month": pa.string(), "service_from_date": pa.date32(), "admit_date": pa.date32(),
    "discharge_date": pa.date32(), "provider_id": pa.string(),
    **{f"diagnosis_code_{n}": pa.string() for n in range(1, 13)},
    "procedure_code_1": pa.string(), "procedure_code_2": pa.string(), "revenue_code": pa.string(),
    "place_of_service": pa.string(), "paid_amount": pa.decimal128(12, 2), "known_from": pa.string(),
    "cancelled_on": pa.string(), "ndc_code": pa.string(), "therapeutic_class": pa.string(),
    "generic_indicator": pa.string(), "days_supply": pa.int32(),
}  # fmt: skip
MEMBER_COLUMNS = {
    "member_id": pa.string(), "claim_month": pa.string(), "age": pa.int32(), "age_group": pa.string(),
    "gender": pa.string(), "race": pa.string(), "ethnicity": pa.string(), "zip_code": pa.string(),
    "county": pa.string(), "dual_eligible": pa.bool_(), "ltss_indicator": pa.bool_(), "smoker": pa.bool_(),
    "bmi": pa.float64(), "enrolled_since": pa.date32(),
}  # fmt: skip


@dataclass(frozen=True)
class RandomClaims:
    """Arrow tables, and frames of the same rows."""

    versions_table: pa.Table
    members_table: pa.Table
    versions: Any
    members: Any
    months: list[str]


def month(number: int) -> str:
    """The month so many months after January of FIRST_YEAR."""
    return f"{FIRST_YEAR + number // 12}-{number % 12 + 1:02d}"


def random_claims(spark, seed: int, members: int = MEMBERS, events: int = EVENTS) -> RandomClaims:
    """The population of a seed."""
    draw = random.Random(seed)
    lines = [
        row for m in range(members) for n in range(draw.randint(0, 2 * events)) for row in _event(draw, f"M{m:03d}", n)
    ]
    versions = pa.Table.from_pylist(lines, schema=pa.schema(list(COLUMNS.items())))
    people = pa.Table.from_pylist(_member_months(draw, members), schema=pa.schema(list(MEMBER_COLUMNS.items())))
    months = [month(n) for n in range(MONTHS)]
    return RandomClaims(versions, people, spark.createDataFrame(versions), spark.createDataFrame(people), months)


def _event(draw: random.Random, member: str, number: int) -> list[dict]:
    """One visit, stay or fill: its lines, and the versions that take it back or change it."""
    served = draw.randrange(MONTHS)
    day = date(FIRST_YEAR + served // 12, served % 12 + 1, draw.randint(1, 28))
    kind = draw.choices(("visit", "er", "stay", "fill"), (5, 1.5, 1, 4))[0]
    make = {"visit": _visit, "er": _emergency, "stay": _stay, "fill": _fill}[kind]
    claim, known = f"{member}-{number}", served + draw.choice((-1, 0, 0, 0, 1, 1, 2, 5, 13))
    status = draw.choices(("PAID", None, "DENIED", "PENDING"), (12, 2, 1.5, 0.5))[0]
    lines = [
        {"claim_id": claim, "claim_line_number": i, "member_id": member, "adjustment_indicator": "0",
         "claim_status": status, "paid_amount": _money(draw), **line}
        for i, line in enumerate(make(draw, day), 1)
    ]  # fmt: skip
    for line in lines:
        line |= {"claim_month": f"{line['service_from_date']:%Y-%m}", "known_from": month(max(known, 0))}
    return lines + _later_version(draw, lines, max(known, 0))


def _later_version(draw: random.Random, lines: list[dict], known: int) -> list[dict]:
    """A void or a replacement, known later, that cancels the lines given (which are changed)."""
    if draw.random() < 0.75:
        return []
    then = month(known + draw.choice((0, 1, 2, 7, 12)))
    indicator = draw.choice("14")
    later = [
        {**x, "claim_id": x["claim_id"] + "-R", "adjustment_indicator": indicator, "known_from": then} for x in lines
    ]
    for line in lines:
        line["cancelled_on"] = then
    if indicator == "4":
        for line in later:
            line["paid_amount"] = _money(draw)
    return later


def _visit(draw: random.Random, day: date) -> list[dict]:
    provider = f"P{draw.randrange(60)}"
    days = [day + timedelta(days=draw.choice((0, 0, 0, 1, 20))) for _ in range(draw.randint(1, 3))]
    return [
        _medical(draw, d, draw.choice(("PROF", "OP")), provider) | {"procedure_code_1": draw.choice(PROCEDURES)}
        for d in days
    ]


def _emergency(draw: random.Random, day: date) -> list[dict]:
    facility = _medical(draw, day, draw.choice(("ER", "OP")), f"P{draw.randrange(5)}") | {"revenue_code": "0451"}
    doctor = _medical(draw, day, "PROF", f"P{draw.randrange(60)}")
    doctor |= draw.choice(({"place_of_service": "23"}, {"procedure_code_2": "99284"}, {"revenue_code": "0981"}))
    return [facility, doctor][: draw.randint(1, 2)]


def _stay(draw: random.Random, day: date) -> list[dict]:
    stay = {"admit_date": draw.choice((day, day, None)), "discharge_date": day + timedelta(days=draw.randint(-2, 40))}
    lines = [_medical(draw, day, "IP", f"P{draw.randrange(5)}") | stay]
    if draw.random() < 0.4:
        lines.append(
            _medical(draw, day + timedelta(days=25), "IP", f"P{draw.randrange(5)}") | stay | {"discharge_date": None}
        )
    return lines


def _fill(draw: random.Random, day: date) -> list[dict]:
    drug = draw.randrange(40)
    return [
        {"claim_feed": "pharmacy", "claim_type": "RX", "service_from_date": day, "ndc_code": f"{drug:011d}",
         "therapeutic_class": CLASSES[drug % len(CLASSES)],
         "generic_indicator": draw.choice(("Y", "N", "GENERIC", None)),
         "days_supply": draw.choice((30, 90, None, 0, 400)), "provider_id": f"P{draw.randrange(60)}"}
    ]  # fmt: skip


def _medical(draw: random.Random, day: date, claim_type: str, provider: str) -> dict:
    codes = {f"diagnosis_code_{n}": draw.choice(DIAGNOSES) for n in draw.sample(range(1, 13), draw.randint(0, 4))}
    return {
        "claim_feed": "medical",
        "claim_type": claim_type,
        "service_from_date": day,
        "provider_id": provider,
        **codes,
    }


def _money(draw: random.Random) -> Decimal | None:
    cents = round(draw.lognormvariate(5, 2) * 100)
    return draw.choices((Decimal(cents) / 100, Decimal(0), None), (20, 1, 1))[0]


def _member_months(draw: random.Random, members: int) -> list[dict]:
    rows = []
    for m in range(members + 10):
        age, since = draw.choice((0, 3, 17, 30, 40, 50, 64, 66, 80, None)), draw.randrange(MONTHS // 2)
        fixed = {
            "member_id": f"M{m:03d}", "age": age, "gender": draw.choice("MFU"), "race": "Unknown",
            "ethnicity": "Unknown", "age_group": None, "zip_code": "01234", "county": None,
            "dual_eligible": draw.choice((True, False, None)),
            "ltss_indicator": draw.choice((True, False, None)), "smoker": draw.choice((True, False, None)),
            "bmi": draw.choice((17.0, 22.0, 27.5, 33.0, None)),
            "enrolled_since": date(FIRST_YEAR + since // 12, since % 12 + 1, draw.randint(1, 28)),
        }  # fmt: skip
        rows += [{**fixed, "claim_month": month(n)} for n in range(since, MONTHS) if draw.random() < 0.9]
    return rows
