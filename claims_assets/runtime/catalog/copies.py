"""A copy of one table of the lake under a name that a job's flags give: `--catalog --schema --output-table`.

On a Databricks cluster a deep clone `<catalog>.<schema>.<table>`; elsewhere there are no catalogs, and the copy is a
Delta table of that schema in the lake. A copy is replaced whole and has the columns of the contract: a table with any
other column is left alone, and said so, where merging schemas would hide it. Elsewhere: the project's own tables under
their own names (`publish.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from claims_assets.contracts import Contract, compiled
from claims_assets.layers import SCHEMAS
from claims_assets.runtime.delta import stored_schema
from claims_assets.runtime.lake import QUARANTINE, Lake, NeverWritten
from claims_assets.runtime.spark import current_session
from claims_assets.setting_values import SettingError, plain_name
from claims_assets.settings import Settings

OWN = {*SCHEMAS, QUARANTINE, "models"}
"""Schemas of the project, in which a copy would stand beside, or replace, what others build on."""
MOST_PARTS = 3


@dataclass(frozen=True)
class Target:
    """Where a copy goes."""

    catalog: str | None
    schema: str
    table: str

    def __str__(self) -> str:
        return ".".join(part for part in (self.catalog, self.schema, self.table) if part)


def target_of(
    settings: Settings, source: tuple[str, str], catalog: str | None, schema: str | None, output_table: str | None
) -> Target | None:
    """The target that the flags name, or None where they name none or the table itself.

    Args:
        source: schema and name of the table that is copied; what is not given is taken from it.
        output_table: `table`, `schema.table` or `catalog.schema.table`.

    Raises:
        SettingError: a name is no plain name, names contradict each other, or belong to the project's own tables.
    """
    if not (catalog or schema or output_table):
        return None
    parts = (output_table or source[1]).split(".")
    if len(parts) > MOST_PARTS or not all(parts):
        raise SettingError(
            f"--output-table={output_table!r} is no table: write table, schema.table or all three names."
        )
    named: dict[str, str] = dict(zip(("table", "schema", "catalog"), reversed(parts), strict=False))
    for flag, given in (("catalog", catalog), ("schema", schema)):
        if given and named.setdefault(flag, given) != given:
            raise SettingError(
                f"--output-table={output_table} names another {flag} than --{flag}={given}: leave one out."
            )
    for flag, name in named.items():
        plain_name("--output-table" if flag == "table" else f"--{flag}", name)
    target = Target(named.get("catalog") or settings.catalog, named.get("schema", source[0]), named["table"])
    return _usable(settings, source, target)


def _usable(settings: Settings, source: tuple[str, str], target: Target) -> Target | None:
    itself = (target.schema, target.table) == source
    if target.schema in OWN and not itself:
        raise SettingError(
            f"{target.schema} is a schema of the project's own tables, which a copy must not replace: give another"
            " --schema."
        )
    if settings.on_cluster and not target.catalog:
        raise SettingError("A copy on Databricks needs a catalog: give --catalog, or set CLAIMS_CATALOG.")
    return None if itself and not settings.on_cluster else target


def copy(settings: Settings, lake: Lake, contract: type[Contract], source: tuple[str, str], target: Target) -> str:
    """Replace the target by what the source table holds now; where it is, for people.

    Raises:
        NeverWritten: the source table does not exist.
        SettingError: source or target hold columns that the contract does not declare.
    """
    if not lake.exists(*source):
        raise NeverWritten(f"{'.'.join(source)} has never been written, so there is nothing to copy to {target}.")
    declared = list(compiled(contract).columns)
    refuse_undeclared(".".join(source), stored_schema(lake.path(*source)).names, declared)
    if settings.on_cluster:
        return _cloned(lake, source, target, declared)
    path = lake.path(target.schema, target.table)
    if lake.exists(target.schema, target.table):
        refuse_undeclared(str(path), stored_schema(path).names, declared)
    _written(settings, lake, contract, source, target)
    return str(path)


def refuse_undeclared(name: str, stored: Sequence[str], declared: Sequence[str]) -> None:
    """A table with other columns than the contract's is somebody else's, or has drifted.

    Raises:
        SettingError: it is; the columns are named.
    """
    other = sorted(set(stored) - set(declared))
    if other:
        raise SettingError(
            f"{name} holds columns that the contract does not declare ({', '.join(other)}): give another"
            " --output-table, or remove that table."
        )


def _written(settings: Settings, lake: Lake, contract: type[Contract], source: tuple[str, str], target: Target) -> None:
    from claims_assets.runtime.spark import spark_for

    frame = lake.read(spark_for(settings).spark_session, *source)
    blocked = lake.write(frame, target.schema, target.table, contract, None).blocked
    if blocked:
        raise SettingError(f"{'.'.join(source)} was not copied to {target}: {' '.join(blocked)}")


def _cloned(lake: Lake, source: tuple[str, str], target: Target, declared: Sequence[str]) -> str:
    session = current_session()
    if session.catalog.tableExists(str(target)):
        refuse_undeclared(str(target), session.table(str(target)).columns, declared)
    session.sql(clone_statement(lake, source, target))
    return str(target)


def clone_statement(lake: Lake, source: tuple[str, str], target: Target) -> str:
    """What a cluster executes."""
    return f"create or replace table {target} deep clone delta.`{lake.path(*source)}`"
