"""Laws of the plans at the size of a state: 10 million members, a billion claim lines a year, three years."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.full

LARGE = 1 << 30
"""Bytes from which a step must be shared between many tasks."""
BROADCAST = 64 << 20
"""Bytes of what every worker may be handed."""

ONE_TASK = {
    "gold.pmpm": "sums by category, month of service and month: a few thousand rows",
}
"""Table -> why one task may take what Spark, which can't know how few rows a sum leaves, holds to be large."""
FEW_GROUPS: dict[str, str] = {}
"""Table -> why its groups of Python may be few and large."""


@pytest.fixture(scope="module")
def review(tmp_path_factory) -> dict:
    out = tmp_path_factory.mktemp("plans") / "review.json"
    command = [sys.executable, "-m", "bench.scale_plans", "--out", str(out)]
    subprocess.run(command, check=True, cwd=Path(__file__).parents[2], timeout=800)
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
    assert reads["gold.member_features", "silver.claim_versions"] > 20 * LARGE, "the plans are of a state"
