"""`claims outreach extract`: a copy, recorded, that its owner alone may read; or one sentence."""

import stat

import pytest
from click.testing import CliRunner

import claims_assets.definitions  # noqa: F401  (declares the extracts)
from claims_assets.cli import main
from claims_assets.monitoring import audit_log
from claims_assets.outreach.extracts import EXTRACTS, folder_beside, write
from claims_assets.runtime.lake import Lake
from claims_assets_tests.outreach.made_targeting import MONTH, NOW, member, write_targeting

NAME = "immunization_tier2_outreach"


@pytest.fixture
def home(tmp_path):
    """A CLAIMS_HOME with one extract of one member."""
    lake = Lake(root=str(tmp_path / "home" / "lake"))
    write_targeting(lake, [member(1)])
    extract = next(e for e in EXTRACTS.values() if e.name == NAME)
    write(extract, MONTH, lake, folder_beside(lake), "run", NOW)
    return tmp_path / "home"


@pytest.fixture
def extract(home):
    def invoke(name=NAME, to="calls.csv", purpose="calls of the week", month=MONTH):
        arguments = ["outreach", "extract", name, "--month", month, "--to", str(home.parent / to)]
        result = CliRunner().invoke(
            main.claims, [*arguments, "--purpose", purpose], env={"CLAIMS_HOME": str(home), "CLAIMS_ENGINE": "sail"}
        )
        return result.exit_code, " ".join(result.output.split())

    return invoke


def test_a_copy_is_the_file_and_the_read_is_recorded(home, extract):
    code, said = extract()
    assert (code, "1 rows of immunization_tier2_outreach as of 2025-03" in said) == (0, True)
    copy = home.parent / "calls.csv"
    lake = Lake(root=str(home / "lake"))
    assert copy.read_bytes() == (folder_beside(lake).of_month(NAME, MONTH) / f"{NAME}.csv").read_bytes()
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    *exports, read = audit_log.stored(lake)
    assert len(exports) == 2
    assert (read.action, read.object, read.purpose) == ("read", f"outreach/{NAME}.csv", "calls of the week")
    assert read.recorded_at > NOW
    assert "M000001" not in said


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"name": "immunization_tier5_outreach"}, "There is no extract 'immunization_tier5_outreach': give one of"),
        ({"month": "2025-02"}, "was never built: build it with `claims run --select"),
        ({"to": "calls.xlsx"}, "must end in .csv or .parquet"),
        ({"to": "nowhere/calls.csv"}, "is no folder: make it first"),
        ({"purpose": " "}, "--purpose must say what the copy is for"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_leaves_no_record(home, extract, given, says):
    code, said = extract(**given)
    assert code == 1
    assert says in said
    assert len(audit_log.stored(Lake(root=str(home / "lake")))) == 2


def test_a_file_in_the_way_and_a_changed_extract_are_refused(home, extract):
    (home.parent / "calls.csv").write_text("mine")
    assert "exists: give --to another name" in extract()[1]
    stored = folder_beside(Lake(root=str(home / "lake"))).of_month(NAME, MONTH) / f"{NAME}.csv"
    stored.write_text("half")
    assert "is not whole, a step was ended" in extract(to="other.csv")[1]
    assert not (home.parent / "other.csv").exists()
