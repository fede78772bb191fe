"""The provider list: NPIs, uniqueness, and that claims name providers of the list."""

import csv

from claims_assets.sources.feeds import FEEDS
from claims_assets.synthetic.providers import npi_of
from claims_assets.synthetic.rates import RATES

COLUMNS = [*FEEDS["providers"].columns]


def listing(landing):
    with (landing.path.parent / "providers.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def passes_check_digit(npi: str) -> bool:
    """Luhn over 80840 and the ten digits."""
    digits = [int(d) for d in "80840" + npi][::-1]
    return sum(d if i % 2 == 0 else sum(divmod(2 * d, 10)) for i, d in enumerate(digits)) % 10 == 0


def test_a_known_npi_is_made():
    assert npi_of(123456789) == "1234567893"
    assert not passes_check_digit(npi_of(123456789, good=False))


def test_the_list_has_the_columns_of_the_table_and_unique_keys(landing):
    rows = listing(landing)
    assert [*rows[0]] == COLUMNS
    assert len({r["provider_id"] for r in rows}) == len({r["npi"] for r in rows}) == landing.summary.rows["providers"]


def test_bad_npis_reconcile(landing):
    rows = listing(landing)
    bad = sum(not passes_check_digit(r["npi"]) for r in rows)
    assert bad == landing.summary.dirt["bad_npi"] == round(RATES["bad_npi"].share * len(rows))


def test_without_dirt_every_npi_is_valid(clean):
    assert all(passes_check_digit(r["npi"]) for r in listing(clean))


def test_claims_name_providers_of_the_list(landing):
    known = {r["provider_id"] for r in listing(landing)}
    assert {r["provider_id"] for r in landing.medical} <= known
    assert {r["pharmacy_id"] for r in landing.rows("pharmacy_claims")} <= known


def test_some_providers_have_left(landing):
    assert {bool(r["active_to"]) for r in listing(landing)} == {True, False}
