"""Every resource of every target, held against the types and methods of Databricks' own SDK: a key or value that the
service does not know is lost in them, or is no parameter."""

import inspect
import re

import pytest
from databricks.sdk.service import catalog, jobs, ml, serving, sql

from claims_assets.layers import SCHEMAS
from claims_assets.models.er_utilization_predictor import ER_UTILIZATION
from claims_assets.predictions.scoring import MODELS
from claims_assets.runtime.databricks.clusters import SIZES, cluster
from claims_assets.runtime.tracking import EXPERIMENT, MODELS_SCHEMA
from claims_assets.settings import settings_from_environment
from claims_assets_tests.deployment.bundle import ASKED_FOR, ROOT, SERVING, TARGETS, raw, references, resolved
from claims_assets_tests.test_workspaces import read

HOSTS = {"aws": "https://plan.cloud.databricks.com", "azure": "https://adb-1.2.azuredatabricks.net"}
OF_THE_BUNDLE = {"lifecycle", "permissions", "grants"}
"""Keys that the CLI itself understands."""
IDS = re.compile(r"\$\{resources\.jobs\.\w+\.id}")
CREATED_BY = {
    "schemas": catalog.SchemasAPI.create,
    "volumes": catalog.VolumesAPI.create,
    "registered_models": catalog.RegisteredModelsAPI.create,
    "experiments": ml.ExperimentsAPI.create_experiment,
    "model_serving_endpoints": serving.ServingEndpointsAPI.create,
}


def stated(resource):
    return {k: v for k, v in resource.items() if k not in OF_THE_BUNDLE}


def with_numbers(value):
    """As after a deployment: the id of another job is a number."""
    if isinstance(value, dict):
        return {k: with_numbers(v) for k, v in value.items()}
    if isinstance(value, list):
        return [with_numbers(v) for v in value]
    return 1 if isinstance(value, str) and IDS.fullmatch(value) else value


@pytest.mark.parametrize("target", TARGETS)
def test_jobs_and_clusters_survive_the_types_of_the_service(target):
    for job in resolved(target)["resources"]["jobs"].values():
        given = with_numbers(stated(job))
        assert jobs.JobSettings.from_dict(given).as_dict() == given


@pytest.mark.parametrize("target", TARGETS)
def test_alerts_survive_the_types_of_the_service(target):
    for alert in resolved(target)["resources"]["alerts"].values():
        given = stated(alert)
        assert sql.AlertV2.from_dict(given).as_dict() == given


def test_the_endpoint_survives_the_types_of_the_service():
    (endpoint,) = resolved("prod", SERVING)["resources"]["model_serving_endpoints"].values()
    given = endpoint["config"] | {"name": endpoint["name"]}
    found = serving.EndpointCoreConfigInput.from_dict(given).as_dict()
    # The service's version is text, which YAML would take for a number.
    given["served_entities"][0]["entity_version"] = found["served_entities"][0]["entity_version"]
    assert found == given
    assert endpoint["config"]["served_entities"][0]["entity_name"] == "claims_prod.models.high_risk_predictor"


def test_a_misspelt_key_is_lost_and_so_would_be_found():
    job = with_numbers(stated(resolved("dev")["resources"]["jobs"]["bronze_ingestion"]))
    wrong = job | {"max_concurent_runs": 1}
    assert jobs.JobSettings.from_dict(wrong).as_dict() == job


def test_a_misspelt_value_is_lost_too():
    job = with_numbers(stated(resolved("dev")["resources"]["jobs"]["bronze_ingestion"]))
    wrong = job | {"schedule": job["schedule"] | {"pause_status": "PAUSD"}}
    assert jobs.JobSettings.from_dict(wrong).as_dict() != wrong


@pytest.mark.parametrize("kind", CREATED_BY)
@pytest.mark.parametrize("target", TARGETS)
def test_other_resources_are_what_their_methods_take(kind, target):
    whole = resolved(target.removesuffix("_aws"), SERVING) if kind == "model_serving_endpoints" else resolved(target)
    parameters = inspect.signature(CREATED_BY[kind]).parameters
    needed = {n for n, p in parameters.items() if p.default is inspect.Parameter.empty} - {"self"}
    found = [stated(resource) for resource in whole["resources"][kind].values()]
    assert found
    for resource in found:
        assert resource.keys() <= parameters.keys()
        assert needed <= resource.keys()


def test_kinds_of_resources_are_all_held_against_something():
    assert set(raw()["resources"]) == {"jobs", "alerts", "schemas", "volumes", "registered_models", "experiments"}
    assert set(raw(SERVING)["resources"]) == {"model_serving_endpoints"}


def test_volume_types_are_legal():
    volumes = resolved("prod")["resources"]["volumes"]
    assert {v["volume_type"] for v in volumes.values()} <= {t.value for t in catalog.VolumeType}
    assert all(("storage_location" in v) == (v["volume_type"] == "EXTERNAL") for v in volumes.values())


@pytest.mark.parametrize("target", TARGETS)
def test_every_resource_referred_to_exists(target):
    known = {f"resources.{kind}.{name}" for kind, found in raw()["resources"].items() for name in found}
    assert references(resolved(target)["resources"]) <= known


def test_the_schemas_are_those_of_the_layers():
    schemas = {s["name"] for s in resolved("prod")["resources"]["schemas"].values()}
    assert schemas == {*SCHEMAS, "quarantine", "lake", MODELS_SCHEMA, "healthcare_data"}


def test_models_and_experiment_are_those_that_the_code_registers():
    resources = resolved("prod")["resources"]
    assert ER_UTILIZATION in MODELS
    assert {m["name"] for m in resources["registered_models"].values()} == {m.name for m in MODELS}
    assert all(key == m["name"] for key, m in resources["registered_models"].items())
    assert [e["name"] for e in resources["experiments"].values()] == [EXPERIMENT]


def test_data_and_models_are_kept_when_a_deployment_drops_them():
    resources = resolved("prod")["resources"]
    for kind in ("schemas", "volumes", "registered_models", "experiments"):
        assert all(r["lifecycle"] == {"prevent_destroy": True} for r in resources[kind].values())


@pytest.mark.parametrize("target", TARGETS)
def test_the_cluster_s_settings_are_valid(target):
    whole = resolved(target)
    for size in SIZES:
        assert len({str(c) for c in clusters(whole, size)}) == 1
        environment = next(clusters(whole, size))["spark_env_vars"]
        settings = settings_from_environment(environment | {"DATABRICKS_RUNTIME_VERSION": "17.3"})
        catalogs = {s["catalog_name"] for s in whole["resources"]["schemas"].values()}
        assert {settings.catalog} == catalogs
        assert settings.engine == "spark" and settings.on_volume and settings.registry_uri == "databricks-uc"
        for folder, volume in ((settings.home, "lake_home"), (settings.landing, "landing_files")):
            assert str(folder) == path_of(whole["resources"]["volumes"][volume], whole["resources"]["schemas"])


def clusters(whole, size):
    for job in whole["resources"]["jobs"].values():
        yield from (c["new_cluster"] for c in job.get("job_clusters", []) if c["job_cluster_key"] == size)


def path_of(volume, schemas):
    schema = volume["schema_name"].removeprefix("${resources.schemas.").removesuffix(".name}")
    return f"/Volumes/{volume['catalog_name']}/{schemas[schema]['name']}/{volume['name']}"


def test_environments_and_schedules_of_the_targets():
    found = {
        t: (v["catalog"], v["environment"], v["schedules"])
        for t, v in ((t, raw()["targets"][t]["variables"]) for t in TARGETS)
    }
    expected = {
        "dev": ("claims_dev", "local", "PAUSED"),
        "staging": ("claims_staging", "staging", "UNPAUSED"),
        "prod": ("claims_prod", "production", "UNPAUSED"),
    }
    assert found == expected | {f"{t}_aws": v for t, v in expected.items()}
    for target in TARGETS:
        chosen = raw()["targets"][target]
        is_dev = target.startswith("dev")
        assert chosen.get("mode") == (None if is_dev else "production")
        assert ("run_as" in chosen) != is_dev


@pytest.mark.requirement("R19")
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("size", SIZES)
def test_a_job_s_cluster_is_that_of_a_launched_step(target, size):
    """Machines of their own cloud too: those of another one don't exist there."""
    host = HOSTS["aws" if target.endswith("_aws") else "azure"]
    launched = cluster(read(DATABRICKS_HOST=host).workspace, size)["new"]
    most = int(raw()["targets"][target]["variables"]["max_workers"])
    least, usual = SIZES[size].workers
    expected = {
        **launched.pop("nodes")["node_types"],
        **{k: v for k, v in launched.items() if k not in ("size", "custom_tags")},
        "autoscale": {"min_workers": least, "max_workers": usual if size == "small" else most},
    }
    found = next(clusters(resolved(target), size))
    assert {k: v for k, v in found.items() if k not in ("custom_tags", "spark_env_vars")} == expected
    assert most <= usual or size == "small"
    assert found["custom_tags"]["project"] == "claims_assets"


def test_prod_has_the_workers_of_the_requirements():
    assert {raw()["targets"][t]["variables"]["max_workers"] for t in ("prod", "prod_aws")} == {
        SIZES["large"].workers[1]
    }


@pytest.mark.parametrize("size", SIZES)
def test_a_job_s_cluster_is_told_what_a_launched_step_is_told(size):
    told = next(clusters(resolved("prod"), size))["spark_env_vars"]
    launched = read(CLAIMS_CLUSTER_HOME=told["CLAIMS_HOME"], **_plain(told)).workspace.variables()
    assert set(told) - set(launched) == {"CLAIMS_LANDING", "CLAIMS_PROVIDERS_URL"}
    assert launched.items() <= told.items()


def _plain(told):
    return {k: v for k, v in told.items() if not v.startswith("{{")}


@pytest.mark.parametrize("folder", [ROOT, SERVING], ids=["jobs", "serving"])
@pytest.mark.parametrize("target", ["staging", "prod"])
def test_only_the_service_principal_may_change_what_is_deployed(target, folder):
    """A folder below /Workspace/Shared is writable by all users, of which `bundle validate --strict` would warn."""
    path = resolved(target, folder)["target"]["workspace"]["root_path"]
    assert path.startswith(f"/Workspace/Users/{ASKED_FOR['service_principal']}/")
    assert path.endswith(f"/{raw(folder)['bundle']['name']}/{target}")


@pytest.mark.requirement("R35")
def test_no_secret_is_in_the_files():
    files = [ROOT / "deploy.sh", ROOT / "databricks.yml", *(p for p in (ROOT / "deploy").rglob("*") if p.is_file())]
    looks_like_one = re.compile(r"dapi[0-9a-f]{16}|AccountKey=|AKIA[0-9A-Z]{16}|://[^/\s{]+:[^/\s{]+@|PRIVATE KEY")
    for file in files:
        if file.suffix != ".pyc":
            assert not looks_like_one.search(file.read_text()), file
    environment = next(clusters(resolved("prod"), "small"))["spark_env_vars"]
    assert environment["CLAIMS_PROVIDERS_URL"] == "{{secrets/medicaid/providers-url}}"


def test_the_reading_of_numbers_as_ids_is_narrow():
    assert with_numbers({"a": "${resources.jobs.x.id}", "b": ["x"]}) == {"a": 1, "b": ["x"]}
