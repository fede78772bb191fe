"""`claims outreach explain`, on a stored month."""

import json

import pyarrow as pa
import pytest
from click.testing import CliRunner

from claims_assets.cli import main
from claims_assets.runtime.lake import Lake
from claims_assets_tests.outreach.test_funnel import row

MONTH = "2024-10"
NUMBERS = ("contact_week", "letter_week")


@pytest.fixture
def home(tmp_path, engine):
    """A CLAIMS_HOME with one month of thirty members."""
    lake = Lake(root=str(tmp_path / "lake"), engine=engine)
    members = [row(n) if n < 24 else row(n, "no_channel") for n in range(30)]
    columns = {name: [m[name] for m in members] for name in members[0]} | {"claim_month": [MONTH] * len(members)}
    table = pa.table({n: pa.array(v, pa.int32() if n in NUMBERS else pa.string()) for n, v in columns.items()})
    lake.writer.replace(lake.path("gold", "immunization_targeting"), table, "claim_month", {"claim_month": [MONTH]})
    return tmp_path


@pytest.fixture
def run(home):
    return lambda *arguments: CliRunner().invoke(
        main.claims, ["outreach", "explain", *arguments], env={"CLAIMS_HOME": str(home), "COLUMNS": "120"}
    )


@pytest.mark.requirement("R5")
def test_totals_add_up_for_a_program(run):
    told = json.loads(run("--month", MONTH, "--json").output)
    assert told["eligible"] == 30 == told["listed"] + sum(told["excluded"].values())
    assert told["reconciles"]
    assert told["excluded"]["no_channel"] == 6
    assert told["tiers"]["Tier 4 - Routine"] == 24
    assert told["contacts"]["mail"] == {"1": 24}
    assert told["listing_rates"]["gender"] == []
    assert told["groups_hidden"]["gender"] == 1


def test_it_is_told_on_a_terminal_without_a_member(run):
    shown = run("--month", MONTH)
    assert shown.exit_code == 0
    assert "= listed" in shown.output
    assert "- no_channel" in shown.output
    assert "m0" not in shown.output
    assert "4 groups are not shown" in shown.output


def test_a_month_that_is_not_built_is_named_with_the_remedy(run):
    shown = run("--month", "2030-01")
    assert shown.exit_code != 0
    assert "holds the months 2024-10, not 2030-01: run `claims run --from 2030-01 --to 2030-01`." in shown.output
