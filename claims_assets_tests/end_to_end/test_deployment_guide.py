"""The guide's queries on the engine, over a finished lake, and its commands against what there is."""

import json
import re
import subprocess

import pytest
import yaml

from claims_assets.cli.main import claims
from claims_assets.runtime.catalog.publish import script, tables_of
from claims_assets_tests.deployment.bundle import ROOT, raw, resolved

GUIDE = (ROOT / "docs" / "deployment.md").read_text()
VALIDATION = GUIDE.partition("## 6. Check what is there")[2].partition("\n## 7.")[0]
SCHEMAS = ("bronze", "silver", "gold", "monitoring")
VIEWS = ("dim_patients", "silver_patients")


def statements(text):
    """The statements of the SQL blocks, without comments."""
    blocks = "\n".join(re.findall(r"```sql\n(.*?)```", text, re.DOTALL))
    bare = "\n".join(line for line in blocks.splitlines() if not line.startswith("--"))
    return [s.strip() for s in bare.split(";") if s.strip()]


QUERIES = [s for s in statements(VALIDATION) if not s.startswith("use catalog")]
ZERO = [q for q in QUERIES if " as repeated" in q or " as lacking" in q]


@pytest.fixture(scope="module")
def published(demo, spark):
    """The demo's tables under their names, and the views on them."""
    for schema in (*SCHEMAS, "healthcare_data"):
        spark.sql(f"create database if not exists {schema}")
    for schema, table in tables_of(demo.lake, SCHEMAS):
        location = demo.lake / schema / table
        spark.sql(f"create table if not exists {schema}.{table} using delta location '{location}'")
    catalog = spark.sql("select current_catalog()").collect()[0][0]
    for statement in script("views.sql", catalog=catalog):
        spark.sql(statement)
    yield spark
    for view in VIEWS:
        spark.sql(f"drop view healthcare_data.{view}")
    spark.sql("drop table silver.members")


@pytest.mark.requirement("R19")
@pytest.mark.parametrize("query", QUERIES, ids=range(len(QUERIES)))
def test_a_query_of_the_guide_runs_and_finds_rows(published, query):
    assert published.sql(query).collect()


@pytest.mark.requirement("R19")
@pytest.mark.requirement("R34")
@pytest.mark.parametrize("query", ZERO, ids=range(len(ZERO)))
def test_what_the_guide_says_is_zero_is_zero(published, query):
    assert [tuple(row) for row in published.sql(query).collect()] == [(0,)]


def test_the_guide_has_queries_of_both_kinds():
    assert (len(QUERIES), len(ZERO)) == (11, 5)


@pytest.mark.requirement("R19")
@pytest.mark.parametrize("alert", sorted(raw()["resources"]["alerts"]))
def test_the_query_of_an_alert_runs_and_gives_its_one_number(published, alert):
    stated = resolved("prod")["resources"]["alerts"][alert]
    (row,) = published.sql(stated["query_text"].replace("claims_prod.", "")).collect()
    assert row.asDict().keys() == {stated["evaluation"]["source"]["name"]}
    assert row[0] is not None


def blocks():
    """The shell blocks, with a word where a reader puts one."""
    return [re.sub(r"<[a-z][^<>\n]*>", "x", b) for b in re.findall(r"```bash\n(.*?)```", GUIDE, re.DOTALL)]


@pytest.mark.parametrize("block", blocks(), ids=range(len(blocks())))
def test_a_block_of_commands_is_one_that_a_shell_can_read(block):
    assert subprocess.run(["bash", "-n"], input=block, capture_output=True, text=True, check=False).stderr == ""


def test_the_trust_of_the_role_on_aws_is_json():
    (block,) = (b for b in blocks() if "trust() {" in b)
    defined = block[block.index("trust() {") :].partition("\naws iam")[0]
    role = '\\"arn:aws:iam::1:role/r\\"'
    program = f'{defined}\ntrust 0000 "$MASTER, {role}"'
    (stated,) = json.loads(subprocess.run(["bash", "-c", program], check=True, capture_output=True).stdout)["Statement"]
    assert stated["Principal"]["AWS"][1] == "arn:aws:iam::1:role/r"
    assert stated["Condition"] == {"StringEquals": {"sts:ExternalId": "0000"}}


def test_jobs_variables_and_commands_of_the_guide_exist():
    jobs = re.findall(r"^\| `(\w+)` \| (?:daily|Sunday|on )", GUIDE, re.MULTILINE)
    assert jobs == list(raw()["resources"]["jobs"])
    used = set(re.findall(r"BUNDLE_VAR_(\w+)", GUIDE))
    of_serving = yaml.safe_load((ROOT / "deploy" / "serving" / "databricks.yml").read_text())["variables"]
    assert used <= raw()["variables"].keys() | of_serving.keys()
    without_default = {n for n, v in raw()["variables"].items() if "default" not in v}
    of_targets = raw()["targets"]["prod"]["variables"].keys()
    assert without_default - of_targets <= used
    assert set(re.findall(r"`claims (\w+)", GUIDE)) <= claims.commands.keys()
