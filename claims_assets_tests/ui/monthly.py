"""Which tables a backfill of months alone can build, on tables without months that landing files alone make."""

from functools import cache

from claims_assets.definitions import tables
from claims_assets.table import Table

DATA = ("bronze", "silver", "gold")


@cache
def monthly() -> list[str]:
    """`schema/name` of the tables by month, of models and of tables without months that need months left out."""
    return sorted(_key(t) for t in _tables().values() if t.partitioned and t.schema in DATA and _is_plain(t))


@cache
def monthless() -> list[str]:
    """`schema/name` of the tables without months that no month is needed for."""
    return sorted(_key(t) for t in _tables().values() if not t.partitioned and t.schema in DATA and _is_plain(t))


@cache
def _tables() -> dict[str, Table]:
    return {t.full_name: t for t in tables()}


def _is_plain(table: Table) -> bool:
    """Made of landing files through tables like itself; without months only of such as have none."""
    found = [_tables()[name] for i in table.inputs if (name := f"{i.schema}.{i.name}") in _tables()]
    return not table.deps and all(_is_plain(t) and (table.partitioned or not t.partitioned) for t in found)


def _key(table: Table) -> str:
    return f"{table.schema}/{table.name}"
