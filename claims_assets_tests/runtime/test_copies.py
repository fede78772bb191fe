"""Copies of a table under the names that a job's flags give."""

from dataclasses import replace

import pytest
from deltalake import DeltaTable, write_deltalake

from claims_assets import columns as c
from claims_assets.contracts import Contract
from claims_assets.runtime.catalog.copies import Target, clone_statement, copy, target_of
from claims_assets.runtime.lake import Lake, NeverWritten
from claims_assets.setting_values import SettingError
from claims_assets.settings import settings_from_environment

SOURCE = ("bronze", "providers")


class Providers(Contract):
    """Providers: one row per provider."""

    provider_id: str = c.required("Provider id.")
    specialty: str = c.optional("Specialty.")

    class Config:
        unique = ["provider_id"]


@pytest.fixture
def settings(tmp_path, engine):
    return settings_from_environment({"CLAIMS_HOME": str(tmp_path), "CLAIMS_ENGINE": engine})


@pytest.fixture
def filled(lake: Lake, rows):
    """A lake that holds two providers."""
    lake.write(rows(Providers, {"provider_id": "P1"}, {"provider_id": "P2"}), *SOURCE, Providers, None)
    return lake


@pytest.mark.parametrize(
    ("catalog", "schema", "table", "expected"),
    [
        (None, None, None, None),
        ("dev", None, None, None),
        ("dev", "claims", None, "dev.claims.providers"),
        (None, "claims", "people", "claims.people"),
        (None, None, "claims.people", "claims.people"),
        ("dev", None, "claims.people", "dev.claims.people"),
        (None, None, "dev.claims.people", "dev.claims.people"),
        (None, "bronze", "providers", None),
    ],
)
def test_flags_name_the_copy_and_what_is_left_out_is_that_of_the_table(settings, catalog, schema, table, expected):
    found = target_of(settings, SOURCE, catalog, schema, table)
    assert (found and str(found)) == expected


@pytest.mark.parametrize(
    ("catalog", "schema", "table", "sentence"),
    [
        (None, "gold", None, "gold is a schema of the project's own tables"),
        (None, None, "silver.members", "silver is a schema of the project's own tables"),
        (None, "bronze", "providers2", "bronze is a schema of the project's own tables"),
        (None, "a", "b.c", "names another schema than --schema=a"),
        ("x", None, "y.b.c", "names another catalog than --catalog=x"),
        (None, None, "a.b.c.d", "is no table: write table, schema.table or all three"),
        (None, None, "a..c", "is no table"),
        (None, "a; drop", None, "--schema='a; drop' is no plain name"),
        (None, "a", "b`c", "--output-table='b`c' is no plain name"),
    ],
)
def test_names_that_can_not_be_meant_are_refused(settings, catalog, schema, table, sentence):
    with pytest.raises(SettingError, match=sentence.replace("`", ".")):
        target_of(settings, SOURCE, catalog, schema, table)


def test_on_a_cluster_the_catalog_decides_and_one_is_needed(settings):
    cluster = replace(settings, on_cluster=True)
    with pytest.raises(SettingError, match="give --catalog, or set CLAIMS_CATALOG"):
        target_of(cluster, SOURCE, None, "claims", None)
    assert str(target_of(replace(cluster, catalog="claims_dev"), SOURCE, None, "a", None)) == "claims_dev.a.providers"
    assert str(target_of(cluster, SOURCE, "dev", None, None)) == "dev.bronze.providers"


def test_a_cluster_clones_the_table(lake):
    target = Target("dev", "claims", "people")
    assert clone_statement(lake, SOURCE, target) == (
        f"create or replace table dev.claims.people deep clone delta.`{lake.path(*SOURCE)}`"
    )


@pytest.mark.requirement("R33")
def test_a_copy_is_replaced_whole_and_has_the_columns_of_the_contract(settings, filled, rows):
    target = Target(None, "claims", "people")
    copy(settings, filled, Providers, SOURCE, target)
    where = copy(settings, filled, Providers, SOURCE, target)
    filled.write(rows(Providers, {"provider_id": "P3"}), *SOURCE, Providers, None)
    assert copy(settings, filled, Providers, SOURCE, target) == where == str(filled.path("claims", "people"))
    ours, theirs = (DeltaTable(str(filled.path(*t))).to_pyarrow_table() for t in (SOURCE, ("claims", "people")))
    assert theirs.column_names == ours.column_names
    assert theirs.to_pylist() == ours.to_pylist()
    assert [r["provider_id"] for r in theirs.to_pylist()] == ["P3"]


@pytest.mark.requirement("R33")
def test_a_column_that_the_contract_does_not_declare_is_refused_and_nothing_is_replaced(settings, filled):
    import pyarrow as pa

    target, theirs = Target(None, "claims", "people"), filled.path("claims", "people")
    write_deltalake(str(theirs), pa.table({"provider_id": ["X"], "surprise": [1]}))
    with pytest.raises(SettingError, match=r"holds columns that the contract does not declare \(surprise\)"):
        copy(settings, filled, Providers, SOURCE, target)
    assert DeltaTable(str(theirs)).to_pyarrow_table().to_pylist() == [{"provider_id": "X", "surprise": 1}]


@pytest.mark.requirement("R33")
def test_a_table_that_has_drifted_from_its_contract_is_not_copied(settings, lake):
    import pyarrow as pa

    write_deltalake(str(lake.path(*SOURCE)), pa.table({"provider_id": ["X"], "surprise": [1]}))
    with pytest.raises(
        SettingError, match=r"bronze\.providers holds columns that the contract does not declare \(surp"
    ):
        copy(settings, lake, Providers, SOURCE, Target(None, "claims", "people"))
    assert not lake.exists("claims", "people")


def test_what_was_never_written_can_not_be_copied(settings, lake):
    with pytest.raises(NeverWritten, match=r"bronze\.providers has never been written, so there is nothing to copy"):
        copy(settings, lake, Providers, SOURCE, Target(None, "claims", "people"))
