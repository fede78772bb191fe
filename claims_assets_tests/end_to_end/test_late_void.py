"""A void that arrives in a new file, for a claim of an old month: exactly the months concerned are built again."""

import re
import shutil

import pytest

from claims_assets.partitions import add_months, months_between
from claims_assets_tests.console import claims
from claims_assets_tests.end_to_end.conftest import Demo, connected
from claims_assets_tests.end_to_end.test_demo import fingerprints

ORIGINAL_MONTH, VOID_MONTH, KNOWN = "2023-05", "2024-02", "2025-11"
"""Service month of the claim, the service month that the void states, and the month in which its file came."""
LAST = "2025-12"
PROFILES = "gold/monthly_profiles"
COLUMNS = "claim_id member_id claim_date service_from_date adjustment_indicator original_claim_id paid_amount paid_date"
ALL_BUT_MODELS = 'not group:models and not key:"landing/providers"'
"""The copy of the demo has no provider database."""


@pytest.fixture(scope="module")
def late(demo, tmp_path_factory) -> tuple[Demo, str]:
    """A copy of the demo after the late file and one `claims run`; the paid amount that the void takes back."""
    home = tmp_path_factory.mktemp("late") / "home"
    shutil.copytree(demo.home, home, symlinks=True, ignore=shutil.ignore_patterns("postgres"))
    with connected(home / "lake") as sql:
        ((claim, member),) = sql(
            f"select claim_id, member_id from silver.medical_claims where claim_month = '{ORIGINAL_MONTH}' and"
            " claim_type = 'PROF' and claim_status = 'PAID' and paid_amount > 0 and adjustment_indicator = '0'"
            " order by paid_amount desc, claim_id limit 1"
        )
    day = f"{VOID_MONTH}-03"
    text = f"LATEVOID1,{member},{day},{day},1,{claim},0.00,{KNOWN}-20\n"
    (home / "landing" / "medical_claims" / f"late_{KNOWN}.csv").write_text(COLUMNS.replace(" ", ",") + "\n" + text)
    done = claims(home, "run", "--select", ALL_BUT_MODELS)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return Demo(home, done.stdout), claim


def materialized(printed: str) -> dict[str, set[str]]:
    """Asset -> the claim months it was materialized for, as `claims run` prints them."""
    found: dict[str, set[str]] = {}
    months: set[str] = set()
    for line in printed.splitlines():
        if heading := re.match(r"Claim months (\S+) to (\S+) ", line):
            months = set(months_between(heading[1], heading[2]))
        elif step := re.match(r"\[ *\d+/ *\d+\] (\S+) ", line):
            found.setdefault(step[1], set()).update(months)
    return {name: found[name] for name in found if not name.startswith("landing/")}


def test_exactly_the_months_concerned_are_built(late):
    built = materialized(late[0].printed)
    touched = {ORIGINAL_MONTH, VOID_MONTH}
    year_after = {m for t in touched for m in months_between(t, min(add_months(t, 11), LAST))}
    assert built.pop("bronze/medical_claims") == {VOID_MONTH}
    built.pop("bronze/claim_links")
    for name in ("silver/claim_versions", "silver/medical_claims", "silver/pharmacy_claims"):
        assert built.pop(name) == touched, name
    # The void is no line of service, so no window of its own month reads anything new but the versions themselves.
    assert ORIGINAL_MONTH in built["silver/encounters"]
    # A month is compared with years of months, so what is told of drift may change in any later one.
    of_claims = {n: months for n, months in built.items() if not n.startswith("monitoring/") and n != PROFILES}
    assert all(months <= year_after | {add_months(m, 12) for m in year_after} for months in of_claims.values()), built


def test_the_void_takes_the_claim_back(late):
    demo, claim = late
    with connected(demo.lake) as sql:
        assert sql(f"select count(*) from silver.medical_claims where claim_id = '{claim}'") == [(0,)]
        ((on, by),) = sql(
            f"select distinct cancelled_on, cancelled_by from silver.claim_versions where claim_id = '{claim}'"
        )
    assert (on, by) == (KNOWN, "LATEVOID1")


def test_nothing_is_left_to_do(late):
    again = claims(late[0].home, "run", "--select", ALL_BUT_MODELS)
    assert again.returncode == 0, again.stderr[-2000:]
    assert "Up to date" in again.stdout


def test_a_rebuild_of_everything_gives_the_same(late):
    demo, _ = late
    before = fingerprints(demo)
    again = claims(demo.home, "run", "--rebuild", "--select", ALL_BUT_MODELS)
    assert again.returncode == 0, again.stderr[-2000:]
    assert fingerprints(demo) == before
