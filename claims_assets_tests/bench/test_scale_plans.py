"""Laws of the plans at the size of a state: 10 million members, a billion claim lines a year, three years."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.full

LARGE = 1 << 30
"""Bytes from which a step must be shared between many tasks."""
BROADCAST = 64 << 20
"""Bytes of what every worker may be handed."""

ONE_ROW = {
    "silver.immunization_evidence": "the first month of all claims",
    "gold.immunization_gaps": "the first month of all claims",
    "gold.childhood_immunization_status": "the first month of all claims",
}
"""Table -> the one row that is worked out by one task from the workers' own, and put beside every row."""
FEW_ROWS = {
    ("gold.member_conditions", "is_icd_9, code, groups"): "codes that name a condition: no more than the code lists",
    ("gold.risk_training_rows", "is_icd_9, code, groups"): "the same",
}
"""(table, columns) -> why what is read from many bytes is small when it is handed to every worker."""
GROUPS = {
    ("silver.claim_versions", "part"): "64 parts of the lines that came more than once",
    ("gold.pmpm", "facts"): "sums by category, month of service and month: a few thousand rows",
    ("bronze.claim_links", "claim_feed"): "chains of any depth: does not fit a state, see docs/scale.md",
}
"""(table, keys) -> why a Python process can take the largest group whole. Adaptive execution never splits one."""


@pytest.fixture(scope="module")
def review(tmp_path_factory) -> dict:
    out = tmp_path_factory.mktemp("plans") / "review.json"
    command = [sys.executable, "-m", "bench.scale_plans", "--out", str(out)]
    # A Connect session of this process would be taken for that of the command.
    environment = {n: v for n, v in os.environ.items() if not n.startswith("SPARK_")}
    subprocess.run(command, check=True, cwd=Path(__file__).parents[2], timeout=800, env=environment)
    return json.loads(out.read_text())


def of_kind(review, *kinds):
    return [s for steps in review.values() if isinstance(steps, list) for s in steps if s["kind"] in kinds]


def test_every_silver_table_and_the_claims_features_are_planned(review):
    planned = {name for name, steps in review.items() if isinstance(steps, list)}
    assert planned >= {
        *(f"silver.{n}" for n in ("claim_versions", "medical_claims", "pharmacy_claims", "encounters", "members")),
        *(f"silver.{n}" for n in ("member_months", "member_months_as_known", "enrolment_as_known")),
        *(f"gold.{n}" for n in ("pmpm", "member_features", "member_conditions")),
    }
    reads = {(s["table"], s["detail"]): s["bytes"] for s in of_kind(review, "read")}
    assert reads["gold.member_features", "silver.claim_versions"] > 100 * LARGE, "the plans are of a state"


def test_no_row_meets_every_row_but_a_single_one(review):
    assert {s["table"] for s in of_kind(review, "nested loop", "single partition")} == set(ONE_ROW)


def test_only_small_sides_are_handed_to_every_worker(review):
    large = {(s["table"], s["detail"]) for s in of_kind(review, "broadcast") if s["bytes"] > BROADCAST}
    assert {found for found in large if found[0] not in ONE_ROW} == set(FEW_ROWS)


def test_every_window_is_of_one_member_claim_or_provider(review):
    assert not of_kind(review, "window without partition")
    # The last is member_id without blanks around it.
    narrow = {"member_id", "claim_id", "provider_id", "provider_key", "_member"}
    assert all(narrow & set(s["detail"].split(", ")) for s in of_kind(review, "window"))


def test_groups_that_leave_the_engine_are_known_and_bounded(review):
    assert {(s["table"], s["detail"]) for s in of_kind(review, "python group")} == set(GROUPS)


def test_no_join_sends_all_rows_without_a_key_to_one_task(review):
    assert not [s for s in of_kind(review, "join") if s["nullable_keys"]]


def test_a_table_of_one_month_reads_one_month(review):
    reads = {(s["table"], s["detail"]): s["bytes"] for s in of_kind(review, "read")}
    month = reads["silver.pharmacy_claims", "silver.claim_versions"]
    year = reads["gold.member_features", "silver.claim_versions"]
    everything = reads["gold.hospice_days", "silver.claim_versions"]
    assert year == pytest.approx(12 * month, rel=0.01) and everything == pytest.approx(36 * month, rel=0.01)
