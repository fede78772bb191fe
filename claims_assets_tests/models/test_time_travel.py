"""The look into the past: finds a cell, and a row, that knows the future, and nothing where no row does."""

from decimal import Decimal

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from claims_assets.contracts import compiled
from claims_assets.features.member_features import MemberFeatures
from claims_assets.features.risk_training_rows import RiskTrainingRows
from claims_assets.models.time_travel import differing_features
from claims_assets.partitions import add_months
from claims_assets_tests.features.known_lake import Given, made_rows, random_records
from claims_assets_tests.features.random_claims import random_claims

INDEX, JUDGED = "2023-03", "2024-06"
MEMBERS = 60


@pytest.fixture(scope="module")
def given(spark) -> Given:
    claims = random_claims(spark, seed=11, members=MEMBERS, events=30)
    return Given(claims.versions_table.to_pylist(), random_records(11, MEMBERS))


@pytest.fixture(scope="module")
def training_rows(spark, given):
    """The rows of the judged month."""
    return of(spark, given)


def of(spark, given: Given) -> pa.Table:
    return made_rows(spark, given, [JUDGED]).select(*compiled(RiskTrainingRows).columns).toArrow()


@pytest.fixture
def found(spark, lake, given):
    """`found(rows)`: what differs where the lake holds these training rows."""

    def look(rows: pa.Table, share: float = 1.0) -> dict[str, int]:
        def write(schema, table, content, **options):
            write_deltalake(str(lake.path(schema, table)), content, mode="overwrite", **options)

        write("bronze", "member_eligibility", given.eligibility(spark).toArrow())
        write("silver", "claim_versions", given.versions_table(), partition_by="claim_month")
        write("gold", "risk_training_rows", rows, partition_by="claim_month")
        return differing_features(lake, spark, INDEX, share)

    return look


@pytest.mark.requirement("R1")
def test_no_training_row_differs_from_what_inputs_cut_at_the_index_month_give(found, training_rows):
    differing = found(training_rows)
    assert differing.keys() == compiled(MemberFeatures).columns.keys() - {"claim_month"}
    assert set(differing.values()) == {0}
    assert training_rows.num_rows > MEMBERS / 4


@pytest.mark.requirement("R1")
def test_one_cell_of_later_knowledge_is_found(found, training_rows):
    """What was paid in the year after the index, as what was paid before it."""
    rows = training_rows.to_pylist()
    assert rows[0]["outcome_total_paid"] != rows[0]["total_paid_12mo"]
    rows[0]["total_paid_12mo"] = Decimal(str(rows[0]["outcome_total_paid"]))
    planted = pa.Table.from_pylist(rows, schema=training_rows.schema)
    assert {n: count for n, count in found(planted).items() if count} == {"total_paid_12mo": 1}


@pytest.mark.requirement("R1")
def test_claims_and_records_that_forget_when_they_were_known_are_found(spark, found, given, training_rows):
    no_month = [r | {"received_month": None} for r in given.records]
    at_once = [x | {"known_from": x["claim_month"], "cancelled_on": None} for x in given.lines]
    by_claims = found(of(spark, Given(at_once, given.records)))
    by_records = found(of(spark, Given(given.lines, no_month)))
    assert min(by_claims[n] for n in ("total_paid_12mo", "claim_count_12mo", "composite_risk_score")) > 0
    assert {by_claims[n] for n in ("member_id", "age", "county", "smoker", "eligibility_years")} == {0}
    # Rows of members who were not known to be there, and who they were thought to be.
    assert min(by_records[n] for n in ("member_id", "county", "eligibility_years")) > 0
    assert by_records["total_paid_12mo"] == 0


def test_a_share_looks_at_the_same_members_every_time(found, training_rows):
    """Every cell is wrong here, so that the count says how many members were looked at."""
    rows = [row | {"claim_count_12mo": row["claim_count_12mo"] + 1} for row in training_rows.to_pylist()]
    wrong = pa.Table.from_pylist(rows, schema=training_rows.schema)
    half = found(wrong, 0.5)["claim_count_12mo"]
    assert 0 < half < training_rows.num_rows == found(wrong)["claim_count_12mo"]
    assert found(wrong, 0.5)["claim_count_12mo"] == half


def test_a_month_without_training_rows_has_nothing_that_differs(found, training_rows):
    rows = [row | {"claim_month": add_months(JUDGED, 1)} for row in training_rows.to_pylist()]
    assert set(found(pa.Table.from_pylist(rows, schema=training_rows.schema)).values()) == {0}
