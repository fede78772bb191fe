"""The console script `claims`: run the graph, load providers, look at the result. Each command is a thin shell."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import click

from claims_assets.cli.job_commands import job
from claims_assets.cli.options import Month, with_settings
from claims_assets.settings import Settings


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def claims() -> None:
    """Medicaid claims as a Dagster asset graph: from landing files to an outreach list.

    State lives under CLAIMS_HOME (default ./.claims).
    """


claims.add_command(job)


@claims.command()
@click.option("--members", default=5_000, show_default=True, help="Members of the synthetic population.")
@click.option("--months", default=48, show_default=True, help="Claim months to generate.")
@click.option("--end", type=Month(), default=None, help="Last claim month [default: the last complete month].")
@click.option("--seed", default=7, show_default=True)
@click.option(
    "--fraud-share", default=0.01, show_default=True, help="Planted frauds over medical claims; 0 plants none."
)
@with_settings
def demo(settings: Settings, members: int, months: int, end: str | None, seed: int, fraud_share: float) -> None:
    """Generate a population, load its providers, and run the whole graph on it."""
    from claims_assets.cli.demo import run_demo

    today = datetime.now(UTC)
    end = end or _last_complete_month(today)
    run_demo(settings, members=members, months=months, end=end, seed=seed, fraud_share=fraud_share)


@claims.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--profile",
    type=click.Choice(["medicaid", "third_party"]),
    default="medicaid",
    show_default=True,
    help="third_party: a foreign extract (ICD-9, invalid NPIs, no charges) with its mappings.",
)
@click.option("--members", default=5_000, show_default=True)
@click.option("--months", default=48, show_default=True, help="Claim months to generate.")
@click.option("--end", type=Month(), default=None, help="Last claim month [default: the last complete month].")
@click.option("--seed", default=7, show_default=True)
@click.option(
    "--fraud-share", default=0.01, show_default=True, help="Planted frauds over medical claims; 0 plants none."
)
@with_settings
def generate(
    _: Settings,
    folder: Path,
    profile: Literal["medicaid", "third_party"],
    members: int,
    months: int,
    end: str | None,
    seed: int,
    fraud_share: float,
) -> None:
    """Write the landing files of a synthetic population to FOLDER, and run nothing."""
    from claims_assets.synthetic import generate as write

    end = end or _last_complete_month(datetime.now(UTC))
    size = {"members": members, "months": months, "end": end, "fraud_share": fraud_share}
    written = write(folder, **size, seed=seed, profile=profile, progress=click.echo)
    for feed, rows in written.rows.items():
        click.echo(f"{feed:<20} {rows:>10,} rows")


def _last_complete_month(today: datetime) -> str:
    from claims_assets.partitions import add_months

    return add_months(today.strftime("%Y-%m"), -1)


@claims.command()
@click.option("--from", "first", type=Month(), default=None, help="First claim month to build, up to date or not.")
@click.option("--to", "last", type=Month(), default=None, help="Last claim month to build, up to date or not.")
@click.option("--rebuild", is_flag=True, help="Build all claim months, up to date or not.")
@click.option("--select", default=None, help="Dagster asset selection, for example 'key:\"gold/member_features\"+'.")
@click.option("--reopen", metavar="REASON", default=None, help="Build closed months too, and keep the reason.")
@click.option(
    "--accept-quality", metavar="REASON", default=None, help="Build from months that trip the breaker; keep the reason."
)
@with_settings
def run(
    settings: Settings,
    first: str | None,
    last: str | None,
    rebuild: bool,
    select: str | None,
    reopen: str | None,
    accept_quality: str | None,
) -> None:
    """Stage new landing files, then materialize the tables and claim months whose inputs changed."""
    from claims_assets.cli.run import run_range

    run_range(settings, first, last, select, rebuild=rebuild, reopen=reopen, accept_quality=accept_quality)


@claims.group()
def providers() -> None:
    """The provider database."""


@providers.command("load")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--table", default="providers", show_default=True)
@with_settings
def load_providers(settings: Settings, file: Path, table: str) -> None:
    """Replace the provider table by the rows of a CSV file."""
    from claims_assets.sources.provider_database import load_csv
    from claims_assets.sources.provider_server import provider_database

    with provider_database(settings) as url:
        rows = load_csv(url, file, table)
    click.echo(f"{rows:,} providers loaded from {file.name} into table {table}.")


@claims.group()
def alerts() -> None:
    """Alerts and their channels."""


@alerts.command("test")
@with_settings
def test_alerts(settings: Settings) -> None:
    """Send one test message to each configured channel."""
    from claims_assets.automation.alerts.channels import Patience
    from claims_assets.cli.alerts import send_test

    send_test(settings.alerts, datetime.now(UTC), Patience())


@claims.group()
def monitor() -> None:
    """Drift, fairness and fraud, month by month."""


@monitor.command("report")
@click.option("--month", type=Month(), default=None, help="Claim month [default: the newest one].")
@click.option("--json", "as_json", is_flag=True, help="For a program.")
@with_settings
def report_monitoring(settings: Settings, month: str | None, as_json: bool) -> None:
    """Whether a month is like those before it, members are treated alike, and how claims were scored."""
    from claims_assets.cli.monitor import report

    report(settings, month, as_json=as_json)


@claims.group()
def models() -> None:
    """The registered risk models."""


@models.command("report")
@click.option("--month", type=Month(), default=None, help="Champions of this claim month [default: today's].")
@click.option("--json", "as_json", is_flag=True, help="For a program.")
@with_settings
def report_models(settings: Settings, month: str | None, as_json: bool) -> None:
    """Show each model's champion, how good it is beside simpler ways, and what the gate decided."""
    from claims_assets.cli.models import report

    report(settings, month, as_json=as_json)


@models.command("rollback")
@click.argument("model")
@click.option("--month", type=Month(), required=True, help="First claim month that the champion before scores again.")
@click.option("--reason", default="Taken back by command.", show_default=True, help="Kept with the decision.")
@with_settings
def rollback_model(settings: Settings, model: str, month: str, reason: str) -> None:
    """Make the champion before of MODEL champion again; months before --month keep the one they had."""
    from claims_assets.cli.models import rollback

    rollback(settings, model, month, reason, datetime.now(UTC))


@models.command("serve")
@click.argument("model")
@click.option("--port", default=5001, show_default=True)
@with_settings
def serve_model(settings: Settings, model: str, port: int) -> None:
    """Serve MODEL's champion over HTTP on this machine alone: POST /invocations, GET /ping."""
    from claims_assets.cli.models import serve

    serve(settings, model, port)


@claims.group()
def outreach() -> None:
    """The outreach list and its extracts."""


@outreach.command("explain")
@click.option("--month", type=Month(), required=True, help="As-of month of the list.")
@click.option("--json", "as_json", is_flag=True, help="For a program.")
@with_settings
def explain_outreach(settings: Settings, month: str, as_json: bool) -> None:
    """Show how the enrolled members of a month became its list: who is left out and why, contacts, rates by group."""
    from claims_assets.cli.outreach import explain

    explain(settings, month, as_json=as_json)


@outreach.command("extract")
@click.argument("name")
@click.option("--month", type=Month(), required=True, help="Claim month of the extract.")
@click.option(
    "--to", "target", type=click.Path(path_type=Path), required=True, help="New file, .csv or .parquet, mode 0600."
)
@click.option("--purpose", required=True, help="What the copy is for; kept in monitoring.audit_log.")
@with_settings
def extract_outreach(settings: Settings, name: str, month: str, target: Path, purpose: str) -> None:
    """Copy the extract NAME of a month to a file, and record who took it and what for."""
    from claims_assets.cli.extracts import hand_out

    hand_out(settings, name, month, target, purpose, datetime.now(UTC))


@claims.command()
@with_settings
def status(settings: Settings) -> None:
    """Show each table: months, rows kept and quarantined, and the outreach list by tier."""
    from claims_assets.cli.summary import print_summary

    print_summary(settings)


@claims.command()
@click.option(
    "--schema",
    "schemas",
    multiple=True,
    default=("bronze", "silver", "gold", "quarantine", "monitoring"),
    show_default=True,
    help="Schema to publish; may be given several times.",
)
@click.option("--tidy", is_flag=True, help="Also optimize and vacuum the lake.")
@click.option("--print", "only_print", is_flag=True, help="Print the statements, run none.")
@with_settings
def publish(settings: Settings, schemas: tuple[str, ...], tidy: bool, only_print: bool) -> None:
    """On Databricks: copy the lake's tables to their Unity Catalog names in CLAIMS_CATALOG."""
    from claims_assets.runtime.catalog.publish import cluster_sql
    from claims_assets.runtime.catalog.publish import publish as publish_tables

    run = (lambda statement: click.echo(f"{statement};")) if only_print else cluster_sql(settings)
    published = publish_tables(run, settings.lake, settings.catalog, schemas, tidy=tidy)
    click.echo(f"{'-- ' if only_print else ''}{len(published)} tables published.")


@claims.command()
@click.option("--port", default=3000, show_default=True)
@with_settings
def ui(settings: Settings, port: int) -> None:
    """Open the Dagster UI (webserver and daemon) on the state under CLAIMS_HOME."""
    from claims_assets.cli.instance import serve

    serve(settings, port)
