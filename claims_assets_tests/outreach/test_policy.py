"""The policy file: dated versions, and one sentence for whatever can't be used."""

import pytest

from claims_assets.contracts import compiled
from claims_assets.outreach.outreach_policy import OutreachPolicy, of_the_month, outreach_policy
from claims_assets.outreach.policy import SHIPPED, PolicyError, PolicyFile, fingerprint, policies

VERSION = """
  - valid_from: {month}
    weekly_capacity: {{phone: 10, mail: 20, email: 30, portal: 0}}
    weeks: 4
    cooldown_days: 90
    holdout_share: 0.10
    holdout_seed: 007
    program_year_starts_in: 7
    lists_no_evidence: true
    lists_discuss: false
    minor_age: 18
"""
GOOD = "versions:" + VERSION.format(month="2000-01")


@pytest.fixture
def file(tmp_path):
    def write(text):
        path = tmp_path / "ours.yaml"
        path.write_text(text)
        return path

    return write


def test_the_shipped_policy_can_be_used():
    (policy,) = policies(SHIPPED)
    assert policy.valid_to is None
    assert PolicyFile().versions() == [policy]


def test_a_version_holds_until_the_month_before_the_next(file):
    path = file(GOOD + VERSION.format(month="2025-07").replace("phone: 10", "phone: 99"))
    first, second = policies(path)
    assert (first.valid_to, second.valid_to) == ("2025-06", None)
    assert (first.weekly_capacity["phone"], second.weekly_capacity["phone"]) == (10, 99)
    assert first.holdout_seed == "007"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("versions:", "version:", "ours.yaml: versions is missing"),
        ("2000-01", "2024-01", "ours.yaml: version 1: valid_from: write 2000-01 or earlier"),
        ("2000-01", "January", "version 1: valid_from 'January' is not a month"),
        ("phone: 10", "phone: many", "version 1: weekly_capacity.phone 'many' is not a whole number"),
        ("phone: 10, ", "", "version 1: weekly_capacity: write a number for each of phone, mail, email, portal."),
        ("weeks: 4", "weeks: 6", "version 1: weeks '6' is not a whole number from 1 to 5"),
        ("0.10", "10%", "version 1: holdout_share '10%' is not a share from 0 to 0.5"),
        ("0.10", "nan", "version 1: holdout_share 'nan' is not a share from 0 to 0.5"),
        ("true", "yes", "version 1: lists_no_evidence 'yes' is not true or false"),
        ("minor_age: 18", "", "version 1: minor_age is missing"),
        ("minor_age", "minors_age", "version 1: minors_age is no key of a policy"),
        ("weeks: 4", "weeks: 4\n    weeks: 5", "ours.yaml, line"),
    ],
)
def test_what_can_not_be_used_is_named_with_its_remedy(file, old, new, said):
    with pytest.raises(PolicyError) as caught:
        policies(file(GOOD.replace(old, new, 1)))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_versions_out_of_order_and_a_missing_file_are_refused(file, tmp_path):
    with pytest.raises(PolicyError, match="in the order of their months"):
        policies(file(GOOD + VERSION.format(month="2000-01")))
    with pytest.raises(PolicyError, match="CLAIMS_OUTREACH_POLICY: there is no file"):
        policies(tmp_path / "nowhere.yaml")


def test_another_file_has_another_fingerprint(file, tmp_path):
    assert fingerprint(None) == fingerprint(SHIPPED) != fingerprint(file(GOOD))
    assert fingerprint(tmp_path / "nowhere.yaml") == "missing"


def test_each_month_gets_the_version_that_holds_in_it(file, spark, spark_resource):
    path = file(GOOD + VERSION.format(month="2025-07").replace("weeks: 4", "weeks: 2"))
    versions = outreach_policy(spark_resource, PolicyFile(path=str(path)))
    assert versions.columns == list(compiled(OutreachPolicy).columns)
    months = spark.createDataFrame([("2000-01",), ("2025-06",), ("2025-07",), ("2030-01",)], "claim_month string")
    found = {r.claim_month: r.weeks for r in of_the_month(months, versions).collect()}
    assert found == {"2000-01": 4, "2025-06": 4, "2025-07": 2, "2030-01": 2}
