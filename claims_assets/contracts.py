"""Contract of a table: a Pandera model, compiled into everything else that states the table.

One `Contract` class gives the Delta and Arrow schema, the Dagster column schema, the grain and the rules. Rules become
Spark predicates that are evaluated in the one pass that stages the rows (`runtime/lake.py`). A Pandera check that has
no known predicate is an error here, so no rule is ever dropped in silence.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
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
REJECTED = "_rejected"
"""Column in which a transform names the rules for which it sets a row aside."""


class Contract(pa.DataFrameModel):
    """Base of every table's contract; `Config.unique` is the grain, `Config.metadata["rules"]` the row rules."""


@dataclass(frozen=True)
class Rule:
    """One statement about a row; `violation` builds the Column that is true where the row breaks it."""

    name: str
    severity: str
    check: Any
    """Pandera check, SQL text, or one of the two words 'present' and 'readable'."""
    column: str | None = None
    floating: bool = False

    def violation(self) -> Column:
        """Never NULL: a value that is missing breaks only the rule that asks for presence."""
        if self.check == "present":
            return F.col(str(self.column)).isNull()
        kept = F.expr(self.check) if isinstance(self.check, str) else _predicate(self.check, F.col(str(self.column)))
        if self.floating:
            # Spark holds NaN to be larger than any number, so a lower bound alone would let it pass.
            kept = kept & ~F.isnan(str(self.column))
        return ~F.coalesce(kept, F.lit(True))


def rule(sql: str, severity: str = "quarantine") -> dict[str, str]:
    """A rule over several columns of one row, as SQL that is true (or NULL) for a good row."""
    return {"sql": sql, "severity": severity}


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

    def severity_of(self) -> dict[str, str]:
        """Rule name -> severity, for all rules including the readability of each column."""
        readable = {f"{n}_is_readable": s for n, s in self.unreadable.items()}
        return readable | {r.name: r.severity for r in self.rules}

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
        ValueError: a severity is not one of SEVERITIES.
    """
    schema = model.to_schema()
    rules: list[Rule] = []
    for name, column in schema.columns.items():
        if not column.nullable:
            rules.append(Rule(f"{name}_is_present", "quarantine", "present", name))
        severity = (column.metadata or {}).get("severity", "quarantine")
        floating = isinstance(column.dtype.type, T.DoubleType)
        rules += [Rule(_rule_name(name, check), severity, check, name, floating) for check in column.checks]
    # Pandera's Spark schema does not carry the model's metadata, its merged configuration does.
    options = model.__config__.metadata if model.__config__ else None
    for name, spec in ((options or {}).get("rules") or {}).items():
        rules.append(Rule(name, spec["severity"], spec["sql"]))
    for r in rules:
        if r.severity not in SEVERITIES:
            raise ValueError(
                f"{model.__name__}.{r.name}: severity {r.severity!r} is not one of {', '.join(SEVERITIES)}."
            )
        if not isinstance(r.check, str) and r.check.name not in STATEMENTS:
            raise NotImplementedError(f"{model.__name__}.{r.name}: no predicate for it, add one in contracts.py.")
    return Compiled(
        columns={n: c.dtype.type for n, c in schema.columns.items()},
        nullable={n: bool(c.nullable) for n, c in schema.columns.items()},
        description={n: c.description or "" for n, c in schema.columns.items()},
        unreadable={n: (c.metadata or {}).get("unreadable", "quarantine") for n, c in schema.columns.items()},
        grain=tuple(schema.unique or ()),
        rules=tuple(rules),
    )


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
            pattern = st["pattern"].pattern if isinstance(st["pattern"], re.Pattern) else st["pattern"]
            return c.rlike(pattern if pattern.startswith("^") else f"^(?:{pattern})")
        case "str_length":
            return _length(F.length(c), st)
    raise NotImplementedError(f"{check.name}: no predicate for it, add one in contracts.py.")


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
