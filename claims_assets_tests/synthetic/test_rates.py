"""Rates are stated once and documented from there."""

from pathlib import Path

from claims_assets.synthetic.rates import RATES, rates_table, share

DOCUMENT = Path(__file__).parents[2] / "docs" / "synthetic_data.md"


def test_the_document_holds_the_table_of_rates():
    assert rates_table() in DOCUMENT.read_text(encoding="utf-8")


def test_every_kind_is_counted(landing, extract):
    assert {*landing.summary.dirt, *extract.summary.dirt} == set(RATES)


def test_shares_scale_with_dirt_up_to_one():
    assert share("void", 0.0) == 0.0
    assert share("void", 2.0) == 2 * RATES["void"].share
    assert share("undotted_diagnosis", 5.0) == 1.0
