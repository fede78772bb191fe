"""The commands `claims job ...`, for schedulers that run a job by its command line: each is a thin shell.

Here: the flags. Elsewhere: what each job does (`fraud_jobs.py`), what goes around it (`run_job.py`). Flags and
names are those of the job wrappers of the public project sandeshregmi/claims-autoencoder.
"""

from collections.abc import Callable
from typing import Any

import click

from claims_assets.cli.options import Month, with_settings
from claims_assets.settings import Settings

ENVIRONMENTS = {
    "dev": "local",
    "local": "local",
    "staging": "staging",
    "prod": "production",
    "production": "production",
}
"""Word of the flag (targets of a Databricks bundle, or our own) -> CLAIMS_ENV."""


@click.group()
def job() -> None:
    """Jobs one by one, with flags, for a scheduler: they run the same assets as `claims run`, and fail when it fails.

    Without --schema or --output-table the result is where `claims run` leaves it; with them it is copied there too.
    """


def _flags(command: Callable[..., None]) -> Callable[..., None]:
    """Flags of every job."""
    for option in (
        click.option("--output-table", metavar="NAME", help="Also copy the result to this table."),
        click.option("--schema", metavar="NAME", help="Schema of the copy."),
        click.option("--catalog", metavar="NAME", help="Unity Catalog catalog of the copy, on Databricks."),
        click.option(
            "--environment", type=click.Choice(list(ENVIRONMENTS)), help="Refuse to run where CLAIMS_ENV is another."
        ),
    ):
        command = option(command)
    return command


_of_month = click.option("--month", type=Month(), default=None, help="Claim month [default: the newest one].")


def _run(settings: Settings, name: str, **flags: Any) -> None:
    from claims_assets.cli.fraud_jobs import Flags
    from claims_assets.cli.run_job import run_job

    environment = flags.pop("environment")
    run_job(settings, name, Flags(environment=ENVIRONMENTS.get(environment), **flags))


@job.command()
@_flags
@with_settings
def ingest(settings: Settings, **flags: Any) -> None:
    """Stage new landing files, and build bronze and silver. The result is silver.medical_claims."""
    _run(settings, "ingest", **flags)


@job.command()
@click.option("--model-type", type=click.Choice(["xgboost", "catboost"]), required=True, help="Algorithm to fit.")
@click.option("--experiment-name", metavar="NAME", help="MLflow experiment [default: that of the project].")
@click.option("--run-name", metavar="NAME", help="Name of the MLflow run [default: model and month].")
@_of_month
@_flags
@with_settings
def train(settings: Settings, **flags: Any) -> None:
    """Train the fraud model as of a month and score with it. The result is gold.fraud_scores_<model type>."""
    _run(settings, "train", **flags)


@job.command()
@_flags
@with_settings
def score(settings: Settings, **flags: Any) -> None:
    """Score the claims that are new, and list the cases. The result is gold.claim_fraud_scores."""
    _run(settings, "score", **flags)


@job.command()
@_flags
@with_settings
def monitor(settings: Settings, **flags: Any) -> None:
    """Measure drift, fairness and performance. The result is monitoring.psi_results."""
    _run(settings, "monitor", **flags)


@job.command("fairness-validate")
@click.option(
    "--protected-attributes",
    metavar="A,B",
    default="gender,race,ethnicity",
    show_default=True,
    help="Attributes by which flag rates are compared.",
)
@click.option(
    "--threshold-percentile",
    type=click.FloatRange(50, 100, max_open=True),
    default=95.0,
    show_default=True,
    help="A claim above it counts as flagged.",
)
@_of_month
@_flags
@with_settings
def fairness_validate(settings: Settings, **flags: Any) -> None:
    """Compare flag rates by group; bias, or too little to tell, is a failure. Result: monitoring.fairness_results."""
    _run(settings, "fairness-validate", **flags)
