"""What is advertised exists: the tables that the README promises are in the graph, and each has a test of its own."""

import ast
import re

import pytest

from claims_assets.definitions import build, tables
from claims_assets_tests.requirements import DOCUMENT, TESTS

README = DOCUMENT.parents[1] / "README.md"
SCHEMAS = ("bronze", "silver", "gold", "monitoring")


def promised() -> set[str]:
    """`schema.table` of the README's table of tables; the row of the sources names a schema, not a table."""
    section = README.read_text(encoding="utf-8").split("## What you get")[1].split("\n\n")[1]
    found, schema = set(), ""
    for line in section.splitlines()[2:]:
        _, layer, names, *_ = (cell.strip() for cell in line.split("|"))
        schema = layer or schema
        found |= {f"{schema}.{name}" for name in re.findall(r"`(\w+)`", names)}
    return found


def imported_by_tests() -> set[str]:
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in TESTS.rglob("test_*.py")]
    return {node.module or "" for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}


@pytest.mark.requirement("R3")
def test_every_promised_table_is_in_the_graph():
    names = promised()
    assert {name.split(".")[0] for name in names} >= set(SCHEMAS)
    assert names - {".".join(key.path) for key in build().resolve_asset_graph().get_all_asset_keys()} == set()


@pytest.mark.requirement("R3")
def test_every_table_is_called_by_a_test():
    assert {t.function.__module__ for t in tables()} - imported_by_tests() == set()
