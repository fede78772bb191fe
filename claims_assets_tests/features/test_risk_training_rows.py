"""`gold.risk_training_rows`: who counts, what happened to them, and that no row knows what was not known then."""

from datetime import date

import pyarrow as pa
import pytest
from pyspark.sql import functions as F

from claims_assets.contracts import compiled
from claims_assets.features.member_features import MemberFeatures
from claims_assets.features.risk_training_rows import RiskTrainingRows, risk_training_rows
from claims_assets.partitions import add_months, months_between
from claims_assets.silver.enrolment import last_day
from claims_assets_tests.features.known_lake import Given, made_rows, mature, random_records, read_by_rows, with_news
from claims_assets_tests.features.oracle import expected
from claims_assets_tests.features.random_claims import random_claims
from claims_assets_tests.silver.eligibility_records import known_by

JUDGED = "2024-06"
INDEX, OUTCOME_MONTH = "2023-03", "2024-03"
FEATURES = [n for n in compiled(MemberFeatures).columns if n != "claim_month"]
COLUMNS = list(compiled(RiskTrainingRows).columns)
SEEN = [n for n in COLUMNS if n not in (*FEATURES, "claim_month", "index_month")]
"""What was seen of the year after the index, and how long."""
MEMBERS = 60


@pytest.fixture(scope="module")
def lake_of_old(spark) -> Given:
    """Thirty months of claims of sixty members, and their eligibility records."""
    claims = random_claims(spark, seed=7, members=MEMBERS, events=40)
    return Given(claims.versions_table.to_pylist(), random_records(7, MEMBERS))


@pytest.fixture(scope="module")
def made(spark):
    """`made(given, months)`: the training rows as (judged month, member) -> column -> value."""

    def build(given: Given, months=(JUDGED,)) -> dict[tuple[str, str], dict]:
        rows = made_rows(spark, given, list(months)).select(*COLUMNS).collect()
        found = {(r.claim_month, r.member_id): r.asDict() for r in rows}
        assert len(found) == len(rows), "the grain is unique"
        return found

    return build


@pytest.fixture(scope="module")
def before(made, lake_of_old):
    return made(lake_of_old)


@pytest.mark.requirement("R1", "R12")
def test_news_after_the_judged_month_changes_no_training_row(made, lake_of_old, before):
    news = with_news(lake_of_old, 1, JUDGED, months_between("2024-07", "2025-12"))
    assert len(news.lines) > len(lake_of_old.lines) * 1.1
    assert made(news) == before
    assert len(before) > MEMBERS / 3


@pytest.mark.requirement("R1")
def test_news_after_the_index_month_changes_no_feature_of_it(made, lake_of_old, before):
    """News known by the judged month changes what happened, and who was seen, never what was known at the index."""
    after = made(with_news(lake_of_old, 2, INDEX, months_between("2023-04", JUDGED)))
    both = after.keys() & before.keys()
    assert len(both) > MEMBERS / 4
    changed = {n for k in both for n in COLUMNS if after[k][n] != before[k][n]}
    assert changed & {*FEATURES, "lookback_months"} == set()
    assert changed >= {"outcome_total_paid", "outcome_er_visit_count", "outcome_risk_tier", "exposure_months"}
    assert after.keys() != before.keys()


def test_the_news_would_be_seen_if_it_were_not_cut(made, lake_of_old, before):
    """The tests above would pass on news that nothing can see: the same news does change later months."""
    news = with_news(lake_of_old, 1, JUDGED, ["2024-07"])
    later = "2024-09"
    old, new = (made(given, [later]) for given in (lake_of_old, news))
    changed = {n for k in old.keys() & new.keys() for n in COLUMNS if old[k][n] != new[k][n]}
    assert changed >= {"outcome_total_paid", "exposure_months"}
    assert {n for n in changed if n in FEATURES} == set()


@pytest.mark.requirement("R1", "R12")
def test_rows_equal_an_independent_computation(lake_of_old, before):
    """Outcomes in another engine, enrolment day by day, from what was known in the judged and the index month."""
    then, now = (known_by(lake_of_old.records, m) for m in (INDEX, JUDGED))
    born = {r["member_id"]: r["birth_date"] for r in lake_of_old.records}
    year_before, year_after = (add_months(INDEX, -11), INDEX), (add_months(INDEX, 1), OUTCOME_MONTH)
    wanted = {}
    for member in now.keys() & then.keys():
        look_back, exposure = then[member].months(*year_before), now[member].months(*year_after)
        if then[member].months(INDEX, INDEX) and look_back >= 3 and exposure:
            wanted[JUDGED, member] = {
                "lookback_months": look_back,
                "exposure_months": exposure,
                "died": last_day(INDEX) < (now[member].died or date.min) <= last_day(OUTCOME_MONTH),
                "outcome_is_mature": True,
            }
    assert before.keys() == wanted.keys()
    aged = [
        {"member_id": m, "claim_month": OUTCOME_MONTH, "age": age_on(born[m], last_day(INDEX)) + 1} for _, m in wanted
    ]
    happened = expected(lake_of_old.versions_table(), pa.Table.from_pylist(aged), OUTCOME_MONTH, horizon=JUDGED)
    for (judged, member), row in wanted.items():
        seen = happened[member]
        row |= {
            "outcome_er_visit_count": seen["er_visit_count_12mo"],
            "outcome_inpatient_admit_count": seen["inpatient_admit_count_12mo"],
            "outcome_total_paid": float(seen["total_paid_12mo"] + seen["total_rx_paid_12mo"]),
            "outcome_composite_risk_score": seen["composite_risk_score"],
            "outcome_risk_tier": seen["risk_tier"],
        }
        assert {n: before[judged, member][n] for n in row} == row
        assert row.keys() == set(SEEN)
    for name in [n for n in SEEN if n != "outcome_is_mature"]:
        assert len({row[name] for row in before.values()}) > 1, (
            f"{name} is the same for all members: that proves nothing"
        )


def age_on(born: date, day: date) -> int:
    return max(0, day.year - born.year - ((day.month, day.day) < (born.month, born.day)))


@pytest.mark.requirement("R12")
def test_a_month_is_the_same_alone_and_in_a_range_of_shuffled_rows(made, lake_of_old, before):
    months = months_between("2024-04", JUDGED)
    found = made(Given(lake_of_old.lines[::-1], lake_of_old.records[::-1]), months)
    assert {k: v for k, v in found.items() if k[0] == JUDGED} == before
    assert {month for month, _ in found} == set(months)


def test_rows_keep_their_contract(spark, lake, made, before):
    names = compiled(RiskTrainingRows).arrow_schema().names
    stored = pa.Table.from_pylist([{n: row[n] for n in names} for row in before.values()])
    found = lake.write(spark.createDataFrame(stored), "gold", "risk_training_rows", RiskTrainingRows, [JUDGED])
    assert (found.blocked, found.failed_by_rule(), found.rows_kept) == ([], {}, len(before))


def line(member: str, day: str, known: str | None = None, **given) -> dict:
    """A paid inpatient line of 1000 USD; the age of its member makes the rest of the score."""
    return {
        "claim_feed": "medical", "claim_id": f"{member}-{day}-{known}", "claim_line_number": 1, "member_id": member,
        "adjustment_indicator": "0", "claim_status": "PAID", "claim_type": "IP", "claim_month": day[:7],
        "service_from_date": date.fromisoformat(day), "known_from": known or day[:7], "paid_amount": 1000,
    } | given  # fmt: skip


def record(member: str, start: str, end: str | None = None, received: str | None = None, **given) -> dict:
    return {
        "member_id": member, "effective_date": date.fromisoformat(start),
        "term_date": end and date.fromisoformat(end), "birth_date": date(1980, 1, 1), "death_date": None,
        "received_month": received, "source_file": "e.csv", "source_line": 0,
    } | given  # fmt: skip


@pytest.mark.requirement("R1")
def test_outcomes_move_with_claims_known_by_the_judged_month_and_not_with_later_ones(made):
    lines = [
        line("a", "2023-05-05"),
        line("a", "2024-03-31", known=JUDGED, claim_type="ER"),
        line("a", "2024-03-01", known="2024-07"),
        line("a", "2023-06-01", cancelled_on="2024-06"),
        line("a", "2023-07-01", cancelled_on="2024-07"),
        line("a", "2024-04-01"),
        line("a", "2023-03-31"),
    ]
    row = made(Given(lines, [record("a", "2022-01-01")]))[JUDGED, "a"]
    assert (row["outcome_total_paid"], row["outcome_er_visit_count"], row["outcome_inpatient_admit_count"]) == (
        3000,
        1,
        2,
    )
    assert (row["index_month"], row["total_paid_12mo"]) == (INDEX, 1000)
    assert (row["outcome_composite_risk_score"], row["outcome_risk_tier"]) == (1 + 3, "Low")


def test_members_count_from_three_months_of_look_back_and_one_of_exposure(made):
    records = [
        record("two months", "2023-02-01"),
        record("three months", "2023-01-31"),
        record("left at once", "2022-01-01", "2023-03-31"),
        record("left in april", "2022-01-01", "2023-04-01"),
        record("came later", "2023-04-01"),
        # Thought to be there at the index; taken off in hindsight, but enrolled again later in the year.
        record("was off", "2022-01-01", received="2022-01"),
        record("was off", "2022-01-01", "2022-03-01", received="2023-06", source_line=1),
        record("was off", "2024-03-31", received="2024-04"),
        # Found out after the judged month: stays as it was thought to be.
        record("off too late", "2022-01-01", received="2022-01"),
        record("off too late", "2022-01-01", "2022-03-01", received="2024-07", source_line=1),
        record("dies", "2022-01-01", received="2022-01"),
        record("dies", "2022-01-01", received="2024-06", death_date=date(2024, 2, 2), source_line=1),
        record("dies unknown", "2022-01-01", received="2022-01"),
        record("dies unknown", "2022-01-01", received="2024-07", death_date=date(2024, 2, 2), source_line=1),
    ]
    found = made(Given([line("nobody", "2023-01-01")], records))
    assert {m: (r["lookback_months"], r["exposure_months"], r["died"]) for (_, m), r in found.items()} == {
        "three months": (3, 12, False),
        "left in april": (12, 1, False),
        "was off": (12, 1, False),
        "off too late": (12, 12, False),
        "dies": (12, 11, True),
        "dies unknown": (12, 12, False),
    }


@pytest.fixture(scope="module")
def one_member(spark):
    """Features, claims and enrolment of one member, as the table reads them."""
    made = read_by_rows(spark, Given([line("a", "2023-05-05")], [record("a", "2022-01-01")]), [JUDGED])
    return [spark.createDataFrame(frame.toArrow()) for frame in made]


@pytest.mark.parametrize(
    ("paid", "completed", "is_mature"),
    [(91, 100, True), (90, 100, True), (89, 100, False), (100, None, False), (0, 0, False)],
)
def test_the_outcome_year_is_mature_when_nine_tenths_of_it_are_paid(spark, one_member, paid, completed, is_mature):
    """Only the months of the outcome year are asked, as the judged month values them."""
    in_year = F.col("incurred_month").between("2023-04", OUTCOME_MONTH)
    others = mature(spark, JUDGED, completed=None if is_mature else 100).where(~in_year)
    pmpm = mature(spark, JUDGED, paid=paid, completed=completed).where(in_year).unionByName(others)
    (row,) = risk_training_rows(*one_member, pmpm.unionByName(mature(spark, INDEX)), [JUDGED]).collect()
    assert row.outcome_is_mature is is_mature


def test_a_judged_month_that_no_valuation_tells_of_is_not_mature(spark, one_member):
    (row,) = risk_training_rows(*one_member, mature(spark, INDEX), [JUDGED]).collect()
    assert row.outcome_is_mature is False


def test_an_index_month_without_claims_a_year_back_gives_no_rows(spark, one_member):
    """Features that see less than a year would teach that newcomers to the feed are healthy."""

    def rows(first_claim_month):
        begins = F.when(F.col("incurred_month") >= first_claim_month, 1).otherwise(0)
        pmpm = mature(spark, INDEX, JUDGED).withColumn("claim_lines", begins)
        return risk_training_rows(*one_member, pmpm, [JUDGED]).count()

    assert (rows("2022-04"), rows("2022-05")) == (1, 0)
