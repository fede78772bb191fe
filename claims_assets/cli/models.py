"""What is known of the registered models, on a terminal or for a program; taking a champion back; serving one.

Here: the commands `claims models ...`. Elsewhere: what is known (`models/registered.py`), the registry
(`runtime/tracking.py`), the record (`monitoring/model_decisions.py`), the server (`serving.py`).
"""

import getpass
import json
import socket
from datetime import datetime

import click
from rich.console import Console
from rich.padding import Padding
from rich.table import Table as Grid

from claims_assets.cli.console import console_for
from claims_assets.cli.errors import NotDone
from claims_assets.cli.instance import alone
from claims_assets.models.measured import shown, with_interval
from claims_assets.models.registered import MODELS, Known, known_of
from claims_assets.monitoring import model_decisions
from claims_assets.monitoring.model_decisions import Decision
from claims_assets.runtime.resources import lake_for, tracking_for
from claims_assets.runtime.spark import spark_for
from claims_assets.runtime.tracking import Tracking
from claims_assets.settings import Settings

NOTHING = (
    "No model is registered under {home} yet: `claims run` trains at quarter ends once the lake holds enough months;"
    " `claims run --select 'group:models' --from <month> --to <month>` trains as of one month, or says what it lacks."
)
STYLES = {"champion": "green", "candidate": "yellow", "refused": "red"}


def report(settings: Settings, month: str | None, *, as_json: bool) -> None:
    """Print each model: champion, measures beside the rule and the sources' algorithm, the last decision."""
    tracking, lake = registry_of(settings), lake_for(settings)
    found = [known_of(model, tracking, lake, month) for model in MODELS]
    if as_json:
        click.echo(json.dumps([k.as_json() for k in found if k.version], indent=1))
        return
    console = console_for()
    if not any(k.version for k in found):
        when = f" as of {month}" if month else ""
        console.print(NOTHING.format(home=f"{settings.home}{when}"), highlight=False, markup=False, soft_wrap=True)
        return
    for known in found:
        _print(known, console)


def rollback(settings: Settings, name: str, month: str, reason: str, now: datetime) -> None:
    """Make the champion before champion again from a month on, and record who asked and why.

    Raises:
        NotDone: no such model, or no reason.
        NoWayBack: there is no champion to go back to.
    """
    if not reason.strip():
        raise NotDone("A reason must say something: it is kept in monitoring.model_decisions.")
    tracking = registry_of(settings)
    tracking.way_back(model_named(name), month)  # what is refused leaves no trace
    with alone(settings):
        before, after = tracking.way_back(name, month)
        if settings.engine == "spark":
            _ = spark_for(settings).spark_session  # it writes the record
        decision = model_decisions.rolled_back(
            name, month, before, after, reason=reason, actor=getpass.getuser(), decided_at=now
        )
        # First the record: a command that was stopped in between can be given again, and goes back no further.
        model_decisions.record(lake_for(settings), [decision])
        tracking.rollback(name, month)
    click.echo(
        f"Version {after} of {name} is champion again from {month} on, in place of version {before}. Predictions stay"
        f" as they are; score again with `claims run --select 'key:\"gold/member_risk_predictions\"' --from {month}`."
    )


def serve(settings: Settings, name: str, port: int) -> None:
    """Serve the champion of a model until this process is asked to end.

    Raises:
        NotDone: no such model, no champion, or the port is taken.
    """
    tracking = registry_of(settings)
    champion = tracking.champion(model_named(name))
    if champion is None:
        raise NotDone(f"{name} has no champion to serve: `claims models report` shows what there is.")
    _refuse_taken(port)
    from claims_assets.cli.serving import LOOPBACK, SCORE_PATH
    from claims_assets.cli.serving import serve as serve_folder

    click.echo(
        f"Version {champion.version} of {name}: POST http://{LOOPBACK}:{port}{SCORE_PATH}, GET /ping. Ctrl-C ends."
    )
    serve_folder(tracking.folder(name, champion.version), port)


def _refuse_taken(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise NotDone(f"Port {port} is taken or not allowed: give another with --port.") from error


def model_named(name: str) -> str:
    """The name, if it is that of a model.

    Raises:
        NotDone: it is not.
    """
    names = [m.name for m in MODELS]
    if name not in names:
        raise NotDone(f"There is no model {name!r}: give one of {', '.join(names)}.")
    return name


def registry_of(settings: Settings) -> Tracking:
    """The registry, with the values of the variables that it is configured by."""
    return tracking_for(settings).process_config_and_initialize()


def _print(known: Known, console: Console) -> None:
    style = STYLES.get(known.status, "bold")
    console.print(f"\n[bold]{known.model}[/bold]  [{style}]{known.status}[/{style}]", highlight=False)
    if known.version:
        console.print(Padding(_about(known), (0, 0, 0, 2)), highlight=False)
        console.print(Padding(_measures(known), (0, 0, 0, 2)))
    if known.decision:
        for line in _decided(known.decision):
            console.print(Padding(line, (0, 0, 0, 2)), highlight=False, markup=False)


def _about(known: Known) -> str:
    reign = f", champion since {known.champion_from}" if known.champion_from else ""
    until = f" until {known.champion_until}" if known.champion_until else ""
    tested = f"; tested on {known.test_members} members of index month {known.test_index}" if known.test_index else ""
    return f"version {known.version}, trained as of {known.as_of_month or 'an unknown month'}{reign}{until}{tested}"


def _measures(known: Known) -> Grid:
    grid = Grid(header_style="bold", box=None, pad_edge=False)
    for name in ("measure", "model (95 % interval)", "last year's value", "sources' algorithm"):
        grid.add_column(name, justify="left" if name == "measure" else "right")
    for m in known.measures:
        grid.add_row(m.name, with_interval(m), shown(m.rule), shown(m.source_algorithm))
    return grid


def _decided(decision: Decision) -> list[str]:
    version = f" version {decision.challenger}" if decision.challenger else ""
    who = f"{decision.actor}, {decision.claim_month}"
    lines = [f"decision: {decision.decision.replace('_', ' ')}{version} ({who})"]
    return lines + [f"- {reason}" for reason in decision.reasons]
