"""A small landing folder, the whole graph over it, and ticks whose runs are carried out at once."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from rich.console import Console

from claims_assets.automation.stale_runs import RANGE, held_months
from claims_assets.cli.errors import NotDone
from claims_assets.cli.run import Runner
from claims_assets.definitions import build
from claims_assets.partitions import months_between
from claims_assets.runtime.lake import Lake
from claims_assets.runtime.resources import lake_for, resources_for
from claims_assets.runtime.spark import EmbeddedSpark
from claims_assets.settings import Settings, settings_from_environment
from claims_assets.sources.feeds import FEEDS
from claims_assets_tests.conftest import TEST_MEMORY

MONTHS = ["2024-01", "2024-02", "2024-03", "2024-04"]
CLAIMS = "claim_id,member_id,claim_date,service_from_date,paid_amount,adjustment_indicator,original_claim_id\n"
MEMBERS = "member_id,effective_date,birth_date,gender\nM1,2023-01-01,1960-05-05,F\n"


def line(claim: str, month: str, paid: str = "1.00", indicator: str = "0", original: str = "") -> str:
    return f"{claim},M1,{month}-05,{month}-05,{paid},{indicator},{original}\n"


@dataclass
class Site:
    """One CLAIMS_HOME with its instance."""

    settings: Settings
    instance: dg.DagsterInstance
    cursor: str | None = None
    asked: list[tuple[list[str], list[str]]] = field(default_factory=list)
    """Assets and months of each run that was carried out."""

    def land(self, name: str, *lines: str) -> None:
        """Put a file of claims into the landing folder; no lines: remove it."""
        file = self.settings.landing / "medical_claims" / f"{name}.csv"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(CLAIMS + "".join(lines)) if lines else file.unlink()

    @property
    def lake(self) -> Lake:
        return lake_for(self.settings)

    @cached_property
    def definitions(self) -> dg.Definitions:
        return build(self.settings, spark=EmbeddedSpark(memory_limit=TEST_MEMORY))

    def sensor_tick(self, name: str) -> Any:
        """What one tick of a sensor says; its cursor is kept."""
        repository = self.definitions.get_repository_def()
        with dg.build_sensor_context(
            instance=self.instance,
            cursor=self.cursor,
            repository_def=repository,
            resources={k: v for k, v in resources_for(self.settings).items() if k in ("lake", "landing")},
        ) as context:
            told = repository.get_sensor_def(name).evaluate_tick(context)
        self.cursor = told.cursor
        return told

    def settle(self, sensor: str, job: str, until: str | None = None) -> tuple[list[tuple[list[str], list[str]]], str]:
        """Tick and carry out until nothing is asked for any more: the runs, and the reason of the last tick.

        Args:
            until: an asset; the first run that would build it is asked for and not carried out.
        """
        self.asked.clear()
        while (told := self.sensor_tick(sensor)).run_requests:
            (request,) = told.run_requests
            if until and dg.AssetKey.from_user_string(until) in request.asset_selection:
                self.asked.append(self._told(request))
                break
            assert self.carry_out(job, request).success
        return self.asked, told.skip_message or ""

    @staticmethod
    def _told(request: Any) -> tuple[list[str], list[str]]:
        first, last = (request.tags.get(t) for t in RANGE)
        keys = [k.to_user_string() for k in request.asset_selection]
        return keys, months_between(first, last) if first else []

    def carry_out(self, job: str, request: Any, **tags: str) -> dg.ExecuteInProcessResult:
        """The run that was asked for, at once."""
        self.asked.append(self._told(request))
        return self.definitions.resolve_job_def(job).execute_in_process(
            instance=self.instance,
            asset_selection=request.asset_selection,
            tags={**request.tags, **tags},
            raise_on_error=False,
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        )

    def build(self, *keys: str, **tags: str) -> str:
        """What `claims run` does for these assets: refresh the landing tables, then all that is stale; what it says."""
        chosen = [dg.AssetKey.from_user_string(k) for k in keys]
        runner = Runner(self.definitions, self.instance, Console(quiet=True), tags)
        runner.execute([dg.AssetKey(["landing", feed]) for feed in FEEDS])
        return runner.stale(chosen, held_months(self.lake), self.lake)

    def rebuild(self, month: str, key: str) -> str:
        """What `claims run --from --to --select` says when it builds this month, up to date or not."""
        runner = Runner(self.definitions, self.instance, Console(quiet=True))
        try:
            runner.range_of([dg.AssetKey.from_user_string(key)], [month], self.lake)
        except NotDone as said:
            return str(said)
        return ""

    def content(self) -> dict[str, dict[str, str]]:
        """Table -> month -> fingerprint."""
        from claims_assets.monitoring.built_months import built

        return {name: {m: row["fingerprint"] for m, row in rows.items()} for name, rows in built(self.lake).items()}


@pytest.fixture
def lake(lake: Lake, engine: str, request: pytest.FixtureRequest) -> Lake:
    """An empty lake; Spark commits to it by its session, delta-rs needs none."""
    if engine == "spark":
        request.getfixturevalue("spark")
    return lake


@pytest.fixture
def site(tmp_path: Path, spark: Any):
    """`site(CLAIMS_ENV=..., ...)`: settings of a fresh home, one landed file, an instance of its own."""
    assert spark
    dagster_home = tmp_path / "dagster"
    dagster_home.mkdir()
    with dg.DagsterInstance.local_temp(str(dagster_home), overrides={"telemetry": {"enabled": False}}) as instance:

        def make(**environ: str) -> Site:
            made = Site(settings_from_environment({"CLAIMS_HOME": str(tmp_path / "home"), **environ}), instance)
            members = made.settings.landing / "member_eligibility" / "members.csv"
            members.parent.mkdir(parents=True, exist_ok=True)
            members.write_text(MEMBERS)
            if not (made.settings.landing / "medical_claims").exists():
                made.land("a", *[line(f"C{m}", m) for m in MONTHS])
            return made

        yield make
