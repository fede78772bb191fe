"""The public call: same bytes, re-use, replacement, and what it refuses to touch."""

import json
from pathlib import Path

import pytest

from claims_assets.synthetic import SyntheticError, generate, generator
from claims_assets.synthetic.manifest import NAME, STAGING

SMALL = {"members": 40, "months": 8, "end": "2024-06", "seed": 5}


def contents(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.mark.parametrize("profile", ["medicaid", "third_party"])
def test_same_arguments_give_the_same_bytes(tmp_path: Path, profile):
    one = generate(tmp_path / "a" / "landing", profile=profile, **SMALL)
    two = generate(tmp_path / "b" / "landing", profile=profile, **SMALL)
    assert one == two
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


@pytest.mark.parametrize("change", [{"seed": 6}, {"members": 41}, {"months": 9}, {"end": "2024-07"}, {"dirt": 0.0}])
def test_other_arguments_give_other_files(tmp_path: Path, change):
    one = generate(tmp_path / "a", **SMALL)
    two = generate(tmp_path / "b", **{**SMALL, **change}, providers_csv=tmp_path / "b.csv")
    assert one.files != two.files


def test_a_second_call_re_uses_the_files(tmp_path: Path):
    out = tmp_path / "landing"
    first = generate(out, **SMALL)
    stamps = {p: p.stat().st_mtime_ns for p in out.rglob("*")}
    told: list[str] = []
    assert generate(out, progress=told.append, **SMALL) == first
    assert stamps == {p: p.stat().st_mtime_ns for p in out.rglob("*")}
    assert told == []


def test_another_population_replaces_the_generators_own_files(tmp_path: Path):
    out = tmp_path / "landing"
    generate(out, **SMALL)
    later = generate(out, **{**SMALL, "months": 3})
    fresh = generate(tmp_path / "other" / "landing", **{**SMALL, "months": 3})
    assert contents(out) == contents(tmp_path / "other" / "landing")
    assert later == fresh


def test_a_lost_file_is_written_again(tmp_path: Path):
    out = tmp_path / "landing"
    summary = generate(out, **SMALL)
    before = contents(out)
    (out / "medical_claims.yaml").unlink()
    assert generate(out, **SMALL) == summary
    assert contents(out) == before


def test_the_leavings_of_a_broken_call_are_cleared(tmp_path: Path):
    out = tmp_path / "landing"
    (out / STAGING / "medical_claims").mkdir(parents=True)
    (out / STAGING / "medical_claims" / "half").write_text("half a file")
    generate(out, **SMALL)
    assert not (out / STAGING).exists()


def test_a_foreign_file_is_never_touched(tmp_path: Path):
    out = tmp_path / "landing"
    out.mkdir()
    (out / "mine.csv").write_text("claim_id\n1\n")
    with pytest.raises(SyntheticError, match=r"mine\.csv was not written by the generator"):
        generate(out, **SMALL)
    assert contents(out) == {"mine.csv": b"claim_id\n1\n"}


def test_a_changed_file_counts_as_foreign(tmp_path: Path):
    out = tmp_path / "landing"
    generate(out, **SMALL)
    (out / "medical_claims.yaml").write_text("received_on: arrival\n")
    with pytest.raises(SyntheticError, match=r"medical_claims\.yaml was not written by the generator"):
        generate(out, **{**SMALL, "seed": 6})
    assert (out / "medical_claims.yaml").read_text() == "received_on: arrival\n"


def test_a_foreign_provider_list_is_never_replaced(tmp_path: Path):
    listing = tmp_path / "providers.csv"
    listing.write_text("provider_id\nP1\n")
    with pytest.raises(SyntheticError, match=r"providers\.csv was not written by the generator"):
        generate(tmp_path / "landing", **SMALL)
    assert listing.read_text() == "provider_id\nP1\n"


def test_a_foreign_manifest_is_refused(tmp_path: Path):
    (tmp_path / NAME).write_text("[]")
    with pytest.raises(SyntheticError, match="not a manifest of the generator"):
        generate(tmp_path, **SMALL)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"end": "2024-13"}, "is not a month"),
        ({"profile": "medicare"}, "is not one of medicaid, third_party"),
        ({"members": 3}, "members=3 is too small"),
        ({"months": 0}, "months=0 is too small"),
        ({"dirt": -1.0}, "dirt=-1.0 is too small"),
    ],
)
def test_an_unusable_argument_is_named(tmp_path: Path, change, words):
    with pytest.raises(SyntheticError, match=words):
        generate(tmp_path, **{**SMALL, **change})
    assert list(tmp_path.iterdir()) == []


def test_the_manifest_lists_every_file(tmp_path: Path):
    out = tmp_path / "landing"
    summary = generate(out, **SMALL)
    assert set(summary.files) == {*contents(out), "../providers.csv", "../landing_fraud_truth.csv"} - {NAME}
    assert json.loads((out / NAME).read_text())["arguments"]["members"] == 40


def test_blocks_of_members_do_not_collide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(generator, "BLOCK_MEMBERS", 15)
    told: list[str] = []
    summary = generate(tmp_path / "landing", progress=told.append, **SMALL)
    assert told == ["Wrote members 1 to 15.", "Wrote members 16 to 30.", "Wrote members 31 to 40."]
    assert summary.facts["members"] == 40
    assert any(name.startswith("medical_claims/claims_2024-05.part02") for name in summary.files)
