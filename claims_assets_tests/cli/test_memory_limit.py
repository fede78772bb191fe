"""A run that may hold less memory than it needs: one sentence, exit code 1, and what was written before stays."""

import sys

import pytest
from deltalake import DeltaTable

from claims_assets_tests.cli.test_main import CLAIMS, ELIGIBILITY, refused
from claims_assets_tests.console import claims

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what a process holds")

BRONZE = "landing/medical_claims or bronze/medical_claims"
BIG = 150_000
"""Claim lines that take more memory than is left."""


@pytest.fixture(scope="module")
def landed(tmp_path_factory):
    """A home whose bronze claims are built of one small file, with a big one landed since."""
    home = tmp_path_factory.mktemp("home")
    for feed, text in (("member_eligibility", ELIGIBILITY), ("medical_claims", CLAIMS)):
        (home / "landing" / feed).mkdir(parents=True)
        (home / "landing" / feed / "a.csv").write_text(text)
    done = claims(home, "run", "--select", BRONZE)
    assert done.returncode == 0, done.stderr[-2000:]
    header, line = CLAIMS.splitlines()
    lines = (line.replace("C1", f"B{n}").replace("-05", f"-{n % 28 + 1:02}") for n in range(BIG))
    (home / "landing" / "medical_claims" / "b.csv").write_text("\n".join([header, *lines]) + "\n")
    return home


def held(home):
    """Version and claims of the bronze table."""
    table = DeltaTable(str(home / "lake" / "bronze" / "medical_claims"))
    return table.version(), sorted(table.to_pyarrow_table(columns=["claim_id"])["claim_id"].to_pylist())


def test_a_limit_of_the_shell_is_kept_and_said(landed, monkeypatch):
    before = held(landed)
    done = claims(landed, "run", "--select", BRONZE, limit=DATA)
    refused(done, "needs more memory than it may hold: raise CLAIMS_MEMORY_LIMIT")
    assert done.returncode == 1
    assert held(landed) == before == (0, ["C1"])
    assert not list((landed / "lake" / "_stage").glob("bronze*"))
