"""Which columns of which tables each column of a frame is made of, read from the frame's own plan.

A Spark Connect frame (Sail, or a Connect session) carries its unresolved plan; nothing runs to read it. Values only:
conditions of filters and joins, which decide about rows, are left out. Through a Python function every column that
comes out is made of every column that goes in. A classic Spark frame, whose plan lives in the JVM, tells nothing.
"""

import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from claims_assets.runtime.delta import stored_schema

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

log = logging.getLogger(__name__)

Sources = frozenset[tuple[str, str, str]]
"""Schema, table and column."""
Columns = dict[str, Sources]
"""Name -> what it is made of."""
NOTHING: Sources = frozenset()
NAMES_SHOWN = 6
WORD = re.compile(r"[A-Za-z_]\w*")
SAME_COLUMNS = (
    "filter", "sort", "limit", "offset", "tail", "sample", "deduplicate", "subquery_alias", "repartition",
    "repartition_by_expression", "hint", "fill_na", "drop_na", "replace", "to_schema", "with_watermark",
    "collect_metrics",
)  # fmt: skip
"""Relations whose columns are those of their one input."""


class UnknownRelation(NotImplementedError):
    """A kind of relation that nothing is known of here."""


def lineage(frame: "DataFrame", columns: Iterable[str]) -> dg.TableColumnLineage | None:
    """What these columns of the frame are made of; None where its plan can't be read."""
    plan = getattr(frame, "_plan", None)
    if plan is None:
        return None
    try:
        found = _Plan().columns(plan.to_proto(frame.sparkSession.client).root)
    except UnknownRelation:
        return None
    except Exception as error:  # noqa: BLE001  (another engine's plan may surprise; what is only shown fails no step)
        # Without the error's text, which may quote a literal of the plan.
        log.warning("Column lineage of a plan could not be read: %s.", type(error).__name__)
        return None
    deps = {
        name: [dg.TableColumnDep(dg.AssetKey([schema, table]), column) for schema, table, column in sorted(sources)]
        for name in columns
        if (sources := found.get(name))
    }
    return dg.TableColumnLineage(deps) if deps else None


def as_metadata(found: dg.TableColumnLineage | None) -> dict[str, Any]:
    """Metadata for Dagster+, and the same as a table for people: the open-source UI shows no column lineage."""
    if found is None:
        return {}
    lines = [f"| {column} | {_listed(deps)} |" for column, deps in found.deps_by_column.items()]
    table = "\n".join(["| column | is made of |", "|---|---|", *lines])
    return {"dagster/column_lineage": found, "column_lineage": dg.MetadataValue.md(table)}


def _listed(deps: Iterable[dg.TableColumnDep]) -> str:
    """Columns by table, some of many."""
    by_table: dict[str, list[str]] = {}
    for dep in deps:
        by_table.setdefault(".".join(dep.asset_key.path), []).append(dep.column_name)
    return "; ".join(
        f"{table}: {', '.join(names[:NAMES_SHOWN])}"
        + (f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else "")
        for table, names in by_table.items()
    )


class _Plan:
    """Columns of the relations of one plan; a relation that occurs twice is read once."""

    def __init__(self) -> None:
        self.known: dict[int, Columns] = {}

    def columns(self, relation: Any) -> Columns:
        kind = relation.WhichOneof("rel_type")
        number = relation.common.plan_id if relation.HasField("common") else None
        if number is None or number not in self.known:
            body = getattr(relation, kind)
            read = self.columns_of_input if kind in SAME_COLUMNS else getattr(self, f"_{kind}", None)
            if read is None:
                raise UnknownRelation(kind)
            found = read(body)
            if number is None:
                return found
            self.known[number] = found
        return self.known[number]

    def columns_of_input(self, body: Any) -> Columns:
        return self.columns(body.input)

    def _read(self, body: Any) -> Columns:
        path = Path(body.data_source.paths[0])
        schema, table = path.parts[-2:]
        return {n: frozenset({(schema, table, n)}) for n in stored_schema(path).names}

    def _local_relation(self, body: Any) -> Columns:
        """Rows that the code itself states: made of no table."""
        return {}

    _cached_local_relation = _chunked_cached_local_relation = _range = _local_relation

    def _project(self, body: Any) -> Columns:
        given = self.columns(body.input) if body.HasField("input") else {}
        return self._named(body.expressions, given)

    def _aggregate(self, body: Any) -> Columns:
        given = self.columns(body.input)
        return self._named([*body.grouping_expressions, *body.aggregate_expressions], given)

    def _with_columns(self, body: Any) -> Columns:
        given = self.columns(body.input)
        return given | {a.name[0]: self._made_of(a.expr, given) for a in body.aliases}

    def _with_columns_renamed(self, body: Any) -> Columns:
        new = {r.col_name: r.new_col_name for r in body.renames} | dict(body.rename_columns_map)
        return {new.get(n, n): sources for n, sources in self.columns(body.input).items()}

    def _drop(self, body: Any) -> Columns:
        dropped = {*body.column_names, *(c.unresolved_attribute.unparsed_identifier for c in body.columns)}
        return {n: sources for n, sources in self.columns(body.input).items() if n not in dropped}

    def _to_df(self, body: Any) -> Columns:
        given = self.columns(body.input)
        return dict(zip(body.column_names, given.values(), strict=True)) if given else {}

    def _join(self, body: Any) -> Columns:
        left, right = self.columns(body.left), self.columns(body.right)
        if body.join_type in (body.JOIN_TYPE_LEFT_SEMI, body.JOIN_TYPE_LEFT_ANTI):
            return left
        # Of a column that both sides have, `using` keeps one; else the reader drops or names one of them.
        return {n: left.get(n, NOTHING) | right.get(n, NOTHING) for n in {**left, **right}}

    def _set_op(self, body: Any) -> Columns:
        left, right = self.columns(body.left_input), self.columns(body.right_input)
        if body.set_op_type != body.SET_OP_TYPE_UNION:
            return left
        if not body.by_name and left and right:
            right = dict(zip(left, right.values(), strict=True))
        return {n: left.get(n, NOTHING) | right.get(n, NOTHING) for n in {**left, **right}}

    def _map_partitions(self, body: Any) -> Columns:
        return _through(body.func, self.columns(body.input))

    def _group_map(self, body: Any) -> Columns:
        return _through(body.func, self.columns(body.input))

    def _with_relations(self, body: Any) -> Columns:
        return self.columns(body.root)

    def _named(self, expressions: Iterable[Any], given: Columns) -> Columns:
        found: Columns = {}
        for expression in expressions:
            kind = expression.WhichOneof("expr_type")
            if kind == "unresolved_star":
                found |= given
            elif kind == "alias":
                found |= dict.fromkeys(expression.alias.name, self._made_of(expression, given))
            elif kind == "unresolved_attribute":
                found[_last(expression.unresolved_attribute.unparsed_identifier)] = self._made_of(expression, given)
        return found

    def _made_of(self, expression: Any, given: Columns) -> Sources:
        return frozenset().union(*(_resolved(name, given) for name in _names(expression)))


def _names(message: Any) -> Iterator[str]:
    """Names of all columns anywhere in an expression."""
    kind = message.DESCRIPTOR.name
    if kind == "UnresolvedAttribute":
        yield message.unparsed_identifier
    elif kind == "ExpressionString":
        yield from WORD.findall(message.expression)
    else:
        for field, value in message.ListFields():
            if field.message_type is not None and not field.message_type.GetOptions().map_entry:
                for part in value if field.is_repeated else [value]:
                    yield from _names(part)


def _resolved(name: str, given: Mapping[str, Sources]) -> Sources:
    """A column, or a field of one, or a column behind the name of its frame; else (a word of SQL) nothing."""
    plain = name.replace("`", "")
    for candidate in (plain, plain.split(".")[0], _last(plain)):
        if candidate in given:
            return given[candidate]
    return NOTHING


def _last(name: str) -> str:
    return name.replace("`", "").rpartition(".")[2]


def _through(function: Any, given: Columns) -> Columns:
    """Columns that a Python function returns: each is made of all that it was given."""
    everything = frozenset().union(*given.values())
    returned = function.python_udf.output_type
    if returned.WhichOneof("kind") == "struct":
        names = [f.name for f in returned.struct.fields]
    else:
        names = [part.split()[0].strip("`:") for part in _top_level(returned.unparsed.data_type_string)]
    return dict.fromkeys(names, everything)


def _top_level(ddl: str) -> list[str]:
    """The parts between the commas that stand in no brackets."""
    depth, parts = 0, [""]
    for letter in ddl.strip().removeprefix("struct<") if ddl.strip().startswith("struct<") else ddl:
        depth += (letter in "<(") - (letter in ">)")
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts if part.strip()]
