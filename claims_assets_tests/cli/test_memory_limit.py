"""A run that may hold less memory than it needs: one sentence, exit code 1, and what was written before stays."""

import sys

import pytest
from deltalake import DeltaTable

from claims_assets_tests.cli.test_main import CLAIMS, ELIGIBILITY, refused
from claims_assets_tests.console import claims

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what a process holds")

TABLES = ("landing/medical_claims", "bronze/medical_claims")
SELECT = " or ".join(f'key:"{name}"' for name in TABLES)
LINES = 100_000


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A home whose claims are built of one small file, with a big one landed since."""
    home = tmp_path_factory.mktemp("home")
    for feed, text in (("member_eligibility", ELIGIBILITY), ("medical_claims", CLAIMS)):
        (home / "landing" / feed).mkdir(parents=True)
        (home / "landing" / feed / "a.csv").write_text(text)
    done = claims(home, "run", "--select", SELECT)
    assert done.returncode == 0, done.stderr[-2000:]
    header, line = CLAIMS.splitlines()
    lines = (line.replace("C1", f"B{n}") for n in range(LINES))
    (home / "landing" / "medical_claims" / "b.csv").write_text("\n".join([header, *lines]) + "\n")
    return home


def held(home):
    """Claims of the last of the tables."""
    table = DeltaTable(str(home / "lake" / TABLES[-1]))
    return table.to_pyarrow_table(columns=["claim_id"])["claim_id"].to_pylist()


@pytest.mark.parametrize("given", [{"CLAIMS_MEMORY_LIMIT": "350MB"}, {"data_limit": 900 * 2**20}], ids=["set", "shell"])
def test_a_limit_is_kept_and_said_in_one_sentence_and_the_last_good_data_stay(home, given):
    assert held(home) == ["C1"]
    done = claims(home, "run", "--select", SELECT, **given)
    refused(done, "needs more memory than it may hold: raise CLAIMS_MEMORY_LIMIT")
    assert done.returncode == 1
    assert held(home) == ["C1"]
    assert not list((home / "lake" / "_stage").glob("bronze*"))
