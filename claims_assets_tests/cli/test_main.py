"""What a user gets who asks for something that can't be done: one sentence, exit code 1, and nothing written."""

import pytest

from claims_assets_tests.console import claims

ELIGIBILITY = "member_id,effective_date\nM1,2024-01-01\n"
CLAIMS = "claim_id,member_id,claim_date,service_from_date,paid_amount\nC1,M1,2024-01-05,2024-01-05,10.00\n"


@pytest.fixture
def landing(tmp_path):
    """A smallest landing folder that can be run."""
    for feed, text in (("member_eligibility", ELIGIBILITY), ("medical_claims", CLAIMS)):
        (tmp_path / "landing" / feed).mkdir(parents=True)
        (tmp_path / "landing" / feed / "a.csv").write_text(text)
    return tmp_path


def refused(done, sentence):
    """Whether the command failed with this one sentence, no trace."""
    said = " ".join(done.stderr.split())
    assert done.returncode != 0
    assert sentence in said, said[-500:]
    assert "Traceback" not in done.stderr


@pytest.mark.requirement("R20")
def test_an_empty_landing_folder_stops_before_anything_is_written(tmp_path):
    done = claims(tmp_path, "run")
    refused(done, f"No file under {tmp_path / 'landing' / 'medical_claims'}")
    refused(done, "set CLAIMS_LANDING")
    assert not (tmp_path / "lake").exists()


@pytest.mark.requirement("R20")
def test_an_unreachable_database_stops_before_anything_is_written_and_its_password_is_not_shown(landing):
    done = claims(landing, "run", CLAIMS_PROVIDERS_URL="postgresql://reader:s3cret@127.0.0.1:1/plan")
    refused(done, "CLAIMS_PROVIDERS_URL")
    assert "s3cret" not in done.stdout + done.stderr
    assert not (landing / "lake").exists()


@pytest.mark.requirement("R20")
def test_a_file_without_a_required_column_stops_before_anything_is_written(landing):
    (landing / "landing" / "medical_claims" / "b.csv").write_text("claim_id,service_from_date\nC2,2024-01-06\n")
    done = claims(landing, "run")
    refused(done, "medical_claims/b.csv")
    refused(done, "member_id")
    assert not (landing / "lake").exists()


@pytest.mark.requirement("R32")
def test_a_smallest_feed_runs_and_absent_feeds_are_said_to_be_absent(landing):
    done = claims(landing, "run")
    assert done.returncode == 0, done.stderr[-2000:]
    assert "Claim months 2024-01 to 2024-01 (1)" in done.stdout
    assert "no files: an optional feed may be absent" in done.stdout
    assert "Members scored as of 2024-01: 1 (1 by rule)" in done.stdout


def test_a_month_without_the_year_before_it_is_refused_and_its_list_is_not_made(landing):
    (landing / "landing" / "medical_claims" / "b.csv").write_text(
        CLAIMS.replace("C1", "C2").replace("2024-01", "2024-02")
    )
    done = claims(landing, "run", "--from", "2024-02", "--to", "2024-02")
    refused(done, "of 2024-02 needs")
    refused(done, "run the claim months from 2024-01 on")
    assert not (landing / "lake" / "gold" / "immunization_master_outreach_list").exists()


def test_a_month_that_lost_its_files_becomes_empty(landing):
    late = landing / "landing" / "medical_claims" / "b.csv"
    late.write_text(CLAIMS.replace("C1", "C2").replace("2024-01", "2024-02"))
    assert claims(landing, "run").returncode == 0
    late.unlink()
    done = claims(landing, "run")
    assert "Claim months 2024-02 to 2024-02 (1)" in done.stdout
    again = claims(landing, "status").stdout
    (line,) = [text for text in again.splitlines() if "silver.medical_claims" in text]
    assert [part.strip() for part in line.split("│")[2:5]] == ["1", "1", "1"]


def test_tables_without_months_run_without_asking_for_months(landing):
    chosen = 'key:"landing/providers" or key:"bronze/providers"'
    done = claims(landing, "run", "--select", chosen)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "Claim months" not in done.stdout
    assert "Warning" not in done.stderr
    assert "bronze/providers" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["run", "--from", "2024-13"], "'2024-13' is not a month: write it as YYYY-MM"),
        (["run", "--from", "2024-03", "--to", "2024-01"], "--from 2024-03 is later than --to 2024-01: swap them."),
        (
            ["run", "--from", "2019-01", "--to", "2024-01"],
            "--from 2019-01 is before CLAIMS_START_MONTH=2022-01: set CLAIMS_START_MONTH=2019-01.",
        ),
        (["run", "--from", "2024-01", "--to", "2199-01"], "--to 2199-01 has not begun"),
        (["run", "--select", "key:nothing"], "names no asset"),
    ],
)
def test_months_and_selections_that_cannot_be_run(landing, arguments, sentence):
    refused(claims(landing, *arguments), sentence)


@pytest.mark.parametrize("command", [["run"], ["status"], ["demo"]])
def test_a_setting_that_cannot_be_used_stops_every_command(tmp_path, command):
    done = claims(tmp_path, *command, CLAIMS_START_MONTH="January")
    refused(done, "CLAIMS_START_MONTH='January' is not a month")


def test_a_population_that_begins_before_the_start_month_is_refused(tmp_path):
    done = claims(tmp_path, "demo", "--members", "10", "--months", "48", "--end", "2023-12")
    refused(done, "set CLAIMS_START_MONTH=2020-01")
    assert not (tmp_path / "landing").exists()


def test_a_provider_file_that_does_not_exist_is_named(tmp_path):
    refused(claims(tmp_path, "providers", "load", str(tmp_path / "none.csv")), "none.csv")


def test_status_before_the_first_run_says_what_to_do(tmp_path):
    done = claims(tmp_path, "status")
    assert done.returncode == 0
    assert "run `claims demo` or `claims run`" in done.stdout


def test_generate_writes_files_and_runs_nothing(tmp_path):
    arguments = ["--members", "20", "--months", "3", "--end", "2009-12", "--profile", "third_party"]
    done = claims(tmp_path / "home", "generate", str(tmp_path / "extract"), *arguments)
    assert done.returncode == 0, done.stderr
    assert "medical_claims" in done.stdout
    assert list((tmp_path / "extract" / "medical_claims").glob("*.csv"))
    assert not (tmp_path / "home").exists()


@pytest.mark.requirement("R32")
def test_help_lists_the_commands(tmp_path):
    shown = claims(tmp_path, "--help").stdout
    assert all(command in shown for command in ("demo", "run", "status", "ui", "providers"))


def test_a_month_that_trips_the_breaker_ends_the_command_with_how_to_go_on_and_a_reason_goes_on(landing):
    select = ("run", "--select", 'group:sources or group:bronze or key:"silver/claim_versions"')
    row = "{},M1,2024-01-05,2024-01-05,{}\n"
    bad = [row.format(f"B{i}", "no amount") for i in range(20)]
    (landing / "landing" / "medical_claims" / "b.csv").write_text(
        CLAIMS + "".join([row.format(f"G{i}", "1.00") for i in range(120)] + bad)
    )
    done = claims(landing, *select)
    refused(done, "bronze.medical_claims of 2024-01 has 14.1% of its rows in quarantine, above 5%.")
    refused(done, 'accept it with `claims run --accept-quality "<reason>"`')
    assert not (landing / "lake" / "silver" / "claim_versions").exists()
    refused(claims(landing, *select, "--accept-quality", " "), "A reason must say something")
    assert claims(landing, *select, "--accept-quality", "known to the payer").returncode == 0
    assert (landing / "lake" / "silver" / "claim_versions").exists()
    assert claims(landing, *select).returncode == 0
