"""An attacker with the whole identified list, the code and the published tables, but without the key."""

import hashlib
import hmac
import re
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claims_assets.outreach.extract_folder import ExtractFolder, NoKey
from claims_assets.outreach.immunization_deidentified import COLUMNS, LADDER, NAMES, told_of
from claims_assets.outreach.published_counts import TIER_MEASURES, TIER_NAMES, published
from claims_assets.outreach.safe_harbor import (
    age_group,
    area,
    areas,
    coarse_age_group,
    coarsened,
    pseudonym,
    shown_areas,
)
from claims_assets_tests.outreach.made_targeting import MONTH, member, population, write_targeting

NAME = "immunization_deidentified"
KEY = b"k" * 32
RAW = ("zip_code", "age", "gender", "race", "ethnicity", "risk_tier", "chronic_condition_count", "outreach_tier")


@pytest.fixture
def exported(extracted):
    """The identified list, the exported rows, and what the run tells."""
    people = population(2_000)
    told, rows = extracted(NAME, people)
    return people, rows, told


def may_be(row, person):
    """Whether the row may be the person's, by every column."""
    if row["disposition"] not in ("not shown", person["disposition"]):
        return False
    own = {
        "zip3": area(person["zip_code"]),
        "gender": person["gender"],
        "race": person["race"],
        "ethnicity": person["ethnicity"],
        "risk_tier": person["risk_tier"],
        "chronic_conditions": str(min(person["chronic_condition_count"], 3)).replace("3", "3 or more"),
        "vaccines_to_offer": str(min(len(person["vaccines_due"]), 3)).replace("3", "3 or more"),
        "outreach_tier": person["outreach_tier"] if person["disposition"] == "listed" else "",
        "exclusion_reason": person["exclusion_reason"] or "",
    }
    ages = ("not shown", age_group(person["age"]), coarse_age_group(age_group(person["age"])))
    return row["age_group"] in ages and all(row[n] in (v, "not shown", "000") for n, v in own.items())


def kinds(rows):
    return Counter(tuple(row[n] for n in NAMES) for row in rows)


@pytest.mark.requirement("R15")
def test_only_allowed_columns_leave_and_no_value_that_names_somebody(exported):
    people, rows, _ = exported
    assert tuple(rows[0]) == COLUMNS == (
        "member_pseudonym", "year", "zip3", "age_group", "gender", "race", "ethnicity", "risk_tier",
        "chronic_conditions", "vaccines_to_offer", "disposition", "outreach_tier", "exclusion_reason",
    )  # fmt: skip
    names = {p[n] for p in people for n in ("member_id", "contact_member_id", "county", "zip_code", "reason")}
    values = {str(v) for row in rows for v in row.values()}
    assert values & names == set()
    assert not [v for v in values if re.search(r"\d{4}-\d{2}", v)], "no month and no day"
    assert {row["zip3"] for row in rows} <= {"000", "770", "752", "787", "797"}
    assert len(rows) == len(people)


@pytest.mark.requirement("R15")
def test_linking_on_every_column_finds_nobody(exported):
    people, rows, told = exported
    raw = Counter(tuple(p[n] for n in RAW) for p in people)
    assert sum(n == 1 for n in raw.values()) > len(people) / 2, "the list as it is singles out most members"
    found = kinds(rows)
    assert min(found.values()) >= 11
    assert (told["rows_alike_at_least"], told["kinds_of_rows"]) == (min(found.values()), len(found))
    shown = [dict(zip(NAMES, kind, strict=True)) for kind in found]
    sizes = list(found.values())
    for person in people[::20]:
        fitting = [n for row, n in zip(shown, sizes, strict=True) if may_be(row, person)]
        assert sum(fitting) >= 11, "each member may be any of eleven rows"


@pytest.mark.requirement("R15")
def test_pseudonyms_tell_nothing_without_the_key_not_even_by_trying_every_member(exported):
    people, rows, _ = exported
    seen = {row["member_pseudonym"] for row in rows}
    assert len(seen) == len(people)
    assert {pseudonym(KEY, MONTH, p["member_id"]) for p in people} == seen, "the attack works with the key"
    guesses = (b"", b"secret", b"claims", b"k" * 31, MONTH.encode())
    for person in people:
        texts = (person["member_id"].encode(), f"{MONTH}|{person['member_id']}".encode())
        tried = {hashlib.new(h, t).hexdigest()[:32] for h in ("md5", "sha1", "sha256") for t in texts}
        tried |= {hmac.digest(g, t, "sha256").hex()[:32] for g in guesses for t in texts}
        assert tried & seen == set()


def test_the_order_of_rows_is_that_of_pseudonyms_and_months_do_not_link(exported, extracted, lake):
    people, rows, _ = exported
    assert [r["member_pseudonym"] for r in rows] == sorted(r["member_pseudonym"] for r in rows)
    write_targeting(lake, [p | {"claim_month": "2025-04"} for p in people])
    _, later = extracted(NAME, month="2025-04")
    assert {r["member_pseudonym"] for r in rows} & {r["member_pseudonym"] for r in later} == set()


@pytest.mark.requirement("R15")
def test_no_row_tells_what_the_published_tables_hide(exported):
    """Counting the rows of a hidden cell gives nothing, neither of it nor of the cells that protect it."""
    people, rows, _ = exported
    counted = {d: Counter((p[d], standing(p)) for p in people) for d in ("county", "gender", "race", "risk_tier")}
    counts = published(counted)
    hidden = [c for c in counts.hidden if c[0] != "county" and c[0] != "all" and c[2] in (*TIER_MEASURES, "excluded")]
    assert hidden
    for dimension, value, measure in hidden:
        told = [r for r in rows if r[dimension] == value and standing(r) == measure]
        assert told == []
    assert "Loving" in {c[1] for c in counts.hidden}
    assert "823" not in {r["zip3"] for r in rows}


def standing(row):
    if row["disposition"] == "excluded":
        return "excluded"
    return dict(zip(TIER_NAMES, TIER_MEASURES, strict=True)).get(row["outreach_tier"])


def test_a_month_of_ten_members_has_no_rows(extracted):
    told, rows = extracted(NAME, [member(n) for n in range(10)])
    assert (rows, told["rows_alike_at_least"]) == ([], 0)


def test_a_row_of_a_hidden_standing_tells_nothing():
    counts = published({"gender": {("F", "tier_1"): 3, ("F", "excluded"): 500}})
    of = {f"of_{d}": "x" for d in ("county", "age_group", "race", "ethnicity", "risk_tier", "chronic_conditions")}
    given_ = of | {"of_gender": "F", "zip_start": "770", "age": 40, "vaccines": 1, "standing": "tier_1",
                   "exclusion_reason": None}  # fmt: skip
    assert set(told_of(given_, counts)) == {"000", "not shown"}


ROWS = st.dictionaries(
    st.tuples(*[st.sampled_from([a, b]) for a, b in
                (("770", "787"), ("0-5", "90+"), "FM", "AB", "HN", ("High", "Low"), "01", "12",
                 ("listed", "excluded"), ("t1", "t2"), ("", "complete"))]),
    st.integers(1, 40), min_size=1, max_size=25,
)  # fmt: skip


@settings(max_examples=100)
@given(ROWS)
def test_no_row_is_left_out_and_eleven_look_alike_whatever_the_rows(rows):
    looks = coarsened(rows, LADDER)
    assert looks.keys() == rows.keys()
    sizes = Counter()
    for row, look in looks.items():
        sizes[look] += rows[row]
        assert all(a == b or b in ("000", "not shown", "0-17", "65+") for a, b in zip(row, look, strict=True))
    assert min(sizes.values()) >= min(11, sum(rows.values()))
    assert coarsened(dict(reversed(rows.items())), LADDER) == looks, "the order decides nothing"


@pytest.mark.requirement("R15")
def test_areas_of_few_people_and_ages_of_ninety_and_more_are_not_told():
    small = areas()["at_most_20000"]
    assert len(small) == 18
    assert all(n <= 20_000 for n in small.values())
    assert len(shown_areas()) == 894 - 18
    assert {area(f"{start}01") for start in small} == {"000"}
    assert [area(z) for z in ("77001", "00601", "09012", "34001", "96201", "", None)] == ["770", "006", *["000"] * 5]
    assert [age_group(a) for a in (0, 17, 18, 64, 89, 90, 104, None)] == [
        "0-5", "6-17", "18-26", "50-64", "65-89", "90+", "90+", "Unknown",
    ]  # fmt: skip
    assert [coarse_age_group(g) for g in ("0-5", "18-26", "50-64", "90+", "Unknown")] == [
        "0-17", "18-64", "18-64", "65+", "Unknown",
    ]  # fmt: skip


def test_a_local_key_is_made_once_and_elsewhere_there_must_be_one(tmp_path):
    local = ExtractFolder(folder=str(tmp_path), key_file=str(tmp_path / "home" / "pseudonym.key"))
    made = local.key()
    assert len(made) == 64
    assert local.key() == made
    assert (tmp_path / "home" / "pseudonym.key").stat().st_mode & 0o777 == 0o600
    with pytest.raises(NoKey, match="CLAIMS_PSEUDONYM_KEY is not set: set it to at least 32 random characters"):
        ExtractFolder(folder=str(tmp_path)).key()
