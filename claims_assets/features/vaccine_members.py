"""What is known of each member when vaccines are judged: months, dose evidence and days of conditions, in one row.

Here: how tables become the types that decide. Elsewhere: the decision (`vaccine_months.py`, `vaccine_status.py`).
"""

from collections.abc import Callable, Iterable, Iterator
from functools import partial, reduce
from operator import add
from typing import TYPE_CHECKING, Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from claims_assets.features.as_of import as_of_number
from claims_assets.features.vaccine_doses import Evidence
from claims_assets.features.vaccine_months import NEVER, ConditionDay, Known, Member, Month
from claims_assets.features.vaccine_schedule import member_flags
from claims_assets.partitions import month_index
from claims_assets.silver.immunization_evidence import EVIDENCE

if TYPE_CHECKING:
    import pyarrow

MEMBERS_AT_ONCE = 1_000
"""Members whose rows are held in memory together."""
Rows = Callable[[Member], Iterable[tuple[Any, ...]]]
"""The rows of one member, in the order of their columns."""


def vaccine_members(
    member_months: DataFrame, conditions: DataFrame, evidence: DataFrame, condition_days: DataFrame
) -> DataFrame:
    """One row per member, birth date and sex of the given months: `months`, and all `doses` and condition `days`."""
    return (
        _people(member_months, conditions, evidence)
        .join(_doses(evidence), "member_id", "left")
        .join(_days(condition_days), "member_id", "left")
    )


def for_each_member(members: DataFrame, rows: Rows, columns: str) -> DataFrame:
    """What `rows` says of each member of `vaccine_members`; `columns`: names and types, as `name string, day date`."""
    return members.mapInArrow(partial(_batches, rows=rows, columns=columns), columns)


def month_text(number: Column) -> Column:
    """The claim month of a month's number."""
    year, of_year = F.floor(number / 12), number % 12 + 1
    return F.concat_ws("-", F.lpad(year.cast("string"), 4, "0"), F.lpad(of_year.cast("string"), 2, "0"))


def _people(member_months: DataFrame, conditions: DataFrame, evidence: DataFrame) -> DataFrame:
    """One row per member, birth date and sex, with its months: the flags that hold as bits, and since when a dose would
    be seen. The two hardly ever change, and a correction must not touch the months before it.
    """
    key = ["member_id", "claim_month"]
    claims_from = evidence.agg(F.min(F.to_date(F.concat("claims_from", F.lit("-01")))).alias("_claims_from"))
    flags = conditions.select(*key, _bits().alias("_flags"))
    seen = F.when(F.col("_claims_from").isNotNull(), F.greatest("enrolled_since", "_claims_from"))
    month = F.struct(as_of_number().alias("index"), F.coalesce("_flags", F.lit(0)).alias("flags"), seen.alias("seen"))
    return (
        member_months.where(F.col("birth_date").isNotNull())
        .select(*key, "birth_date", "gender", "enrolled_since")
        .join(flags, key, "left")
        .crossJoin(claims_from)
        .groupBy("member_id", "birth_date", "gender")
        .agg(F.collect_list(month).alias("months"))
    )


def _bits() -> Column:
    """The flags that a rule names, as one number."""
    return reduce(add, [F.when(F.col(name), 1 << n).otherwise(0) for n, name in enumerate(member_flags())])


def _doses(evidence: DataFrame) -> DataFrame:
    piece = F.struct(
        "vaccine", "administered_date", "product", "evidence", "is_administration_only", "source_id", "standing",
        "first_month", "cancelled_on",
    )  # fmt: skip
    return evidence.groupBy("member_id").agg(F.collect_list(piece).alias("doses"))


def _days(condition_days: DataFrame) -> DataFrame:
    day = F.struct("condition", "service_date", "is_inpatient", "first_month", "last_month")
    return condition_days.groupBy("member_id").agg(F.collect_list(day).alias("days"))


def member_of(who: dict[str, Any]) -> Member:
    """A row of `vaccine_members` as the types that decide."""
    months = [Month(m["index"], _flags(m["flags"]), m["seen"]) for m in who["months"]]
    doses = [_known(d) for d in who["doses"] or ()]
    days = [
        ConditionDay(
            d["condition"],
            d["service_date"],
            d["is_inpatient"],
            month_index(d["first_month"]),
            month_index(d["last_month"]) + 1 if d["last_month"] else NEVER,
        )
        for d in who["days"] or ()
    ]
    return Member(who["member_id"], who["birth_date"], who["gender"], months, doses, days)


def _known(d: dict[str, Any]) -> Known:
    piece = Evidence(
        day=d["administered_date"],
        product=d["product"],
        source_id=d["source_id"],
        weak=d["is_administration_only"],
        rank=EVIDENCE.index(d["evidence"]),
        standing=d["standing"],
    )
    end = month_index(d["cancelled_on"]) if d["cancelled_on"] else NEVER
    return Known(d["vaccine"], piece, month_index(d["first_month"]), end)


def _flags(bits: int) -> frozenset[str]:
    return frozenset(name for n, name in enumerate(member_flags()) if bits >> n & 1) if bits else frozenset()


def _batches(batches: "Iterator[pyarrow.RecordBatch]", rows: Rows, columns: str) -> "Iterator[pyarrow.RecordBatch]":
    import pyarrow as pa

    kinds = {
        "string": pa.string(),
        "int": pa.int32(),
        "date": pa.date32(),
        "boolean": pa.bool_(),
        "array<string>": pa.list_(pa.string()),
        "array<int>": pa.list_(pa.int32()),
    }
    schema = pa.schema([(name, kinds[kind]) for name, kind in (c.split() for c in columns.split(","))])
    for batch in batches:
        for start in range(0, batch.num_rows, MEMBERS_AT_ONCE):
            members = map(member_of, batch.slice(start, MEMBERS_AT_ONCE).to_pylist())
            found = [row for member in members for row in rows(member)]
            arrays = [pa.array([row[n] for row in found], field.type) for n, field in enumerate(schema)]
            yield pa.RecordBatch.from_arrays(arrays, schema=schema)
