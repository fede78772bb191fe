"""Literal and random eligibility records for the tests of what was known of enrolment."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from claims_assets.bronze.member_eligibility import MemberEligibility
from claims_assets.contracts import compiled
from claims_assets.partitions import months_between
from claims_assets.silver.enrolment import last_day

DAY_0 = date(2024, 1, 1)
RECEIVED = ("2023-12", "2024-01", "2024-02", "2024-04", "2024-05", "2024-09")
"""Months of receipt: before, among and after the months that tests ask for."""
COUNTIES = ("north", "south", None)

RECORD = st.fixed_dictionaries(
    {
        # Few first days, so that records of the same one are common.
        "start": st.sampled_from([-400, -40, -9, 0, 20, 31, 32, 75, 121, 200]),
        "length": st.one_of(st.none(), st.integers(-3, 150)),
        "received": st.one_of(st.none(), st.sampled_from(RECEIVED)),
        "died": st.one_of(st.none(), st.none(), st.none(), st.integers(0, 200)),
        "county": st.sampled_from(COUNTIES),
    }
)
MEMBERS = st.lists(st.lists(RECORD, max_size=7), min_size=40, max_size=60)


def of_random_members(test: Callable[..., None]) -> Callable[..., None]:
    """A test that takes drawn `members` and the `order` in which to shuffle their rows: few examples of many members.

    Without shrinking: each step would be a job of the engine, and a failure would take minutes.
    """
    asked = given(members=MEMBERS, order=st.randoms(use_true_random=False))
    few = settings(
        max_examples=5,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    return few(asked(test))


def span(member: str, start: str, end: str | None = None, **more: Any) -> dict[str, Any]:
    """A record as literals."""
    return {"member_id": member, "effective_date": start, "term_date": end} | more


def numbered(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The records as lines of one file."""
    return [{"source_file": "a.csv", "source_line": i} | r for i, r in enumerate(records)]


def drawn(members: list[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Rows of `bronze.member_eligibility` for drawn members; they are named by their number."""
    rows = []
    for number, records in enumerate(members):
        for line, record in enumerate(records):
            first = DAY_0 + timedelta(record["start"])
            length, died = record["length"], record["died"]
            rows.append(
                {
                    "member_id": str(number),
                    "effective_date": first,
                    "term_date": None if length is None else first + timedelta(length),
                    "death_date": None if died is None else DAY_0 + timedelta(died),
                    "received_month": record["received"],
                    "county": record["county"],
                    "source_file": "f",
                    "source_line": line,
                }
            )
    return rows


def known_month(row: dict[str, Any]) -> str:
    """Month from which a row is known."""
    return row.get("received_month") or str(row["effective_date"])[:7]


def frame_of(spark: Any, rows: list[dict[str, Any]]) -> Any:
    """`bronze.member_eligibility` of rows whose values have their type."""
    columns = compiled(MemberEligibility).columns
    schema = ", ".join(f"{n} {t.simpleString()}" for n, t in columns.items())
    return spark.createDataFrame([tuple(r.get(n) for n in columns) for r in rows], schema)


@dataclass(frozen=True)
class Known:
    """What records known by the end of a month say of a member, day by day."""

    days: set[date]
    died: date | None

    def months(self, first: str, last: str) -> int:
        """How many of the months have an enrolled day."""
        return len({f"{d:%Y-%m}" for d in self.days} & set(months_between(first, last)))


def known_by(rows: list[dict[str, Any]], month: str) -> dict[str, Known]:
    """Each member as the rows known by the end of the month say, up to its last day: the slow way round."""
    newest: dict[str, dict[date, dict[str, Any]]] = {}
    for row in sorted(rows, key=lambda r: (r["received_month"] or "", r["source_file"], r["source_line"])):
        if known_month(row) <= month:
            newest.setdefault(row["member_id"], {})[row["effective_date"]] = row
    return {member: _marked(by_start, last_day(month)) for member, by_start in newest.items()}


def _marked(by_start: dict[date, dict[str, Any]], end: date) -> Known:
    deaths = [row["death_date"] for _, row in sorted(by_start.items()) if row["death_date"]]
    died = deaths[-1] if deaths else None
    days: set[date] = set()
    for start, row in by_start.items():
        last = min(x for x in (row["term_date"], died, end) if x)
        days |= {start + timedelta(n) for n in range((last - start).days + 1)}
    return Known(days, died if died and died <= end else None)
