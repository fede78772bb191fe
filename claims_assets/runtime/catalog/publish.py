"""Put the lake's tables under their Unity Catalog names: `<catalog>.<schema>.<table>`.

The lake lies in a volume, on whose files no table can be defined, so each table is a deep clone: the service copies
only the files that changed since the last one. Keys and views stand in the SQL files beside this one.
Runs on a Databricks cluster alone: deep clones and primary keys are not in open-source Delta.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from string import Template

from claims_assets.runtime.spark import current_session
from claims_assets.setting_values import SettingError, plain_name
from claims_assets.settings import Settings

SQL = Path(__file__).parent
KEPT_HOURS = 168
"""History that stays readable after a vacuum: a week, Delta's default."""
NEEDS: dict[str, tuple[str, str]] = {
    "keys.sql": ("gold", "member_features"),
    "views.sql": ("silver", "members"),
}
"""File -> the published table that its statements speak of."""


def publish(
    run: Callable[[str], object], lake: Path, catalog: str | None, schemas: Sequence[str], *, tidy: bool
) -> list[str]:
    """Publish the tables of these schemas that the lake holds; the names published, in order.

    Args:
        run: executes one statement.
        tidy: also lay the lake's files in order and remove the old ones.

    Raises:
        SettingError: there is no catalog, a schema is no plain name, or the lake holds none of its tables.
    """
    if not catalog:
        raise SettingError("CLAIMS_CATALOG is not set: name the Unity Catalog catalog to publish to.")
    tables = tables_of(lake, schemas)
    for statement in statements(lake, catalog, tables, tidy=tidy):
        run(statement)
    return [f"{catalog}.{schema}.{table}" for schema, table in tables]


def cluster_sql(settings: Settings) -> Callable[[str], object]:
    """Executes a statement on the cluster of this process; elsewhere it raises a SettingError."""

    def run(statement: str) -> object:
        if not settings.on_cluster:
            raise SettingError("`claims publish` runs on a Databricks cluster: add --print to see its statements here.")
        return current_session().sql(statement)

    return run


def tables_of(lake: Path, schemas: Sequence[str]) -> list[tuple[str, str]]:
    """(schema, table) of the Delta tables that the lake holds in these schemas.

    Raises:
        SettingError: it holds none.
    """
    found = [
        (schema, log.parent.name)
        for schema in schemas
        if plain_name("--schema", schema)
        for log in sorted((lake / schema).glob("*/_delta_log"))
    ]
    if not found:
        raise SettingError(f"{lake} holds no table of schema {' or '.join(schemas)}: run the job that writes it first.")
    return found


def statements(lake: Path, catalog: str, tables: Sequence[tuple[str, str]], *, tidy: bool) -> Iterator[str]:
    """What is executed, in order: tidying, copies, then keys and views of what was copied."""
    if tidy:
        yield from _tidying(lake)
    for schema, table in tables:
        yield f"create or replace table {catalog}.{schema}.{table} deep clone {_stored(lake, schema, table)}"
    for file, needed in NEEDS.items():
        if needed in tables:
            yield from script(file, catalog=catalog)


def _tidying(lake: Path) -> Iterator[str]:
    """Only tables that exist: before the first scoring there are no predictions."""
    for statement in script("tidy.sql", lake=str(lake)):
        if Path(statement.split("`")[1], "_delta_log").exists():
            yield statement
    for log in sorted(lake.glob("*/*/_delta_log")):
        yield f"vacuum {_stored(lake, log.parent.parent.name, log.parent.name)} retain {KEPT_HOURS} hours"


def script(file: str, **names: str) -> list[str]:
    """The statements of an SQL file beside this module, with its names filled in and without its comments."""
    lines = (SQL / file).read_text().splitlines()
    text = "\n".join(line for line in lines if not line.startswith("--"))
    return [Template(s.strip()).substitute(names) for s in text.split(";") if s.strip()]


def _stored(lake: Path, schema: str, table: str) -> str:
    return f"delta.`{lake / schema / table}`"
