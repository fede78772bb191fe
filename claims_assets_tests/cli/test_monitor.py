"""`claims monitor report` on small lakes: what is said, and that what is missing is never fine."""

import json

import pyarrow as pa
import pytest
from click.testing import CliRunner
from deltalake import write_deltalake

from claims_assets.cli import main
from claims_assets.contracts import compiled
from claims_assets.monitoring.drift import Drift
from claims_assets.monitoring.fairness_results import FairnessResults
from claims_assets.monitoring.psi_results import PsiResults
from claims_assets.predictions.claim_fraud_scores import ClaimFraudScores

MONTH = "2025-06"


@pytest.fixture
def put(tmp_path):
    def write(schema, name, contract, *rows):
        kinds = pa.schema([kind.with_nullable(True) for kind in compiled(contract).arrow_schema()])
        content = pa.Table.from_pylist([dict.fromkeys(kinds.names) | {"claim_month": MONTH} | r for r in rows], kinds)
        path = tmp_path / "lake" / schema / name
        write_deltalake(str(path), content, mode="append", partition_by=["claim_month"])

    return write


@pytest.fixture
def told(tmp_path):
    def run(*arguments):
        result = CliRunner().invoke(main.claims, ["monitor", "report", *arguments], env={"CLAIMS_HOME": str(tmp_path)})
        assert result.exit_code == 0, result.output
        return json.loads(result.output) if "--json" in arguments else result.output

    return run


def drifted(put, verdict, value=0.1):
    about = {"subject": "features", "condition": "drift_score", "value": value, "at_most": 0.3, "about": "age"}
    unknown = {"subject": "health_risk_score", "condition": "mae", "verdict": "unknown", "about": "not judged"}
    put("monitoring", "drift", Drift, about | {"verdict": verdict}, unknown)
    moved = {"subject": "features", "column_name": "age", "reference": "season", "psi": 0.12, "drift_score": value,
             "verdict": "minor"}  # fmt: skip
    put("monitoring", "psi_results", PsiResults, moved, moved | {"column_name": "eligibility_years", "psi": 9.0})


def compared(put, verdict, decides=True):
    row = {"decision": "listed", "attribute": "race", "measure": "flagged", "group_name": "B", "reference_group": "A",
           "ratio": 0.7, "ratio_lower": 0.6, "ratio_upper": 0.8, "verdict": "fair"}  # fmt: skip
    put("monitoring", "fairness_results", FairnessResults, row | {"attribute_verdict": verdict, "decides": decides})


@pytest.mark.requirement("R31")
def test_what_was_never_built_is_unknown_and_says_what_to_run(told):
    found = told("--json")
    assert (found["verdict"], found["claim_month"]) == ("unknown", None)
    assert {found[n]["verdict"] for n in ("drift", "fairness", "fraud")} == {"unknown"}
    assert found["drift"]["absent"] == "monitoring.drift was never built: build it with `claims run`."
    assert "monitoring.fairness_results was never built" in told()


@pytest.mark.requirement("R31")
def test_a_month_without_fairness_is_not_fine(put, told):
    drifted(put, "ok")
    assert told("--json")["verdict"] == "unknown"
    compared(put, "fair")
    assert told("--json")["verdict"] == "ok"
    assert told("--month", "2025-05", "--json")["verdict"] == "unknown"


@pytest.mark.parametrize(
    ("drift", "fairness", "decides", "expected"),
    [
        ("ok", "fair", True, "ok"),
        ("ok", "not_judged", True, "unknown"),
        ("ok", "unfair", True, "warning"),
        ("ok", "unfair", False, "unknown"),  # nothing that decides is known
        ("warning", "fair", True, "warning"),
        ("critical", "fair", True, "critical"),
    ],
)
def test_the_verdict_is_the_worst(put, told, drift, fairness, decides, expected):
    drifted(put, drift)
    compared(put, fairness, decides)
    assert told("--json")["verdict"] == expected


def test_thresholds_verdicts_and_what_moved_are_shown(put, told):
    drifted(put, "warning", 0.44)
    compared(put, "fair")
    found = told("--json")
    first = found["drift"]["conditions"][0]
    assert (first["condition"], first["value"], first["at_most"], first["verdict"]) == (
        "drift_score", 0.44, 0.3, "warning",
    )  # fmt: skip
    assert [m["column_name"] for m in found["drift"]["moved_most"]] == ["age"], "not what goes by the calendar"
    words = told()
    assert f"Monitoring of {MONTH}: warning" in words
    assert "drift_score" in words and "0.44" in words and "race" in words


def test_fraud_scores_are_summed_up_and_few_flags_are_left_out(put, told):
    claims = [
        {"member_id": "M", "claim_id": f"C{i}", "fraud_score": i / 100, "is_flagged": i >= 94} for i in range(100)
    ]
    drifted(put, "ok")
    put("gold", "claim_fraud_scores", ClaimFraudScores, *claims)
    fraud = told("--json")["fraud"]
    assert (fraud["claims"], fraud["flagged"], fraud["flagged_share"]) == (100, None, None)
    assert (fraud["p95_fraud_score"], fraud["p99_fraud_score"]) == (0.95, 0.99)
    assert fraud["mean_fraud_score"] == pytest.approx(0.495)
    put("gold", "claim_fraud_scores", ClaimFraudScores, *[c | {"is_flagged": True} for c in claims[:20]])
    assert told("--json")["fraud"]["flagged"] == 26
