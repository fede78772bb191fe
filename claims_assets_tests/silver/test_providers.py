"""Providers over time: versions and NPI check digits."""

from datetime import date

import pytest

from claims_assets.bronze.providers import Providers as BronzeProviders
from claims_assets.contracts import compiled
from claims_assets.silver.providers import Providers, providers

VALID_NPI = "1234567893"
"""The example of the CMS check digit rule; plain Luhn refuses it."""
WRONG_FIRST_DIGIT = "3234567899"
"""Its check digit is right, but no NPI begins with 3."""


@pytest.fixture
def written(rows, lake, spark):
    """Written versions of provider rows given as dicts, in order, and what was found."""

    def build(*given):
        numbered = [{"source_file": "db", "source_line": i} | r for i, r in enumerate(given)]
        found = lake.write(providers(rows(BronzeProviders, *numbered)), "silver", "providers", Providers, None)
        assert not found.blocked
        assert not found.rows_quarantined
        kept = lake.read(spark, "silver", "providers")
        return kept.orderBy("provider_id", "active_from").collect(), found

    return build


@pytest.mark.requirement("R36")
def test_only_a_right_check_digit_makes_an_npi(written):
    """R36: 1234567893 is valid, with any one digit changed it is not."""
    changed = {VALID_NPI[:i] + d + VALID_NPI[i + 1 :] for i in range(10) for d in "0123456789"} - {VALID_NPI}
    wrong = [
        *sorted(changed),
        "0000000000",
        "9999999999",
        WRONG_FIRST_DIGIT,
        "123456789",
        "12345678930",
        "unknown",
        "",
        None,
    ]
    right = [VALID_NPI, " 1234567893 ", "1234-567-893", "1003000126", "2000000002"]
    numbers = [*right, *wrong]
    kept, found = written(*[{"provider_id": f"{i:03}", "npi": n} for i, n in enumerate(numbers)])
    assert [numbers[i] for i, r in enumerate(kept) if r.npi_is_valid] == right
    assert {r.npi for r in kept[:3]} == {VALID_NPI}
    missing = 3
    assert found.failed_by_rule() == {"npi_check_digit_is_right": len(wrong) - missing}


@pytest.mark.requirement("R36")
def test_valid_npis_satisfy_luhn_with_the_health_prefix():
    """The table of the test above rests on this; written with the definition, not with our shortcut."""

    def luhn(text):
        digits = [int(d) for d in reversed(text)]
        return sum(d if i % 2 == 0 else sum(divmod(d * 2, 10)) for i, d in enumerate(digits)) % 10 == 0

    assert all(luhn("80840" + npi) for npi in (VALID_NPI, WRONG_FIRST_DIGIT, "1003000126", "2000000002"))
    assert not luhn(VALID_NPI)


def test_a_version_ends_before_the_next_one_begins(written):
    kept, _ = written(
        {"provider_id": "P", "provider_name": "old", "active_to": "2022-12-31"},
        {"provider_id": "P", "provider_name": "newer", "active_from": "2020-01-01"},
        {"provider_id": "P", "provider_name": "newest", "active_from": "2023-01-01", "active_to": "2024-01-31"},
        {"provider_id": "Q", "provider_name": "only"},
    )
    days = [(r.provider_name, r.active_from, r.active_to, r.is_current_record) for r in kept]
    assert sorted(days) == [
        ("newer", date(2020, 1, 1), date(2022, 12, 31), False),
        ("newest", date(2023, 1, 1), date(2024, 1, 31), True),
        ("old", None, date(2019, 12, 31), False),
        ("only", None, None, True),
    ]


def test_a_repeated_row_is_one_version_and_two_providers_may_share_an_npi(written):
    row = {"provider_id": "P", "npi": VALID_NPI, "active_from": "2020-01-01"}
    kept, _ = written(
        row | {"city": "old", "source_line": 1}, row | {"city": "new", "source_line": 2}, row | {"provider_id": "Q"}
    )
    assert [(r.provider_id, r.city, r.npi) for r in kept] == [("P", "new", VALID_NPI), ("Q", None, VALID_NPI)]


def test_text_is_trimmed_and_codes_are_upper_case(written):
    kept, _ = written({"provider_id": " 007 ", "state": "ma", "taxonomy_code": "207q00000x", "zip_code": "02139-1234"})
    row = kept[0]
    assert (row.provider_id, row.state, row.taxonomy_code, row.zip_code) == ("007", "MA", "207Q00000X", "02139")


def test_an_absent_feed_is_an_empty_table(written, lake, spark):
    assert written()[0] == []
    assert lake.read(spark, "silver", "providers").columns == list(compiled(Providers).columns)
