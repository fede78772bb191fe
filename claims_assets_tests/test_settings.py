"""Settings: defaults, and one clear sentence for each value that can't be used."""

from pathlib import Path

import pytest

from claims_assets.settings import SettingError, settings_from_environment


def test_defaults_keep_everything_under_one_home():
    settings = settings_from_environment({"CLAIMS_HOME": "/data/claims"})
    assert settings.lake == Path("/data/claims/lake")
    assert settings.landing == Path("/data/claims/landing")
    assert settings.tracking_uri is None
    assert (settings.environment, settings.engine, settings.start_month) == ("local", "sail", "2022-01")
    assert settings.providers_url is None
    assert settings.memory_limit > 0


def test_a_cluster_has_its_own_spark():
    on_cluster = {"DATABRICKS_RUNTIME_VERSION": "17.3"}
    settings = settings_from_environment(on_cluster)
    assert (settings.on_cluster, settings.engine) == (True, "spark")
    assert settings_from_environment(on_cluster | {"CLAIMS_ENGINE": "sail"}).engine == "sail"
    assert not settings_from_environment({"CLAIMS_ENGINE": "spark"}).on_cluster


def test_files_are_listed_unless_auto_loader_is_asked_for_where_it_exists():
    on_cluster = {"DATABRICKS_RUNTIME_VERSION": "17.3"}
    assert settings_from_environment(on_cluster).ingestion == "embedded"
    assert settings_from_environment(on_cluster | {"CLAIMS_INGESTION": "autoloader"}).ingestion == "autoloader"
    with pytest.raises(SettingError, match="needs the Spark of a Databricks cluster"):
        settings_from_environment(on_cluster | {"CLAIMS_INGESTION": "autoloader", "CLAIMS_ENGINE": "sail"})


@pytest.mark.parametrize(
    ("text", "size"),
    [("2GB", 2 * 2**30), ("512MB", 512 * 2**20), ("1.5g", 1.5 * 2**30), ("1024", 1024), ("3GiB", 3 * 2**30)],
)
def test_sizes_are_read_as_people_write_them(text, size):
    assert settings_from_environment({"CLAIMS_MEMORY_LIMIT": text}).memory_limit == size


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("CLAIMS_ENV", "prod", r"CLAIMS_ENV='prod' is not one of local, staging, production"),
        ("CLAIMS_INGESTION", "kafka", r"'kafka' is not one of embedded, autoloader, autoloader-events"),
        ("CLAIMS_INGESTION", "autoloader", r"CLAIMS_INGESTION=autoloader needs the Spark of a Databricks cluster"),
        ("CLAIMS_ENGINE", "flink", r"CLAIMS_ENGINE='flink' is not one of sail, spark"),
        ("CLAIMS_START_MONTH", "2022-13", r"CLAIMS_START_MONTH='2022-13' is not a month: write it as YYYY-MM"),
        ("CLAIMS_START_MONTH", "2022-01-01", r"is not a month"),
        ("CLAIMS_MEMORY_LIMIT", "lots", r"CLAIMS_MEMORY_LIMIT='lots' is not a size: write for example 2GB"),
        (
            "CLAIMS_CATALOG",
            "claims-dev",
            r"CLAIMS_CATALOG='claims-dev' is no plain name: use letters, digits",
        ),
        (
            "MLFLOW_REGISTRY_URI",
            "databricks-uc",
            r"MLFLOW_REGISTRY_URI needs MLFLOW_TRACKING_URI: set it to",
        ),
    ],
)
def test_a_value_that_cannot_be_used_names_the_setting_and_the_remedy(name, value, message):
    with pytest.raises(SettingError, match=message):
        settings_from_environment({name: value})


def test_models_in_unity_catalog_need_its_catalog():
    given = {"MLFLOW_TRACKING_URI": "databricks", "MLFLOW_REGISTRY_URI": "databricks-uc"}
    with pytest.raises(SettingError, match=r"MLFLOW_REGISTRY_URI=databricks-uc needs CLAIMS_CATALOG: set it to"):
        settings_from_environment(given)
    settings = settings_from_environment(given | {"CLAIMS_CATALOG": "claims_dev"})
    assert (settings.registry_uri, settings.catalog) == ("databricks-uc", "claims_dev")


def test_a_short_key_of_pseudonyms_is_refused_without_being_shown():
    with pytest.raises(SettingError, match=r"CLAIMS_PSEUDONYM_KEY is shorter than 32 characters") as raised:
        settings_from_environment({"CLAIMS_PSEUDONYM_KEY": "s3cret"})
    assert "s3cret" not in str(raised.value)
    assert settings_from_environment({"CLAIMS_PSEUDONYM_KEY": "x" * 32}).has_pseudonym_key
    assert not settings_from_environment({}).has_pseudonym_key


def test_an_empty_variable_counts_as_unset():
    assert settings_from_environment({"CLAIMS_ENV": "", "CLAIMS_START_MONTH": ""}).start_month == "2022-01"
