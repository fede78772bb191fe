"""The lake's final claims, visits and stays are those that other SQL finds in the landing files themselves."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import fastavro
import pytest

from claims_assets.partitions import add_months
from claims_assets_tests.end_to_end.conftest import END, EXTRACT_END, EXTRACT_START, MONTHS, connected
from claims_assets_tests.end_to_end.raw_counts import MEDICAL_TEXT, raw_counts

Rows = list[tuple[Any, ...]]
FEEDS = ("medical", "pharmacy")


@dataclass(frozen=True)
class Opinions:
    """Two ways to ask the same: the landing files, and the lake."""

    files: Callable[[str], Rows]
    lake: Callable[[str], Rows]


@pytest.fixture(scope="module", params=["demo", "extract"])
def opinions(request: pytest.FixtureRequest) -> Iterator[Opinions]:
    if request.param == "demo":
        home, months = request.getfixturevalue("demo").home, (add_months(END, 1 - MONTHS), END)
    else:
        home, months = request.getfixturevalue("extract"), (EXTRACT_START, EXTRACT_END)
    with raw_counts(home / "landing", *months) as db, connected(home / "lake") as lake:
        yield Opinions(lambda text: db.execute(text).fetchall(), lake)


@pytest.mark.requirement("R7")
@pytest.mark.requirement("R18")
@pytest.mark.parametrize("feed", FEEDS)
def test_lines_claims_members_and_money_agree_by_month_status_and_enrolment(opinions, feed):
    found = opinions.files(f"""
        select claim_month, status, enrolment, count(*), count(distinct claim_id), count(distinct member_id), sum(paid)
        from judged where feed = '{feed}' group by all order by all""")
    assert found == opinions.lake(f"""
        select claim_month, claim_status, enrolment, count(*), count(distinct claim_id), count(distinct member_id),
            sum(paid_amount)
        from silver.{feed}_claims group by all order by all""")
    assert {word for _, _, word, *_ in found} >= {"ENROLLED"}
    assert sum(lines for *_, lines, _, _, _ in found) > 1_000


@pytest.mark.parametrize("feed", FEEDS)
def test_claims_and_members_agree_over_all_months(opinions, feed):
    counts = "count(distinct claim_id), count(distinct member_id)"
    found = opinions.files(f"select {counts} from final_lines where feed = '{feed}'")
    assert found == opinions.lake(f"select {counts} from silver.{feed}_claims")


@pytest.mark.requirement("R9")
def test_emergency_visits_agree_by_month_member_day_and_facility(opinions):
    found = opinions.files("select member_id, served, facility from visits order by all")
    assert found == opinions.lake(
        "select member_id, start_date, facility_id from silver.encounters where encounter_type = 'ED' order by all"
    )
    assert len(found) > 100


@pytest.mark.requirement("R9")
def test_inpatient_stays_and_their_nights_agree(opinions):
    stays = "select claim_month, member_id, count(*) from {} group by all order by all"
    found = opinions.files(stays.format("stays"))
    first_parts = "silver.encounters where encounter_type = 'INPATIENT' and continues_encounter_id is null"
    assert found == opinions.lake(stays.format(first_parts))
    assert len(found) > 10
    assert opinions.files("select sum(nights), sum(bills) from stays") == opinions.lake(
        "select sum(length_of_stay), sum(claim_count) from silver.encounters where encounter_type = 'INPATIENT'"
    )


LINE = {
    "claim_line_number": "1", "member_id": "M", "claim_date": "2024-01-09", "service_from_date": "2024-01-05",
    "paid_date": "2024-01-20", "adjustment_indicator": "0", "claim_status": "PAID", "paid_amount": "100.00",
}  # fmt: skip
REVERSALS = {
    "void under an id of its own": (
        [{}, {"claim_id": "V", "adjustment_indicator": "1", "original_claim_id": "A", "paid_date": "2024-02-01"}],
        [],
    ),
    "void under the same id": ([{}, {"adjustment_indicator": "1", "paid_amount": "-100.00"}], []),
    "negative line": ([{}, {"paid_amount": "-100.00", "claim_date": "2024-02-09"}], []),
    "negative line, then corrected": (
        [{}, {"paid_amount": "-100.00", "paid_date": "2024-02-01"}, {"paid_amount": "80", "paid_date": "2024-02-02"}],
        [("A", 80)],
    ),
    "negative line, then paid again": (
        [{}, {"paid_amount": "-100.00", "paid_date": "2024-02-01"}, {"paid_date": "2024-02-02"}],
        [("A", 100)],
    ),
    "negative line that nothing precedes": ([{"paid_amount": "-100.00"}], [("A", -100)]),
    "sent again": ([{}, {}], [("A", 100)]),
    "replaced, and the replacement voided": (
        [
            {},
            {"claim_id": "R", "adjustment_indicator": "4", "original_claim_id": "A", "paid_date": "2024-02-01"},
            {"claim_id": "V", "adjustment_indicator": "1", "original_claim_id": "R", "paid_date": "2024-02-01"},
        ],
        [],
    ),
    "replaced twice, both naming the first": (
        [
            {"claim_id": "S", "adjustment_indicator": "4", "original_claim_id": "A", "paid_date": "2024-03-01"},
            {"claim_id": "R", "adjustment_indicator": "4", "original_claim_id": "A", "paid_date": "2024-02-01"},
            {},
        ],
        [("S", 100)],
    ),
    "two claims of one day": ([{}, {"claim_id": "B"}], [("A", 100), ("B", 100)]),
    "unreadable void": (
        [
            {},
            {"claim_id": "V", "adjustment_indicator": "1", "original_claim_id": "A", "member_id": "", "paid_date": ""},
        ],
        [],
    ),
}
"""Lines of a file (on top of LINE and claim A), and what stands."""


@pytest.mark.parametrize("name", REVERSALS)
def test_the_second_opinion_knows_each_way_to_reverse(tmp_path, name):
    """The SQL above is only worth comparing with if it is right where the answer is known."""
    given, expected = REVERSALS[name]
    for feed, text in (("pharmacy_claims", FILLS), ("member_eligibility", SPANS)):
        (tmp_path / feed).mkdir()
        (tmp_path / feed / "x_2024-01.csv").write_text(text)
    (tmp_path / "medical_claims").mkdir()
    fields = [{"name": n, "type": ["null", "string"]} for n in MEDICAL_TEXT]
    with (tmp_path / "medical_claims" / "claims_2024-01.avro").open("wb") as file:
        records = [dict.fromkeys(MEDICAL_TEXT) | {"claim_id": "A"} | LINE | line for line in given]
        fastavro.writer(file, {"type": "record", "name": "line", "fields": fields}, records)
    with raw_counts(tmp_path, "2024-01", "2024-12") as db:
        standing = "select claim_id, paid::integer from final_lines where feed = 'medical' order by all"
        assert db.execute(standing).fetchall() == expected
        assert db.execute("select claim_id, served from final_lines where feed = 'pharmacy'").fetchall() == [
            ("F", date(2024, 1, 6))
        ]


FILLS = """\
claim_id,member_id,fill_date,paid_date,adjustment_indicator,original_claim_id,claim_status,paid_amount,allowed_amount,member_copay
F,M,2024-01-06,2024-01-07,0,,PAID,9.50,9.50,0
"""
SPANS = """\
member_id,effective_date,term_date,death_date
M,2024-01-01,,
"""
