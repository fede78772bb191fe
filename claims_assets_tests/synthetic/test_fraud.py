"""Planted fraud: what it changes, what it leaves alone, and where the truth is."""

import csv
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from claims_assets.synthetic import generate
from claims_assets.synthetic.fraud import KINDS
from claims_assets.synthetic.providers import UNUSUAL
from claims_assets_tests.synthetic.conftest import Landing, Row

SMALL = {"members": 500, "months": 14, "end": "2024-12", "seed": 11}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same population twice: as usual, and without planted fraud."""
    folder = tmp_path_factory.mktemp("fraud")
    generate(folder / "with", **SMALL, fraud_share=0.02, providers_csv=folder / "with.csv")
    generate(folder / "without", **SMALL, fraud_share=0.0, providers_csv=folder / "without.csv")
    return folder


def truth(folder: Path, name: str) -> dict[str, str]:
    with (folder / f"{name}_fraud_truth.csv").open(encoding="utf-8", newline="") as file:
        return {row["claim_id"]: row["kind"] for row in csv.DictReader(file)}


def claims(folder: Path, name: str) -> dict[str, list[Row]]:
    """Claim id -> its lines; the invented id of an unknown member counts lines of a file and is left out."""
    found: dict[str, list[Row]] = defaultdict(list)
    for row in Landing(folder / name, None).medical:  # pyright: ignore[reportArgumentType]
        member = str(row["member_id"])
        found[str(row["claim_id"])].append(row | {"member_id": "unknown" if member > "M9" else member})
    return found


def test_four_kinds_are_planted_in_equal_parts(folder: Path):
    kinds = Counter(truth(folder, "with").values())
    assert set(kinds) == set(KINDS)
    assert min(kinds.values()) > 0.7 * max(kinds.values())
    assert truth(folder, "without") == {}


def test_every_other_claim_is_the_same_as_without_fraud(folder: Path):
    planted, before, after = truth(folder, "with"), claims(folder, "without"), claims(folder, "with")
    assert {c for c in after if after[c] != before.get(c)} == set(planted)
    assert {c for c in planted if c not in before} == {c for c, kind in planted.items() if kind == "phantom"}


def test_each_kind_does_what_it_says(folder: Path):
    planted, before, after = truth(folder, "with"), claims(folder, "without"), claims(folder, "with")
    for claim, kind in planted.items():
        was, now = before.get(claim, []), after[claim]
        if kind == "upcoding":
            assert [r["procedure_code_1"] for r in was] != [r["procedure_code_1"] for r in now]
            assert total(now, "billed_amount") > total(was, "billed_amount")
        elif kind == "unbundling":
            assert len(now) >= len(was) + 3
        elif kind == "impossible_units":
            assert total(now, "service_units") >= total(was, "service_units") + 7
        assert all(r["claim_status"] == "PAID" and r["adjustment_indicator"] == "0" for r in now)


def test_nothing_in_the_landing_folder_tells_the_truth(folder: Path):
    assert not [p for p in (folder / "with").rglob("*") if "truth" in p.name]


def test_providers_with_habits_are_no_planted_fraud(folder: Path):
    """Their share stays small among the planted, so that the truth is not a list of them."""
    providers = {claims(folder, "with")[c][0]["provider_id"] for c in truth(folder, "with")}
    assert len(providers) > UNUSUAL * 150 * 3


def total(lines: list[Row], name: str) -> float:
    return sum(float(r[name] or 0) for r in lines)
