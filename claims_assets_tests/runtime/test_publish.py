"""Publishing to Unity Catalog: which statements, in which order; the views run on a real Delta table."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from deltalake import write_deltalake

from claims_assets.cli.main import claims
from claims_assets.contracts import compiled
from claims_assets.definitions import tables
from claims_assets.features.member_features import MemberFeatures
from claims_assets.runtime.catalog.publish import NEEDS, SQL, cluster_sql, publish, script, statements, tables_of
from claims_assets.settings import SettingError, settings_from_environment
from claims_assets.silver.members import Members

MEMBERS = {"gender": "F", "race": "Unknown", "ethnicity": "Unknown", "birth_date": "1980-01-01"}
CONTRACTS = {t.full_name: compiled(t.contract) for t in tables()}


def store(lake: Path, *names: str) -> Path:
    """A lake with an empty log for each of these tables."""
    for name in names:
        (lake / name.replace(".", "/") / "_delta_log").mkdir(parents=True)
    return lake


@pytest.fixture
def catalog(spark):
    """The engine's own catalog, with the schemas of the views."""
    for schema in ("silver", "healthcare_data"):
        spark.sql(f"create database if not exists {schema}")
    yield spark.sql("select current_catalog()").collect()[0][0]
    for view in ("dim_patients", "silver_patients"):
        spark.sql(f"drop view if exists healthcare_data.{view}")
    spark.sql("drop table if exists silver.members")


@pytest.fixture
def patients(spark, catalog, rows, tmp_path):
    """Member A has moved, member B has not; the views lie on the Delta table, as they are shipped."""
    frame = rows(
        Members,
        MEMBERS | {"member_id": "A", "zip_code": "10001", "effective_from": "2024-01-01", "effective_to": "2024-06-01"}
        | {"is_current_record": "false"},
        MEMBERS | {"member_id": "A", "zip_code": "10002", "effective_from": "2024-06-01", "is_current_record": "true"},
        MEMBERS | {"member_id": "B", "zip_code": "10003", "effective_from": "2024-01-01", "is_current_record": "true"},
    )  # fmt: skip
    write_deltalake(str(tmp_path / "members"), frame.toArrow())
    spark.sql(f"create table silver.members using delta location '{tmp_path / 'members'}'")
    for statement in script("views.sql", catalog=catalog):
        spark.sql(statement)
    return f"{catalog}.healthcare_data"


@pytest.mark.requirement("R19")
def test_patients_are_the_members_as_they_stand(spark, patients):
    # The query is that of teams who have it already, but for the name of the catalog.
    found = spark.sql(f"SELECT * FROM {patients}.silver_patients LIMIT 5").collect()
    assert {(r.patient_natural_key, r.member_id, r.zip_code) for r in found} == {
        ("A", "A", "10002"),
        ("B", "B", "10003"),
    }


@pytest.mark.requirement("R19")
def test_patients_over_time_are_the_versions_of_members(spark, patients):
    whole = spark.sql(f"SELECT * FROM {patients}.dim_patients")
    assert whole.columns == ["patient_natural_key", *compiled(Members).columns]
    assert {(r.member_id, str(r.effective_from)) for r in whole.collect()} == {
        ("A", "2024-01-01"),
        ("A", "2024-06-01"),
        ("B", "2024-01-01"),
    }
    current = spark.sql(f"SELECT * FROM {patients}.dim_patients WHERE is_current_record = True LIMIT 5").collect()
    assert {(r.member_id, r.zip_code) for r in current} == {("A", "10002"), ("B", "10003")}


def test_patients_lack_no_column_but_those_of_versions(spark, patients):
    of_versions = {"effective_from", "effective_to", "is_current_record"}
    wanted = [c for c in compiled(Members).columns if c not in of_versions]
    assert spark.sql(f"select * from {patients}.silver_patients").columns == ["patient_natural_key", *wanted]


def test_tables_are_copied_before_keys_and_views_are_laid_on_them(tmp_path):
    lake = store(tmp_path, "silver.members", "gold.member_features", "bronze.providers")
    done = []
    published = publish(done.append, lake, "claims_dev", ["silver", "gold"], tidy=False)
    assert published == ["claims_dev.silver.members", "claims_dev.gold.member_features"]
    copies = [f"create or replace table {n} deep clone delta.`{lake}/{n[11:].replace('.', '/')}`" for n in published]
    assert done[:2] == copies
    assert done[2:] == [s for file in NEEDS for s in script(file, catalog="claims_dev")]


def test_nothing_is_laid_on_a_table_that_was_not_copied(tmp_path):
    lake = store(tmp_path, "bronze.providers")
    (only,) = statements(lake, "claims_dev", tables_of(lake, ["bronze"]), tidy=False)
    assert only.startswith("create or replace table claims_dev.bronze.providers deep clone")


def test_tidying_comes_first_and_only_where_there_is_a_table(tmp_path):
    lake = store(tmp_path, "silver.medical_claims", "bronze.providers")
    found = list(statements(lake, "claims_dev", [("bronze", "providers")], tidy=True))
    assert found == [
        f"optimize delta.`{lake}/silver/medical_claims` zorder by (member_id, claim_date)",
        f"vacuum delta.`{lake}/bronze/providers` retain 168 hours",
        f"vacuum delta.`{lake}/silver/medical_claims` retain 168 hours",
        f"create or replace table claims_dev.bronze.providers deep clone delta.`{lake}/bronze/providers`",
    ]


def test_the_tables_that_the_statements_name_have_the_columns_they_name():
    tidied = re.findall(r"/(\w+)/(\w+)` zorder by \((.*?)\)", (SQL / "tidy.sql").read_text())
    assert len(tidied) == 5
    for schema, table, columns in tidied:
        assert set(columns.split(", ")) <= CONTRACTS[f"{schema}.{table}"].columns.keys()
    assert {".".join(needed) for needed in NEEDS.values()} <= CONTRACTS.keys()


def test_the_key_of_the_feature_table_is_its_grain():
    *required, _, key = script("keys.sql", catalog="claims_dev")
    columns = MemberFeatures.Config.unique
    assert key.endswith(f"primary key ({', '.join(columns)})")
    assert [s.split(" alter column ")[1] for s in required] == [f"{c} set not null" for c in columns]
    assert all(s.startswith("alter table claims_dev.gold.member_features ") for s in (*required, key))


@pytest.mark.parametrize(
    ("catalog", "schemas", "message"),
    [
        (None, ["bronze"], "CLAIMS_CATALOG is not set: name the Unity Catalog catalog to publish to"),
        ("claims_dev", ["gold`; drop"], "--schema='gold`; drop' is no plain name: use letters, digits and underscores"),
        ("claims_dev", ["silver", "gold"], "holds no table of schema silver or gold: run the job that writes it first"),
    ],
)
def test_what_cannot_be_published_is_told_before_anything_runs(tmp_path, catalog, schemas, message):
    done = []
    with pytest.raises(SettingError, match=message):
        publish(done.append, store(tmp_path, "bronze.providers"), catalog, schemas, tidy=True)
    assert done == []


def test_statements_run_on_a_cluster_alone():
    with pytest.raises(SettingError, match="`claims publish` runs on a Databricks cluster: add --print to see"):
        cluster_sql(settings_from_environment({}))("select 1")


def test_the_command_prints_what_a_cluster_would_run(tmp_path):
    store(tmp_path / "lake", "silver.members")
    environment = {"CLAIMS_HOME": str(tmp_path), "CLAIMS_CATALOG": "claims_dev"}
    printed = CliRunner().invoke(claims, ["publish", "--print", "--schema", "silver"], env=environment)
    assert printed.exit_code == 0
    assert printed.output.startswith("create or replace table claims_dev.silver.members deep clone")
    assert printed.output.endswith("-- 1 tables published.\n")


def test_the_engine_tidies_a_lake(spark, engine, rows, tmp_path):
    if engine != "spark":
        pytest.skip("OPTIMIZE and VACUUM are Delta's own commands for Spark: --engine spark")
    path = tmp_path / "gold" / "member_features"
    frame = spark.createDataFrame([("B", "2024-01"), ("A", "2024-01")], "member_id string, claim_month string")
    for _ in range(2):
        frame.write.format("delta").mode("append").partitionBy("claim_month").save(str(path))
    for statement in statements(tmp_path, "claims_dev", [], tidy=True):
        spark.sql(statement)
    operations = [r.operation for r in spark.sql(f"describe history delta.`{path}`").collect()]
    assert operations[:3] == ["VACUUM END", "VACUUM START", "OPTIMIZE"]
