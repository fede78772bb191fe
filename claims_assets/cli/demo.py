"""The demo: a synthetic population through the whole graph."""

from claims_assets.cli.console import console_for
from claims_assets.cli.errors import NotDone
from claims_assets.cli.run import run_range
from claims_assets.partitions import add_months
from claims_assets.settings import Settings
from claims_assets.sources.provider_database import load_csv
from claims_assets.sources.provider_server import provider_database
from claims_assets.synthetic import generate


def run_demo(settings: Settings, *, members: int, months: int, end: str, seed: int, fraud_share: float) -> None:
    """Generate the landing files (once), load the providers, and run the months of the population."""
    console = console_for()
    first = add_months(end, 1 - months)
    if first < settings.start_month:
        raise NotDone(
            f"The population begins in {first}, before CLAIMS_START_MONTH={settings.start_month}:"
            f" set CLAIMS_START_MONTH={first}."
        )
    providers = settings.home / "providers.csv"
    console.print(
        f"Population of {members:,} members, {months} months to {end}, in {settings.landing}",
        style="bold",
        highlight=False,
    )
    generate(
        settings.landing,
        members=members,
        months=months,
        end=end,
        seed=seed,
        fraud_share=fraud_share,
        progress=lambda line: console.print(f"  {line}", highlight=False),
    )
    with provider_database(settings) as url:
        rows = load_csv(url, providers)
        console.print(f"  {rows:,} providers in PostgreSQL", highlight=False)
        run_range(settings, first, end, None)
