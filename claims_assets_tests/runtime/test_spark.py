"""Which engine a configuration gives, and the sentence of each thing that is missing."""

import pytest

from claims_assets.runtime.lake import Lake
from claims_assets.runtime.resources import resources_for
from claims_assets.runtime.spark import ClassicSpark, EmbeddedSpark, _where_allowed, classic_session
from claims_assets.settings import SettingError, settings_from_environment


@pytest.mark.parametrize(
    ("environment", "engine", "jars"),
    [
        ({}, EmbeddedSpark, None),
        ({"CLAIMS_ENGINE": "spark", "CLAIMS_SPARK_JARS": "/jars"}, ClassicSpark, "/jars"),
        ({"DATABRICKS_RUNTIME_VERSION": "17.3"}, ClassicSpark, None),
    ],
)
def test_the_engine_follows_the_settings_and_starts_nothing(environment, engine, jars):
    settings = settings_from_environment(environment)
    resources = resources_for(settings)
    spark, lake = resources["spark"], resources["lake"]
    assert type(spark) is engine
    assert isinstance(lake, Lake)
    assert lake.engine == settings.engine
    assert getattr(spark, "jars", None) == jars


def test_without_jars_the_remedy_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("JAVA_HOME", "/java")
    with pytest.raises(SettingError, match=r"finds no Delta jars in .*: run `make spark-deps` once"):
        classic_session(10**9, str(tmp_path))


def test_without_java_the_remedy_is_named(tmp_path, monkeypatch):
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SettingError, match="needs Java 17 or 21: install it, or unset CLAIMS_ENGINE"):
        classic_session(10**9, str(tmp_path))


def test_a_setting_that_the_session_refuses_is_left_as_it_is(spark, engine):
    if engine == "sail":
        pytest.skip("Sail refuses no setting")
    before = spark.conf.get("spark.sql.warehouse.dir")
    _where_allowed(spark, {"spark.sql.warehouse.dir": "/elsewhere", "spark.sql.session.timeZone": "UTC"})
    assert spark.conf.get("spark.sql.warehouse.dir") == before
