"""Cost per member per month: the whole table, on literal lines and on random ones."""

from calendar import monthrange
from datetime import timedelta
from decimal import Decimal

import duckdb
import pytest
from pyspark.sql import functions as F

from claims_assets.features.pmpm import Pmpm, pmpm
from claims_assets.partitions import add_months, months_between
from claims_assets.silver.claim_versions import ClaimVersions
from claims_assets.silver.member_months import MemberMonths
from claims_assets_tests.features.conftest import fill, line

PERSON = {"gender": "U", "race": "Unknown", "ethnicity": "Unknown", "enrolled_since": "2022-01-01"}


def covered(member, *months, days=None):
    """Member months of a member, of all days of the month or its first `days`."""
    found = []
    for month in months:
        of_month = monthrange(int(month[:4]), int(month[5:]))[1]
        facts = {"days_in_month": of_month, "enrolled_days": days or of_month}
        by_day = "1" * facts["enrolled_days"] + "0" * (of_month - facts["enrolled_days"])
        share = {"enrolled_share": facts["enrolled_days"] / of_month, "enrolment_by_day": by_day}
        found.append(PERSON | facts | share | {"member_id": member, "claim_month": month})
    return found


def table(rows, lines, people, months):
    return pmpm(rows(ClaimVersions, *lines), rows(MemberMonths, *people), list(months))


def cells(rows, lines, people, month="2024-06"):
    """(month of service, category) -> row, of one as-of month."""
    found = table(rows, lines, people, [month]).collect()
    assert {r.claim_month for r in found} <= {month}
    return {(r.incurred_month, r.service_category): r for r in found}


@pytest.mark.requirement("R11")
def test_the_denominator_is_member_months_each_member_and_month_once(rows):
    people = covered("a", "2024-06") + covered("b", "2024-06", days=15) + covered("c", "2024-06", days=3)
    lines = [
        line("a", "2024-06-03", claim_type="ER", paid_amount="128.00"),
        line("a", "2024-06-03", claim_type="PROF", place_of_service="23", paid_amount="32.00"),
    ]
    row = cells(rows, lines, people)["2024-06", "emergency"]
    assert (row.members, row.member_months) == (3, 1.6)
    assert (row.paid, row.claims, row.claim_lines) == (160, 2, 2)
    assert row.pmpm == 100.0
    assert (row.ed_visits, row.ed_visits_per_1000) == (1, 1 / 1.6 * 12_000)


def test_every_category_has_a_row_and_visits_and_nights_stand_on_their_own(rows):
    lines = [
        line("a", "2024-06-03", claim_type="IP", admit_date="2024-06-03", discharge_date="2024-06-06"),
        fill("a", "2024-06-04"),
    ]
    found = cells(rows, lines, covered("a", "2024-06"))
    assert len(found) == 14
    assert {c: r.paid for (_, c), r in found.items() if r.paid} == {"inpatient": 100, "pharmacy": 20}
    assert {c: r.inpatient_days_per_1000 for (_, c), r in found.items() if r.inpatient_days is not None} == {
        "inpatient": 36_000.0
    }
    assert [c for (_, c), r in found.items() if r.ed_visits is not None] == ["emergency"]


def test_claims_of_members_not_enrolled_then_are_reported_apart(rows):
    people = covered("a", "2024-05", "2024-06") + covered("b", "2024-05")
    lines = [line("a", "2024-06-03"), line("b", "2024-06-03"), line("b", "2024-06-05", cancelled_on="2024-06"),
             line("nobody", "2024-06-03", paid_amount="7.00")]  # fmt: skip
    row = cells(rows, lines, people)["2024-06", "outpatient_facility"]
    assert (row.paid, row.claims, row.claim_lines, row.pmpm) == (100, 1, 1, 100.0)
    assert (row.paid_outside_enrolment, row.claim_lines_outside_enrolment) == (107, 2)


def test_a_service_after_the_last_day_of_enrolment_is_reported_apart(rows):
    lines = [line("a", "2024-06-15"), line("a", "2024-06-16", paid_amount="7.00")]
    row = cells(rows, lines, covered("a", "2024-06", days=15))["2024-06", "outpatient_facility"]
    assert (row.paid, row.paid_outside_enrolment) == (100, 7)


@pytest.mark.requirement("R7")
def test_a_line_counts_from_the_month_it_is_known_until_it_is_cancelled(rows):
    lines = [
        line("a", "2024-03-03", known_from="2024-04", cancelled_on="2024-06", paid_amount="90.00"),
        line("a", "2024-03-03", known_from="2024-06", adjustment_indicator="4", paid_amount="60.00"),
        line("a", "2024-03-03", known_from="2024-05", adjustment_indicator="1", paid_amount="-1.00"),
        line("a", "2024-03-03", known_from="2024-05", cancelled_on="2024-05", paid_amount="5.00"),
        line("a", "2024-03-03", claim_status="DENIED", paid_amount="5.00"),
    ]
    found = table(rows, lines, covered("a", "2024-03"), months_between("2024-03", "2024-07")).collect()
    paid = {r.claim_month: r.paid for r in found if r.service_category == "outpatient_facility"}
    assert paid == {"2024-03": 0, "2024-04": 90, "2024-05": 90, "2024-06": 60, "2024-07": 60}


def test_the_worked_example_of_the_documentation(rows):
    """Fourteen months of one member: 60 USD in ten claims at once, 40 USD in ten claims a month later."""
    months = months_between("2023-05", "2024-06")
    lines = [
        line("a", f"{m}-10", claim_id=f"{m}-{n}", paid_amount=amount, known_from=add_months(m, late))
        for m in months for late, amount in ((0, "6.00"), (1, "4.00")) for n in range(10 * late, 10 * late + 10)
    ]  # fmt: skip
    people = covered("a", *months)
    found = cells(rows, lines, people)
    newest, before = found["2024-06", "outpatient_facility"], found["2024-05", "outpatient_facility"]
    assert (newest.paid, newest.completed_paid, newest.age_months) == (60, 100, 0)
    assert newest.completion_factor == pytest.approx(0.6)
    assert (before.paid, before.completed_paid, before.completion_factor) == (100, 100, 1.0)
    assert newest.completed_pmpm == pytest.approx(100.0)
    assert not newest.is_mature and not before.is_mature
    assert found["2024-03", "outpatient_facility"].is_mature
    # 270 claims are one fewer than a category needs for a triangle of its own
    assert newest.completion_basis == "all_categories"
    more = [*lines, line("a", "2024-06-11", paid_amount="0.00")]
    assert cells(rows, more, people)["2024-06", "outpatient_facility"].completion_basis == "service_category"


def test_nothing_gives_nothing(rows):
    assert table(rows, [], [], ["2024-06"]).count() == 0


@pytest.fixture(scope="module")
def population(random_claims):
    """Random lines and member months with the columns of the contracts that decide here."""
    versions = random_claims.versions.withColumns(
        {"bill_type_code": F.lit(None).cast("string"), "service_to_date": F.lit(None).cast("date")}
    )
    return versions, random_claims.members.withColumns(
        {"enrolled_days": F.lit(20), "enrolment_by_day": F.lit("1" * 31)}
    )


@pytest.fixture(scope="module")
def all_months(population, random_claims):
    """One run over all months, as a range run makes it."""
    return pmpm(*population, random_claims.months).toPandas()


COUNTED = """
    coalesce(claim_status, 'PAID') = 'PAID' and adjustment_indicator <> '1'
    and claim_month between ? and ? and known_from <= ? and (cancelled_on is null or cancelled_on > ?)
    and (cancelled_on is null or cancelled_on > greatest(known_from, claim_month))
"""


@pytest.mark.parametrize("month", ["2022-03", "2023-05", "2024-06"])
def test_categories_add_up_to_all_that_was_paid(random_claims, all_months, month):
    versions, members = random_claims.versions_table, random_claims.members_table  # noqa: F841  DuckDB reads them
    wanted = duckdb.execute(
        f"""select claim_month, exists(from members m where m.member_id = v.member_id
                and m.claim_month = v.claim_month) as enrolled, sum(paid_amount) as paid, count(*) as lines
            from versions v where {COUNTED} group by all""",
        [add_months(month, -23), month, month, month],
    ).fetchall()
    sums = all_months[all_months["claim_month"] == month].groupby("incurred_month")
    inside, outside = sums["paid"].sum(), sums["paid_outside_enrolment"].sum()
    lines, lines_outside = sums["claim_lines"].sum(), sums["claim_lines_outside_enrolment"].sum()
    found = [(m, True, inside[m], lines[m]) for m in inside.index if lines[m]]
    found += [(m, False, outside[m], lines_outside[m]) for m in outside.index if lines_outside[m]]
    assert sorted(found) == sorted((m, e, paid or Decimal(0), n) for m, e, paid, n in wanted) and len(found) > 3


def test_visits_and_nights_are_distinct_member_days(random_claims, all_months):
    month, wanted = "2024-06", {"ed_visits": set(), "inpatient_days": set()}
    enrolled = {(r["member_id"], r["claim_month"]) for r in random_claims.members_table.to_pylist()}
    for v in random_claims.versions_table.to_pylist():
        counts = v["claim_status"] in (None, "PAID") and v["adjustment_indicator"] != "1" and v["known_from"] <= month
        stands = v["cancelled_on"] is None or v["cancelled_on"] > max(month, v["known_from"], v["claim_month"])
        inside = add_months(month, -24) <= v["claim_month"] <= month and (v["member_id"], v["claim_month"]) in enrolled
        if not (counts and stands and inside):
            continue
        day = v["service_from_date"]
        if v["claim_type"] == "IP":
            start = v["admit_date"] if v["admit_date"] and v["admit_date"] <= day else day
            nights = (v["discharge_date"] - start).days if v["discharge_date"] else 0
            wanted["inpatient_days"] |= {(v["member_id"], start + timedelta(days=n)) for n in range(nights)}
        elif (
            v["claim_type"] == "ER" or v["revenue_code"] in ("0451", "0981") or v["place_of_service"] == "23"
            or v["procedure_code_2"] == "99284"
        ):  # fmt: skip
            wanted["ed_visits"].add((v["member_id"], day))
    of_month = all_months[all_months["claim_month"] == month].groupby("incurred_month")[list(wanted)].sum()
    for name, events in wanted.items():
        counted = {m: sum(f"{day:%Y-%m}" == m for _, day in events) for m in of_month.index}
        assert of_month[name].to_dict() == counted and sum(counted.values()) > 50


def test_a_month_alone_equals_the_month_in_a_range(population, all_months):
    versions, members = population
    reach = months_between(add_months("2024-03", -24), "2024-03")
    inputs = [frame.where(F.col("claim_month").isin(reach)) for frame in (versions, members)]
    alone = pmpm(*inputs, ["2024-03"]).toPandas()
    assert records(alone) == records(all_months[all_months["claim_month"] == "2024-03"]) and len(alone) == 24 * 14


@pytest.mark.requirement("R1")
@pytest.mark.requirement("R12")
def test_what_becomes_known_later_changes_no_earlier_month(population, all_months):
    versions, members = population
    then = "2023-09"
    known = versions.where(F.col("known_from") <= then).withColumn(
        "cancelled_on", F.when(F.col("cancelled_on") <= then, F.col("cancelled_on"))
    )
    assert records(pmpm(known, members, [then]).toPandas()) == records(all_months[all_months["claim_month"] == then])


def records(frame) -> list[str]:
    """The rows as text, in one order: a missing number equals itself."""
    return sorted(map(str, frame.astype(object).where(frame.notna(), None).to_dict("records")))


def test_the_random_population_is_completed_and_keeps_the_contract(population, random_claims, all_months, lake):
    newest = all_months[all_months["claim_month"] == "2024-06"]
    assert set(newest["completion_basis"]) == {"service_category", "all_categories"}
    assert newest["is_mature"].any() and not newest["is_mature"].all()
    ratio = newest["paid"].astype(float) / newest["completion_factor"] - newest["completed_paid"].astype(float)
    assert ratio.abs().max() <= 0.0051
    findings = lake.write(pmpm(*population, random_claims.months), "gold", "pmpm", Pmpm, random_claims.months)
    assert (findings.rows_quarantined, findings.blocked) == (0, []) and findings.rows_kept == len(all_months)
