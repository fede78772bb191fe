"""Both bundles against the schema that the databricks CLI publishes, where someone has it.

The schema is under the service's licence, so it can't be kept here; without the CLI the types of Databricks' own SDK
(test_resources.py) are what the resources are held against. `databricks bundle schema` needs no workspace.
"""

import json
import shutil
import subprocess

import jsonschema
import pytest

from claims_assets_tests.deployment.bundle import ROOT, SERVING, raw


@pytest.fixture(scope="module")
def schema():
    command = shutil.which("databricks")
    if command is None:
        pytest.skip("the databricks CLI, which prints the schema, is not installed")
    return json.loads(subprocess.run([command, "bundle", "schema"], check=True, capture_output=True).stdout)


@pytest.mark.full
@pytest.mark.parametrize("folder", [ROOT, SERVING], ids=["jobs", "serving"])
def test_a_bundle_is_valid_by_the_published_schema(schema, folder):
    jsonschema.validate(raw(folder), schema)


@pytest.mark.full
def test_a_misspelt_key_is_not(schema):
    whole = raw() | {"artefacts": {}}
    with pytest.raises(jsonschema.ValidationError, match="artefacts"):
        jsonschema.validate(whole, schema)
