"""Laws over the whole graph: every table keeps them, also one that is added tomorrow."""

import re
from pathlib import Path

import dagster as dg
import pytest

from claims_assets.contracts import compiled
from claims_assets.definitions import assets, build, tables
from claims_assets.layers import LAYERS
from claims_assets.monitoring.results import CHECKS
from claims_assets.settings import settings_from_environment

PACKAGE = Path(__file__).resolve().parents[1] / "claims_assets"
FLOW = list(LAYERS)
TABLES = tables()
GRAPH = build().resolve_asset_graph()
KEYS = sorted(GRAPH.get_all_asset_keys(), key=lambda k: k.to_user_string())


def named(items):
    return [
        pytest.param(i, id=i.to_user_string() if isinstance(i, dg.AssetKey) else f"{i.schema}.{i.name}") for i in items
    ]


@pytest.mark.parametrize("table", named(TABLES))
def test_key_file_and_function_are_the_table_name(table):
    module = table.function.__module__.split(".")
    assert table.asset.key == dg.AssetKey([LAYERS[module[1]].schema, module[2]])
    assert table.name == module[2]


@pytest.mark.parametrize("table", named(TABLES))
def test_the_contract_is_the_table_in_camel_case_and_says_its_grain(table):
    camel = "".join(word.capitalize() for word in table.name.split("_"))
    assert table.contract.__name__ == camel
    contract = compiled(table.contract)
    assert contract.grain, "a table states its grain"
    assert set(contract.grain) <= contract.columns.keys()
    assert re.search(r"one row per ", table.contract.__doc__ or ""), "the docstring says what a row is"


@pytest.mark.parametrize("table", named(TABLES))
def test_every_column_is_described(table):
    described = compiled(table.contract).description
    assert [n for n, text in described.items() if not text] == []


@pytest.mark.parametrize("table", named(TABLES))
def test_a_partitioned_table_carries_its_month(table):
    columns = compiled(table.contract).columns
    assert ("claim_month" in columns) or not table.partitioned
    assert (table.asset.partitions_def is not None) == table.partitioned


@pytest.mark.parametrize("table", named(TABLES))
def test_dependencies_point_back_in_the_flow(table):
    own = FLOW.index(table.layer.folder)
    for key in table.asset.asset_deps[table.asset.key]:
        folder = GRAPH.get(key).group_name
        assert FLOW.index(folder) <= own, f"{key.to_user_string()} lies after {table.name} in the flow"


@pytest.mark.parametrize("table", named(TABLES))
def test_every_table_has_the_three_checks_and_they_can_block(table):
    specs = {s.name: s.blocking for s in table.asset.check_specs}
    assert specs == dict.fromkeys(CHECKS, True)


@pytest.mark.parametrize("key", named([k for k in KEYS if GRAPH.get(k).is_materializable]))
def test_every_asset_links_to_the_file_that_makes_it(key):
    (reference,) = GRAPH.get(key).metadata["dagster/code_references"].code_references
    text = Path(reference.file_path).read_text().splitlines()
    assert Path(reference.file_path).is_relative_to(PACKAGE)
    name = key.path[-1]
    if any(t.asset.key == key for t in TABLES):
        assert text[reference.line_number - 1].startswith("@table(")
        assert any(line.startswith(f"def {name}(") for line in text[reference.line_number :])
    else:
        assert name in "\n".join(text)


@pytest.mark.parametrize("key", named(KEYS))
def test_every_asset_has_owner_description_group_and_phi_tag(key):
    node = GRAPH.get(key)
    assert node.owners
    assert node.description
    assert node.group_name in LAYERS
    assert node.tags.get("phi") in ("restricted", "identified", "limited", "none")


@pytest.mark.requirement("R16")
@pytest.mark.parametrize("key", named([k for k in KEYS if GRAPH.get(k).is_materializable]))
def test_every_built_asset_has_a_freshness_policy(key):
    assert GRAPH.get(key).freshness_policy is not None


def test_names_are_unique_in_their_schema():
    names = [(t.schema, t.name) for t in TABLES]
    assert len(names) == len(set(names))


def test_every_dependency_exists_in_the_graph():
    unknown = {d for key in KEYS for d in GRAPH.get(key).parent_keys} - set(KEYS)
    assert unknown == set()


def test_the_graph_is_the_same_in_every_environment(tmp_path):
    def shape(**environ):
        settings = settings_from_environment({"CLAIMS_HOME": str(tmp_path), **environ})
        graph = build(settings).resolve_asset_graph()
        return {
            k.to_user_string(): sorted(p.to_user_string() for p in graph.get(k).parent_keys)
            for k in graph.get_all_asset_keys()
        }

    assert shape(CLAIMS_ENV="local") == shape(CLAIMS_ENV="staging") == shape(CLAIMS_ENV="production")


def test_building_the_definitions_touches_no_disk(tmp_path):
    build(settings_from_environment({"CLAIMS_HOME": str(tmp_path / "home")}))
    assert not (tmp_path / "home").exists()


def test_every_module_says_what_it_is():
    silent = [
        p.relative_to(PACKAGE).as_posix() for p in PACKAGE.rglob("*.py") if not p.read_text().lstrip().startswith('"""')
    ]
    assert silent == []


def test_every_layer_folder_has_a_table_or_asset():
    groups = {a.group_names_by_key[a.key] if isinstance(a, dg.AssetsDefinition) else a.group_name for a in assets()}
    assert groups == set(LAYERS)
