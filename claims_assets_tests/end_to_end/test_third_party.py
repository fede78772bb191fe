"""A foreign extract by its YAML mappings alone: ICD-9, undotted codes, invalid NPIs, no charges, negative payments.

Its adjustments are written under the number of the claim they change, with the payment negated.
"""

import duckdb
import pytest

from claims_assets_tests.end_to_end.conftest import connected


@pytest.fixture
def raw(extract):
    """Counts over the extract's own files, read without our code."""
    landing = extract / "landing"

    def count(query, feed):
        source = f"read_csv('{landing}/{feed}/*.csv', all_varchar = true)"
        return duckdb.sql(query.format(source=source)).fetchall()[0]

    return count


@pytest.fixture
def lake(extract):
    with connected(extract / "lake") as query:
        yield query


def test_every_claim_of_the_extract_is_a_final_claim_a_version_or_in_quarantine(raw, lake):
    claims_in, standing = raw(
        "select count(*), count(distinct CLM_ID) - (select count(*) from (select CLM_ID from {source} group by CLM_ID"
        " having count(*) = 2 and sum(CLM_PMT_AMT::decimal(18, 2)) = 0)) from {source}",
        "medical_claims",
    )
    (fills_in,) = raw("select count(*) from {source}", "pharmacy_claims")
    assert claims_in > standing
    assert lake("select count(*) from bronze.medical_claims") == [(claims_in,)]
    assert lake("select count(*) from bronze.pharmacy_claims") == [(fills_in,)]
    assert lake("select count(*) from silver.claim_versions") == [(claims_in + fills_in,)]
    assert lake("select count(*) from silver.medical_claims") == [(standing,)]
    assert lake("select count(*) from silver.pharmacy_claims") == [(fills_in,)]


@pytest.mark.requirement("R7")
def test_money_is_the_extracts_raw_sum_to_the_cent_and_negative_payments_stay_R7(raw, lake):
    paid, alone = raw(
        "select sum(paid), count(*) filter (paid < 0 and n = 1) from (select sum(CLM_PMT_AMT::decimal(18, 2)) as paid,"
        " count(*) as n from {source} group by CLM_ID)",
        "medical_claims",
    )
    assert alone > 0
    query = "select sum(paid_amount), count(*) filter (paid_amount < 0) from silver.medical_claims"
    assert lake(query) == [(paid, alone)]


def test_members_and_their_months_are_those_of_the_summary_files(raw, lake):
    (members,) = raw("select count(distinct BENE_ID) from {source}", "member_eligibility")
    assert lake("select count(distinct member_id) from silver.members") == [(members,)]
    (covered,) = raw(
        "select count(*) from (select distinct BENE_ID, m from (select BENE_ID, unnest(range("
        " date_trunc('month', strptime(CVRG_BGN_DT, '%Y%m%d')),"
        " least(strptime(CVRG_END_DT, '%Y%m%d'), coalesce(strptime(BENE_DEATH_DT, '%Y%m%d'), timestamp '2009-12-31'))"
        " + interval 1 second, interval 1 month)) as m from {source}))",
        "member_eligibility",
    )
    assert lake("select count(*) from silver.member_months") == [(covered,)]


def test_an_invalid_npi_and_a_foreign_code_warn_and_lose_no_claim(lake):
    assert lake("select sum(failed) from monitoring.contract_results where severity <> 'warn'") == [(0,)]
    (warned,) = lake(
        "select sum(failed) from monitoring.contract_results"
        " where table_name = 'bronze.medical_claims' and rule = 'paid_amount_is_at_least_0'"
    )[0]
    assert warned > 0


def test_icd_9_codes_set_conditions(lake):
    (with_condition,) = lake("select count(*) from gold.member_features where chronic_condition_count > 0")[0]
    assert with_condition > 0


def test_feeds_that_are_absent_are_empty_tables(lake):
    for name in ("bronze.immunizations", "bronze.member_contacts", "silver.providers"):
        assert lake(f"select count(*) from {name}") == [(0,)]
