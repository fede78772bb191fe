"""Contract of a table: a Pandera model, compiled into everything else that states the table.

One `Contract` class gives the Delta and Arrow schema, the Dagster column schema, the grain and the rules. Rules become
Spark predicates that are evaluated in the one pass that stages the rows (`runtime/lake.py`). A Pandera check that has
no known predicate is an error here, so no rule is ever dropped in silence.
"""

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

import dagster as dg
import pandera.pyspark as pa
import pyspark.sql.types as T
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

if TYPE_CHECKING:
    import pyarrow

SEVERITIES = ("warn", "quarantine", "block")
DIMENSIONS = ("completeness", "validity", "consistency", "accuracy", "timeliness")
"""What a rule speaks of; each rule belongs to one. Their weights in a score are in `monitoring/quality.py`."""
REJECTED = "_rejected"
"""Column in which a transform names the rules for which it sets a row aside."""
GRAIN_IS_UNIQUE, ROW_IS_KNOWN_IN_TIME = "grain_is_unique", "row_is_known_in_time"
"""Rules that follow from a contract's grain, and from its columns `known_from` and `claim_month`."""


class Contract(pa.DataFrameModel):
    """Base of every table's contract; `Config.unique` is the grain, `Config.metadata["rules"]` the row rules."""


@dataclass(frozen=True)
class Rule:
    """One statement about a row; `violation` builds the Column that is true where the row breaks it."""

    name: str
    severity: str
    check: Any
    """Pandera check, SQL text, or one of the words 'present', 'readable', 'rejected', 'unique' and 'timely'."""
    column: str | None = None
    floating: bool = False
    dimension: str = "validity"
    about: tuple[str, ...] = ()
    """Columns that must hold a value for the rule to apply to a row; none: it applies to every row."""

    def violation(self) -> Column:
        """Never NULL: a value that is missing breaks only the rule that asks for presence."""
        if self.check == "present":
            return F.col(str(self.column)).isNull()
        kept = F.expr(self.check) if isinstance(self.check, str) else _predicate(self.check, F.col(str(self.column)))
        if self.floating:
            # Spark holds NaN to be larger than any number, so a lower bound alone would let it pass.
            kept = kept & ~F.isnan(str(self.column))
        return ~F.coalesce(kept, F.lit(True))

    @property
    def is_only_counted(self) -> bool:
        """Whether it is a statement about one value that changes nothing about the row: counted over the stage."""
        return self.severity == "warn" and not isinstance(self.check, str)

    def violation_sql(self) -> str:
        """`violation` in the SQL of DuckDB, of a rule that is only counted; NULL where the value is missing."""
        column = f'"{self.column}"'
        kept = _predicate_sql(self.check, column)
        return f"not ({kept} and not isnan({column}))" if self.floating else f"not ({kept})"


def rule(
    sql: str, severity: str = "quarantine", *, dimension: str = "consistency", about: Sequence[str] = ()
) -> dict[str, Any]:
    """A rule over several columns of one row, as SQL that is true (or NULL) for a good row.

    Args:
        severity: what breaking it does, one of SEVERITIES.
        dimension: what it speaks of, one of DIMENSIONS.
        about: columns that must hold a value for the rule to apply; a row without them is not counted as checked.
    """
    return {"check": sql, "severity": severity, "dimension": dimension, "about": tuple(about)}


def rejection(*, dimension: str = "accuracy", about: Sequence[str] = ()) -> dict[str, Any]:
    """A rule by which the transform itself sets rows aside (see `reject`), stated so that clean months count too."""
    return {"check": "rejected", "severity": "quarantine", "dimension": dimension, "about": tuple(about)}


def reject(frame: DataFrame, reasons: Mapping[str, Column]) -> DataFrame:
    """Mark the rows to set aside: rule name -> condition that is true for a bad row."""
    found = F.array_compact(
        F.array(*[F.when(F.coalesce(bad, F.lit(False)), F.lit(name)) for name, bad in reasons.items()])
    )
    earlier = F.col(REJECTED) if REJECTED in frame.columns else None
    return frame.withColumn(REJECTED, found if earlier is None else F.concat(earlier, found))


@dataclass(frozen=True)
class Compiled:
    """A contract ready for use; see `compiled`."""

    columns: dict[str, T.DataType]
    nullable: dict[str, bool]
    description: dict[str, str]
    unreadable: dict[str, str]
    """Column -> severity of a value that can't be read as the column's type."""
    grain: tuple[str, ...]
    rules: tuple[Rule, ...]
    """Rules with a predicate of their own, evaluated for every row."""
    counted: tuple[Rule, ...]
    """Rules that need none: readable values, expected values, the transform's rejections, grain, time."""

    def severity_of(self) -> dict[str, str]:
        """Rule name -> severity, for all rules."""
        return {r.name: r.severity for r in (*self.counted, *self.rules)}

    def spark_schema(self) -> T.StructType:
        return T.StructType([T.StructField(n, t, self.nullable[n]) for n, t in self.columns.items()])

    def arrow_schema(self) -> "pyarrow.Schema":
        import pyarrow

        fields = [pyarrow.field(n, _arrow_type(t), nullable=self.nullable[n]) for n, t in self.columns.items()]
        return pyarrow.schema(fields)

    def column_schema(self) -> dg.TableSchema:
        return dg.TableSchema(
            columns=[
                dg.TableColumn(
                    n,
                    t.simpleString(),
                    description=self.description[n],
                    constraints=dg.TableColumnConstraints(nullable=self.nullable[n]),
                )
                for n, t in self.columns.items()
            ]
        )


@cache
def compiled(model: type[Contract]) -> Compiled:
    """Compile a contract.

    Raises:
        NotImplementedError: a Pandera check has no predicate yet; the message names the check and this file.
        ValueError: a severity or dimension is not a legal one, or `about` names a column that does not exist.
    """
    schema = model.to_schema()
    columns = {n: c.dtype.type for n, c in schema.columns.items()}
    unreadable = {n: (c.metadata or {}).get("unreadable", "quarantine") for n, c in schema.columns.items()}
    stated = [*_value_rules(schema.columns), *_row_rules(model)]
    grain = tuple(schema.unique or ())
    counted = [*_counted_rules(schema.columns, unreadable, grain), *(r for r in stated if r.check == "rejected")]
    rules = [r for r in stated if r.check != "rejected"]
    for r in (*rules, *counted):
        _refuse_unusable(model.__name__, r, columns)
    return Compiled(
        columns=columns,
        nullable={n: bool(c.nullable) for n, c in schema.columns.items()},
        description={n: c.description or "" for n, c in schema.columns.items()},
        unreadable=unreadable,
        grain=grain,
        rules=tuple(rules),
        counted=tuple(counted),
    )


def _value_rules(columns: Mapping[str, Any]) -> list[Rule]:
    """Presence of what is required, and the checks of each column's values."""
    rules: list[Rule] = []
    for name, column in columns.items():
        if not column.nullable:
            rules.append(Rule(f"{name}_is_present", "quarantine", "present", name, dimension="completeness"))
        severity = (column.metadata or {}).get("severity", "quarantine")
        floating = isinstance(column.dtype.type, T.DoubleType)
        rules += [
            Rule(_rule_name(name, check), severity, check, name, floating, about=(name,)) for check in column.checks
        ]
    return rules


def _row_rules(model: type[Contract]) -> list[Rule]:
    # Pandera's Spark schema does not carry the model's metadata, its merged configuration does.
    options = (model.__config__.metadata if model.__config__ else None) or {}
    return [Rule(name, **spec) for name, spec in (options.get("rules") or {}).items()]


def _counted_rules(columns: Mapping[str, Any], unreadable: Mapping[str, str], grain: tuple[str, ...]) -> list[Rule]:
    """What is counted over the stage. A text can always be read, so only the other types have such a rule."""
    rules = [
        Rule(f"{n}_is_readable", unreadable[n], "readable", n, about=(n,))
        for n, c in columns.items()
        if not isinstance(c.dtype.type, T.StringType)
    ]
    expected = [n for n, c in columns.items() if c.nullable and (c.metadata or {}).get("expected")]
    rules += [Rule(f"{n}_is_present", "warn", "present", n, dimension="completeness") for n in expected]
    if grain:
        rules.append(Rule(GRAIN_IS_UNIQUE, "block", "unique", dimension="accuracy"))
    dates = ("known_from", "claim_month")
    if columns.keys() >= set(dates):
        rules.append(Rule(ROW_IS_KNOWN_IN_TIME, "warn", "timely", dimension="timeliness", about=dates))
    return rules


def _refuse_unusable(model: str, r: Rule, columns: Mapping[str, Any]) -> None:
    for what, value, legal in (("severity", r.severity, SEVERITIES), ("dimension", r.dimension, DIMENSIONS)):
        if value not in legal:
            raise ValueError(f"{model}.{r.name}: {what} {value!r} is not one of {', '.join(legal)}.")
    unknown = [n for n in r.about if n not in columns]
    if unknown:
        raise ValueError(f"{model}.{r.name}: `about` names {', '.join(unknown)}, which the contract has no column for.")
    if not isinstance(r.check, str) and r.check.name not in STATEMENTS:
        raise NotImplementedError(f"{model}.{r.name}: no predicate for it, add one in contracts.py.")


STATEMENTS = {
    "greater_than_or_equal_to": "is_at_least_{min_value}",
    "greater_than": "is_above_{min_value}",
    "less_than_or_equal_to": "is_at_most_{max_value}",
    "less_than": "is_below_{max_value}",
    "in_range": "is_in_range",
    "isin": "is_known",
    "notin": "is_not_a_placeholder",
    "str_matches": "is_well_formed",
    "str_length": "has_legal_length",
}
"""Pandera check -> the statement that names the rule; also the list of checks that can be compiled."""


def _rule_name(column: str, check: Any) -> str:
    statement = STATEMENTS.get(check.name or "", check.name or "check")
    return f"{column}_{statement.format(**(check.statistics or {}))}".replace("-", "minus_").replace(".", "_")


def _predicate(check: Any, c: Column) -> Column:
    """True where the value keeps the check, NULL where it is missing."""
    st = check.statistics
    match check.name:
        case "greater_than_or_equal_to":
            return c >= F.lit(st["min_value"])
        case "greater_than":
            return c > F.lit(st["min_value"])
        case "less_than_or_equal_to":
            return c <= F.lit(st["max_value"])
        case "less_than":
            return c < F.lit(st["max_value"])
        case "in_range":
            low = c >= F.lit(st["min_value"]) if st.get("include_min", True) else c > F.lit(st["min_value"])
            high = c <= F.lit(st["max_value"]) if st.get("include_max", True) else c < F.lit(st["max_value"])
            return low & high
        case "isin":
            return c.isin(*st["allowed_values"])
        case "notin":
            return ~c.isin(*st["forbidden_values"])
        case "str_matches":
            return c.rlike(_anchored(st["pattern"]))
        case "str_length":
            return _length(F.length(c), st)
    raise NotImplementedError(f"{check.name}: no predicate for it, add one in contracts.py.")


def _predicate_sql(check: Any, c: str) -> str:
    """`_predicate` in the SQL of DuckDB."""
    st = {name: _literal(value) for name, value in check.statistics.items()}
    match check.name:
        case "greater_than_or_equal_to":
            return f"{c} >= {st['min_value']}"
        case "greater_than":
            return f"{c} > {st['min_value']}"
        case "less_than_or_equal_to":
            return f"{c} <= {st['max_value']}"
        case "less_than":
            return f"{c} < {st['max_value']}"
        case "in_range":
            low = ">=" if check.statistics.get("include_min", True) else ">"
            high = "<=" if check.statistics.get("include_max", True) else "<"
            return f"({c} {low} {st['min_value']} and {c} {high} {st['max_value']})"
        case "isin":
            return f"{c} in {st['allowed_values']}"
        case "notin":
            return f"{c} not in {st['forbidden_values']}"
        case "str_matches":
            return f"regexp_matches({c}, {_literal(_anchored(check.statistics['pattern']))})"
        case "str_length":
            bounds = {"min_value": ">=", "max_value": "<="}
            return " and ".join(
                f"length({c}) {sign} {st[n]}" for n, sign in bounds.items() if check.statistics.get(n) is not None
            )
    raise NotImplementedError(f"{check.name}: no predicate for it, add one in contracts.py.")


def _literal(value: Any) -> str:
    """A value of a check in SQL."""
    match value:
        case str():
            return "'" + value.replace("'", "''") + "'"
        case bool() | int() | float() | Decimal():
            return str(value)
        case dt.date():
            return f"{'timestamp' if isinstance(value, dt.datetime) else 'date'} '{value}'"
        case Iterable():
            return f"({', '.join(map(_literal, value))})"
    return "null"


def _anchored(pattern: "str | re.Pattern[str]") -> str:
    """A pattern that begins where the value does."""
    text = pattern.pattern if isinstance(pattern, re.Pattern) else pattern
    return text if text.startswith("^") else f"^(?:{text})"


def _length(length: Column, st: Mapping[str, Any]) -> Column:
    low, high = st.get("min_value"), st.get("max_value")
    bounds = ([length >= low] if low is not None else []) + ([length <= high] if high is not None else [])
    return bounds[0] if len(bounds) == 1 else bounds[0] & bounds[1]


def _arrow_type(t: T.DataType) -> "pyarrow.DataType":
    import pyarrow

    match t:
        case T.DecimalType():
            return pyarrow.decimal128(t.precision, t.scale)
        case T.ArrayType():
            return pyarrow.list_(_arrow_type(t.elementType))
    simple = {
        "string": pyarrow.string(),
        "int": pyarrow.int32(),
        "bigint": pyarrow.int64(),
        "double": pyarrow.float64(),
        "boolean": pyarrow.bool_(),
        "date": pyarrow.date32(),
        "timestamp": pyarrow.timestamp("us", tz="UTC"),
    }
    if t.simpleString() not in simple:
        raise NotImplementedError(f"{t.simpleString()}: no Arrow type for it, add one in contracts.py.")
    return simple[t.simpleString()]
