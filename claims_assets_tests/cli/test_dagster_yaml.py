"""The two instance configurations: SQLite on one machine, PostgreSQL for a team; both are loaded and used."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from claims_assets.cli.instance import PACKAGE, instance_for, prepared_home
from claims_assets.runtime.postgres import EmbeddedPostgres
from claims_assets.runtime.run_launcher import LocalRunLauncher
from claims_assets.settings import settings_from_environment

TEAM = PACKAGE.parent / "deploy" / "dagster-team.yaml"


@dg.asset(
    partitions_def=dg.StaticPartitionsDefinition(["2024-01", "2024-02"]),
    check_specs=[dg.AssetCheckSpec("ok", asset="counted")],
)
def counted():
    """A smallest asset with months and a check."""
    return dg.MaterializeResult(metadata={"rows": 1}, check_results=[dg.AssetCheckResult(check_name="ok", passed=True)])


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Settings of a home of this test's own; DAGSTER_HOME is put back afterwards."""
    monkeypatch.setenv("DAGSTER_HOME", "")
    return lambda **more: settings_from_environment({"CLAIMS_HOME": str(tmp_path / "home"), **more})


def use(instance):
    """A run and its records, as the daemon and the webserver would meet them."""
    assert dg.materialize([counted], partition_key="2024-02", instance=instance).success
    assert instance.get_materialized_partitions(dg.AssetKey("counted")) == {"2024-02"}
    assert isinstance(instance.run_launcher, LocalRunLauncher)
    assert instance.run_monitoring_enabled
    assert instance.run_launcher.supports_check_run_worker_health
    assert not instance.telemetry_enabled


def test_the_local_instance_keeps_its_state_under_claims_home(home):
    settings = home()
    with instance_for(settings) as instance:
        use(instance)
        assert instance.get_concurrency_config().run_queue_config.max_concurrent_runs == 1
    assert list(settings.dagster_home.rglob("*.db"))


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that PostgreSQL may pass through, whoever it runs as; pytest's own are closed."""
    with tempfile.TemporaryDirectory(prefix="claims-team-") as name:
        Path(name).chmod(0o751)
        yield Path(name)


def test_the_instance_of_a_team_keeps_its_state_in_postgresql(home, tmp_path, open_folder, monkeypatch):
    server = EmbeddedPostgres(open_folder / "postgres")
    try:
        url = server.start().replace("postgresql://", "postgresql+psycopg2://")
        monkeypatch.setenv("DAGSTER_POSTGRES_URL", url)
        monkeypatch.setenv("DAGSTER_LOGS", str(tmp_path / "logs"))
        settings = home(CLAIMS_DAGSTER_YAML=str(TEAM))
        with instance_for(settings) as instance:
            use(instance)
        with instance_for(settings) as again:
            assert again.get_runs_count() == 1
        assert not list(settings.dagster_home.rglob("*.db"))
    finally:
        server.stop()


def test_an_instance_file_that_does_not_exist_is_named(home, tmp_path):
    with pytest.raises(RuntimeError, match=r"There is no .*mine.yaml: .*CLAIMS_DAGSTER_YAML"):
        prepared_home(home(CLAIMS_DAGSTER_YAML=str(tmp_path / "mine.yaml")))
    assert not Path(tmp_path / "home").exists()
