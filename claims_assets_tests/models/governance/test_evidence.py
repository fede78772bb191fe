"""What is read of a version: a leak that was planted into the lake is met by looking into the past."""

from decimal import Decimal

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from claims_assets.contracts import compiled
from claims_assets.features.risk_training_rows import RiskTrainingRows
from claims_assets.models.governance.evidence import Source, travel_through
from claims_assets.models.governance.gate import judge
from claims_assets_tests.features.known_lake import Given, made_rows, random_records
from claims_assets_tests.features.random_claims import random_claims
from claims_assets_tests.models.governance.heldout import classifier_rows, honest

INDEX, MONTH = "2023-03", "2024-06"
MEMBERS = 40


@pytest.fixture(scope="module")
def given(spark) -> Given:
    claims = random_claims(spark, seed=11, members=MEMBERS, events=20)
    return Given(claims.versions_table.to_pylist(), random_records(11, MEMBERS))


@pytest.fixture
def source(spark, lake, tracking, given):
    """`source(rows)`: of a lake with these training rows."""

    def build(rows: pa.Table) -> Source:
        for schema, name, content, partition in (
            ("bronze", "member_eligibility", given.eligibility(spark).toArrow(), None),
            ("silver", "claim_versions", given.versions_table(), "claim_month"),
            ("gold", "risk_training_rows", rows, "claim_month"),
        ):
            write_deltalake(str(lake.path(schema, name)), content, partition_by=partition)
        return Source(lake, tracking, travel_through(lake, lambda: spark), MONTH)

    return build


@pytest.fixture(scope="module")
def training_rows(spark, given) -> pa.Table:
    return made_rows(spark, given, [MONTH]).select(*compiled(RiskTrainingRows).columns).toArrow()


def verdict(source: Source):
    return judge(honest(classifier_rows(1500), leaks=source.leaks or {}, unreadable=source.no_travel)).verdict


@pytest.mark.requirement("R21")
def test_features_that_hold_what_was_known_then_pass(source, training_rows):
    assert verdict(source(training_rows)).outcome == "passed"


@pytest.mark.requirement("R21")
def test_a_feature_with_later_knowledge_refuses_and_is_named(source, training_rows):
    rows = training_rows.to_pylist()
    rows[0]["total_paid_12mo"] = Decimal(str(rows[0]["outcome_total_paid"])) + 1
    found = verdict(source(pa.Table.from_pylist(rows, schema=training_rows.schema)))
    assert (found.outcome, found.reasons) == (
        "refused",
        ("Features hold what was not known at their month: total_paid_12mo.",),
    )


@pytest.mark.requirement("R24")
def test_features_that_can_not_be_built_again_refuse(spark, lake, tracking):
    found = verdict(Source(lake, tracking, travel_through(lake, lambda: spark), MONTH))
    assert found.reasons == ("time travel: could not be read (LookupError).",)


def test_features_come_in_the_order_of_the_members_and_a_missing_one_is_no_row(source, training_rows):
    import pandas as pd

    known = source(training_rows)
    members = training_rows["member_id"].to_pylist()[::-1]
    found = known.features(pd.Series(members), ["age", "county"])
    by_member = {r["member_id"]: (r["age"], r["county"]) for r in training_rows.to_pylist()}
    assert [(r["age"], r["county"]) for r in found.to_pylist()] == [by_member[m] for m in members]
    with pytest.raises(LookupError, match="does not hold all test members of 2024-06"):
        known.features(pd.Series(["nobody"]), ["age"])
