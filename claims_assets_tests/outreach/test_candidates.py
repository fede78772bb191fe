"""Who may be listed: season, evidence, opt-out, age and death, each with its one reason (R4, R5)."""

import pytest
from pyspark.sql import functions as F

from claims_assets.outreach.candidates import candidates

MEMBER = "member_id string, claim_month string, birth_date date, death_date date"
DOSE = "member_id string, vaccine string, administered_date date, known_from string"
CONTACT = (
    "member_id string, channel string, opt_out boolean, opt_out_date date, last_contacted_at timestamp,"
    " preferred_language string"
)


@pytest.fixture
def judged(spark):
    """{(member, month): row} for literal member months, doses and contacts given as text."""

    def typed(rows, schema):
        names = [part.split()[0] for part in schema.split(", ")]
        frame = spark.createDataFrame(rows, ", ".join(f"{n} string" for n in names))
        return frame.select(*[F.col(p.split()[0]).cast(p.split()[1]).alias(p.split()[0]) for p in schema.split(", ")])

    def build(months, doses=(), contacts=()):
        frame = candidates(typed(months, MEMBER), typed(list(doses), DOSE), typed(list(contacts), CONTACT))
        return {(r.member_id, r.claim_month): r for r in frame.collect()}

    return build


def adult(month, member="m"):
    return (member, month, "1980-05-01", None)


def flu(day, known, member="m"):
    return (member, "influenza", day, known)


@pytest.mark.requirement("R4")
def test_a_member_without_evidence_is_to_be_listed(judged):
    assert judged([adult("2024-10")])["m", "2024-10"].exclusion_reason is None


@pytest.mark.requirement("R4")
def test_a_dose_of_the_season_closes_the_gap_from_its_month_on(judged):
    rows = judged([adult(m) for m in ("2024-09", "2024-10", "2025-06", "2025-07")], [flu("2024-10-12", "2024-10")])
    reasons = {month: row.exclusion_reason for (_, month), row in rows.items()}
    assert reasons == {"2024-09": None, "2024-10": "complete", "2025-06": "complete", "2025-07": None}


def test_the_season_begins_on_the_first_of_july(judged):
    last_day, first_day = (judged([adult("2024-08")], [flu(day, "2024-07")]) for day in ("2024-06-30", "2024-07-01"))
    assert last_day["m", "2024-08"].exclusion_reason is None
    assert first_day["m", "2024-08"].exclusion_reason == "complete"


def test_a_dose_that_became_known_later_does_not_close_the_gap_earlier(judged):
    rows = judged([adult("2024-10"), adult("2024-12")], [flu("2024-10-02", "2024-12")])
    assert rows["m", "2024-10"].exclusion_reason is None
    assert rows["m", "2024-12"].exclusion_reason == "complete"


@pytest.mark.requirement("R4")
def test_another_vaccine_closes_no_influenza_gap(judged):
    assert judged([adult("2024-10")], [("m", "tdap", "2024-10-02", "2024-10")])["m", "2024-10"].exclusion_reason is None


@pytest.mark.parametrize(
    ("born", "reason"),
    [("2024-04-30", None), ("2024-05-01", "not_eligible_by_age"), ("2024-10-31", "not_eligible_by_age")],
)
def test_infants_under_six_months_are_not_eligible(judged, born, reason):
    assert judged([("m", "2024-10", born, None)])["m", "2024-10"].exclusion_reason == reason


def test_an_opt_out_of_every_channel_excludes_and_of_one_does_not(judged):
    both = [("m", "phone", "true", "2024-01-05", None, None), ("m", "mail", "true", None, None, None)]
    one = [("m", "phone", "true", "2024-01-05", None, None), ("m", "mail", "false", None, None, None)]
    assert judged([adult("2024-10")], (), both)["m", "2024-10"].exclusion_reason == "opt_out"
    row = judged([adult("2024-10")], (), one)["m", "2024-10"]
    assert (row.exclusion_reason, row.reachable_channels) == (None, ["mail"])


def test_an_opt_out_counts_from_its_date_on(judged):
    rows = judged([adult("2024-03"), adult("2024-04")], (), [("m", "phone", "true", "2024-04-02", None, None)])
    assert rows["m", "2024-03"].exclusion_reason is None
    assert rows["m", "2024-04"].exclusion_reason == "opt_out"


def test_a_later_contact_is_not_known_earlier(judged):
    rows = judged([adult("2024-03"), adult("2024-04")], (), [("m", "phone", None, None, "2024-04-30 16:05:00", "es")])
    assert rows["m", "2024-03"].last_contacted_at is None
    assert str(rows["m", "2024-04"].last_contacted_at) == "2024-04-30"


def test_death_is_the_first_reason(judged):
    rows = judged([("m", "2024-10", "1940-01-01", "2024-10-20")], [flu("2024-10-12", "2024-10")])
    assert rows["m", "2024-10"].exclusion_reason == "deceased"


@pytest.mark.requirement("R5")
def test_every_member_month_comes_out_once_whatever_is_on_file(judged):
    months = [adult(m, member) for m in ("2024-09", "2024-10") for member in ("a", "b", "c")]
    doses = [flu("2024-09-03", "2024-09", "a"), flu("2024-10-01", "2024-10", "a"), flu("2024-10-01", "2024-10", "b")]
    contacts = [(m, channel, "false", None, None, None) for m in ("a", "b") for channel in ("phone", "mail", "email")]
    assert set(judged(months, doses, contacts)) == {(member, month) for member, month, *_ in months}
