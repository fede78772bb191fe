"""Risk training rows from claim versions and eligibility records, the way the graph makes them; and later news.

`random_claims` gives the claims of thirty months; here are eligibility records of the same members, and what may come
in after a month: claims, voids, replacements, corrected and new records.
"""

import random
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa

from claims_assets.features.risk_training_rows import JUDGED_MONTHS, risk_training_rows
from claims_assets.partitions import add_months, months_between
from claims_assets.silver.enrolment_as_known import enrolment_as_known
from claims_assets.silver.member_months_as_known import member_months_as_known
from claims_assets_tests.features.made import made_features
from claims_assets_tests.features.random_claims import COLUMNS
from claims_assets_tests.silver.eligibility_records import frame_of

COUNTIES = ("north", "south", None)
VALUED = (
    "claim_month string, incurred_month string, age_months int, claim_lines bigint,"
    " claim_lines_outside_enrolment bigint, paid decimal(18,2), completed_paid decimal(18,2)"
)
"""Columns of `gold.pmpm` that training rows read."""


@dataclass(frozen=True)
class Given:
    """What a lake holds: lines of `silver.claim_versions`, rows of `bronze.member_eligibility`."""

    lines: list[dict[str, Any]]
    records: list[dict[str, Any]]

    def versions(self, spark: Any) -> Any:
        return spark.createDataFrame(self.versions_table())

    def versions_table(self) -> pa.Table:
        return pa.Table.from_pylist(self.lines, schema=pa.schema(list(COLUMNS.items())))

    def eligibility(self, spark: Any) -> Any:
        return frame_of(spark, self.records)


def made_rows(spark: Any, given: Given, months: list[str]) -> Any:
    """`gold.risk_training_rows` of the judged months; all of them are mature, and have a full look-back."""
    index = [add_months(m, -JUDGED_MONTHS) for m in months]
    return risk_training_rows(*read_by_rows(spark, given, months), mature(spark, *index, *months), months)


def read_by_rows(spark: Any, given: Given, months: list[str]) -> tuple[Any, Any, Any]:
    """Features, claims and enrolment, as the table reads them for the judged months."""
    index = [add_months(m, -JUDGED_MONTHS) for m in months]
    versions, eligibility = given.versions(spark), given.eligibility(spark)
    features = made_features(versions, member_months_as_known(eligibility, index), index)
    return features, versions, enrolment_as_known(eligibility, [*index, *months])


def mature(spark: Any, *months: str, paid: int = 100, completed: int | None = 100) -> Any:
    """`gold.pmpm` of as-of months: 24 months of service, each with claims, all of them paid."""
    valued = [
        (month, incurred, age, 1, 0, Decimal(paid), None if completed is None else Decimal(completed))
        for month in dict.fromkeys(months)
        for age, incurred in enumerate(reversed(months_between(add_months(month, -23), month)))
    ]
    return spark.createDataFrame(valued, VALUED)


def random_records(seed: int, members: int) -> list[dict[str, Any]]:
    """Eligibility of members M000, M001, ..: ends, returns, deaths and corrections, received on time or later."""
    draw, rows = random.Random(seed), []
    for n in range(members):
        start = date(2021, 6, 1) + timedelta(days=draw.randrange(500))
        born = date(draw.randrange(1935, 2023), draw.randint(1, 12), draw.randint(1, 28))
        for _ in range(draw.randint(1, 4)):
            row: dict[str, Any] = _record(draw, f"M{n:03d}", start, born) | {"source_line": len(rows)}
            rows.append(row)
            if draw.random() < 0.5:  # said again, with another end
                rows.append(_corrected(draw, row) | {"source_line": len(rows)})
            start = (row["term_date"] or start) + timedelta(days=draw.choice((1, 20, 100)))
    return rows


def _record(draw: random.Random, member: str, start: date, born: date) -> dict[str, Any]:
    return {
        "member_id": member,
        "effective_date": start,
        "term_date": draw.choice((None, start + timedelta(days=draw.randrange(1, 900)))),
        "birth_date": born,
        "death_date": start + timedelta(days=draw.randrange(900)) if draw.random() < 0.08 else None,
        "received_month": draw.choice((None, add_months(f"{start:%Y-%m}", draw.choice((-2, 0, 0, 1, 3, 8))))),
        "county": draw.choice(COUNTIES),
        "smoker": draw.choice((True, False, None)),
        "source_file": "e.csv",
    }


def _corrected(draw: random.Random, row: dict[str, Any]) -> dict[str, Any]:
    start = row["effective_date"]
    end = draw.choice((None, start - timedelta(days=1), start + timedelta(days=draw.randrange(600))))
    later = add_months(row["received_month"] or f"{start:%Y-%m}", draw.randrange(1, 20))
    return row | {"term_date": end, "received_month": later, "county": draw.choice(COUNTIES)}


def with_news(given: Given, seed: int, after: str, months: list[str]) -> Given:
    """The lake once news of `months`, all later than the month `after`, has come in: hundreds of each kind."""
    draw = random.Random(seed)
    assert min(months) > after
    lines = [dict(x) for x in given.lines]
    for line in draw.sample(lines, len(lines) // 2):
        lines += _news_of(draw, line, after, draw.choice(months))
    unknown = [x for x in lines if x["known_from"] > after]
    forgotten = {id(x) for x in draw.sample(unknown, len(unknown) // 4)}
    records = [*given.records]
    for row in draw.sample(given.records, len(given.records) // 2):
        news = _corrected(draw, row) | {"received_month": draw.choice(months), "source_line": len(records)}
        start, died = row["effective_date"], row["effective_date"] + timedelta(days=draw.randrange(400))
        moved = {
            "effective_date": start + timedelta(days=draw.choice((0, 0, -60, 45))),
            "smoker": draw.choice((True, None)),
        }
        records.append(news | moved | draw.choice(({}, {}, {"death_date": died})))
    return replace(given, lines=[x for x in lines if id(x) not in forgotten], records=records)


def _news_of(draw: random.Random, line: dict[str, Any], after: str, month: str) -> list[dict[str, Any]]:
    """What becomes known later of a line, which may itself be changed."""
    news = {**line, "claim_id": f"{line['claim_id']}-{month}-{draw.randrange(10**9)}", "known_from": month}
    news |= {"cancelled_on": None, "paid_amount": draw.randrange(1, 10**6)}
    stands = line["cancelled_on"] is None or line["cancelled_on"] > after
    unknown = line["known_from"] > after
    kind = draw.choice(("void", "replacement", "late", "changed"))
    if kind == "late":
        return [news | {"adjustment_indicator": "0", "claim_status": "PAID", "claim_type": draw.choice(("IP", "ER"))}]
    if kind == "changed" and unknown:
        line |= {"paid_amount": 12345, "diagnosis_code_1": "E119", "provider_id": "PX"}
        return []
    if kind in ("void", "replacement") and stands and line["known_from"] <= month:
        line["cancelled_on"] = month
        return [news | {"adjustment_indicator": "1" if kind == "void" else "4"}]
    return []
