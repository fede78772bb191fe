"""deploy.sh: each environment and branch has one way, and what is missing is told in one sentence before anything runs.

`--dry-run` prints the commands; a stand-in on the path answers where the script asks the real command about itself.
"""

import os
import subprocess

import pytest
import yaml

from claims_assets_tests.deployment.bundle import ROOT, TARGETS, raw

GIVEN = {
    "DATABRICKS_HOST": "https://adb-1.2.azuredatabricks.net",
    "BUNDLE_VAR_landing_location": "abfss://landing@lake.dfs.core.windows.net/",
    "BUNDLE_VAR_warehouse_id": "1234567890abcdef",
    "BUNDLE_VAR_alert_email": "claims-data@example.org",
    "BUNDLE_VAR_service_principal": "00000000-0000-0000-0000-000000000001",
}
AWS = {"DATABRICKS_HOST": "https://plan.cloud.databricks.com"}


def deploy(*options, path="/usr/bin:/bin", **changes):
    """The finished script; a change to None takes a variable away."""
    environment = {k: v for k, v in (GIVEN | {"PATH": path} | changes).items() if v is not None}
    command = ["bash", str(ROOT / "deploy.sh"), *options]
    return subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )


def printed(*options, **changes):
    done = deploy(*options, "--dry-run", **changes)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def refused(*options, **changes):
    """The one sentence of a refusal."""
    done = deploy(*options, **changes)
    assert done.returncode == 1 and done.stdout == ""
    (line,) = done.stderr.splitlines()
    return line.removeprefix("deploy.sh: ")


def cli(folder, version="0.279.0", signed_in=True):
    """A path with a `databricks` that tells its version, and whether someone is signed in."""
    program = folder / "databricks"
    program.write_text(
        f"#!/bin/sh\ncase $1 in --version) echo 'Databricks CLI v{version}';; current-user) {str(signed_in).lower()};;"
        " secrets) echo '[]';; *) echo unexpected >&2; exit 9;; esac\n"
    )
    program.chmod(0o755)
    return f"{folder}:/usr/bin:/bin"


@pytest.mark.parametrize("environment", ["dev", "staging", "prod"])
@pytest.mark.parametrize(("changes", "suffix"), [({}, ""), (AWS, "_aws")])
def test_an_environment_is_validated_and_deployed_to_its_target(environment, changes, suffix):
    target = f"{environment}{suffix}"
    assert printed("-e", environment, **changes) == [
        "databricks workspace mkdirs /Medicaid",
        f"databricks bundle validate --strict -t {target}",
        f"databricks bundle deploy -t {target}",
    ]
    assert target in TARGETS and set(TARGETS) == set(raw()["targets"])


def test_the_cloud_can_be_said():
    assert printed("-e", "dev", "--cloud", "aws")[-1] == "databricks bundle deploy -t dev_aws"


@pytest.mark.requirement("R41")
@pytest.mark.parametrize(
    ("branch", "target"),
    [("main", "staging"), ("release/1.0", "prod"), ("feature/x", "dev"), ("mainline", "dev"), ("releases", "dev")],
)
def test_each_branch_has_one_way(branch, target):
    commands = printed("--branch", branch, "--yes")
    assert [c for c in commands if "deploy" in c.split()] == [f"databricks bundle deploy -t {target}"]


def test_the_endpoint_is_deployed_by_itself():
    assert printed("-e", "prod", "--serving") == [
        "databricks bundle validate --strict -t prod --var champion_version=<champion>",
        "databricks bundle deploy -t prod --var champion_version=<champion>",
    ]


@pytest.mark.parametrize(
    ("options", "changes", "sentence"),
    [
        ([], {}, "no environment is given: write -e dev, -e staging or -e prod."),
        (["-e", "test"], {}, "'test' is no environment: write -e dev, -e staging or -e prod."),
        (["-e"], {}, "-e needs an environment: dev, staging or prod."),
        (["-e", "dev", "--branch", "main"], {}, "-e and --branch both say where to deploy: give one of them."),
        (["-e", "dev", "--cloud", "moon"], {}, "'moon' is no cloud: write --cloud azure or --cloud aws."),
        (["--force"], {}, "'--force' is no option: see ./deploy.sh -h."),
        (
            ["-e", "dev"],
            {"DATABRICKS_HOST": None},
            "DATABRICKS_HOST is not set: set it to the workspace's address, https://<workspace>.",
        ),
        (
            ["-e", "dev"],
            {"DATABRICKS_HOST": "https://1.2.gcp.databricks.com"},
            "https://1.2.gcp.databricks.com is on Google Cloud, for which no machines are stated:"
            " add targets as those of AWS in databricks.yml.",
        ),
        (
            ["-e", "dev"],
            {"BUNDLE_VAR_warehouse_id": None},
            "BUNDLE_VAR_warehouse_id is not set: set it to the id of the SQL warehouse that evaluates the alerts.",
        ),
        (
            ["-e", "staging"],
            {"BUNDLE_VAR_service_principal": None},
            "BUNDLE_VAR_service_principal is not set:"
            " set it to the application id of the service principal that the jobs run as.",
        ),
        (
            ["-e", "dev"],
            {},
            "the databricks CLI is not installed: see docs.databricks.com/dev-tools/cli/install.",
        ),
    ],
)
def test_what_is_missing_is_told_in_one_sentence(options, changes, sentence):
    assert refused(*options, **changes) == sentence


def test_dev_needs_no_service_principal():
    assert printed("-e", "dev", BUNDLE_VAR_service_principal=None)


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        ({"version": "0.18.0"}, "the databricks CLI is version 0.18.0: install 0.279.0 or later."),
        (
            {"version": "?"},
            "databricks is the legacy CLI here: install the new one, version 0.279.0 or later.",
        ),
        (
            {"signed_in": False},
            "not signed in to https://adb-1.2.azuredatabricks.net:"
            " run 'databricks auth login', or set the credentials that CI uses.",
        ),
    ],
)
def test_a_command_that_cannot_deploy_is_refused(tmp_path, found, sentence):
    assert refused("-e", "dev", path=cli(tmp_path, **found)) == sentence


@pytest.mark.requirement("R35")
def test_without_the_secret_nothing_is_deployed(tmp_path):
    sentence = refused("-e", "dev", path=cli(tmp_path))
    assert sentence == (
        "the secret scope medicaid has no key providers-url: run 'databricks secrets create-scope medicaid' and"
        " 'databricks secrets put-secret medicaid providers-url'."
    )


def test_prod_is_confirmed_by_someone(tmp_path):
    assert refused("-e", "prod", path=cli(tmp_path)) == "prod is deployed only when confirmed: add --yes."


def test_the_least_version_is_stated_alike():
    least = raw()["bundle"]["databricks_cli_version"].removeprefix(">= ")
    assert f'LEAST_CLI="{least}"' in (ROOT / "deploy.sh").read_text()
    serving = yaml.safe_load((ROOT / "deploy" / "serving" / "databricks.yml").read_text())
    assert serving["bundle"]["databricks_cli_version"] == f">= {least}"


def test_the_help_needs_nothing():
    done = deploy("-h", DATABRICKS_HOST=None)
    assert done.returncode == 0 and done.stdout.startswith("Usage: ./deploy.sh -e dev|staging|prod")
    assert os.access(ROOT / "deploy.sh", os.X_OK)
