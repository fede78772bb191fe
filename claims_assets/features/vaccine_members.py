"""What is known of each member when vaccines are judged: months, dose evidence and days of conditions, in one row.

Here: how tables become the types that decide. Elsewhere: the decision (`vaccine_months.py`, `vaccine_status.py`).
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from functools import cache, partial, reduce
from itertools import islice
from operator import add
from typing import TYPE_CHECKING, Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from claims_assets.features.as_of import as_of_number
from claims_assets.features.vaccine_doses import Evidence
from claims_assets.features.vaccine_months import NEVER, ConditionDay, Known, Member, Month
from claims_assets.features.vaccine_schedule import member_flags
from claims_assets.partitions import month_index, month_of_index
from claims_assets.silver.immunization_evidence import EVIDENCE

if TYPE_CHECKING:
    import pyarrow

MEMBERS_AT_ONCE = 250
"""Members whose rows are held in memory together: of four years about 100,000."""
Rows = Callable[[Sequence[Member]], "pyarrow.RecordBatch"]
"""The rows of some members."""


def vaccine_members(
    member_months: DataFrame, conditions: DataFrame, evidence: DataFrame, condition_days: DataFrame
) -> DataFrame:
    """One row per member, birth date and sex of the given months: `months`, and all `doses` and condition `days`."""
    return (
        _people(member_months, conditions, evidence)
        .join(_doses(evidence), "member_id", "left")
        .join(_days(condition_days), "member_id", "left")
    )


def for_each_member(members: DataFrame, table: Rows, columns: str) -> DataFrame:
    """What `table` says of the members of `vaccine_members`; `columns`: names and types, as `name string, day date`."""
    return members.mapInArrow(partial(_batches, table=table), columns)


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


def members_of(rows: "pyarrow.RecordBatch") -> Iterator[Member]:
    """Rows of `vaccine_members` as the types that decide."""
    months = _lists(rows.column("months"), lambda index, flags, seen: Month(index, _flags(flags), seen))
    doses, days = _lists(rows.column("doses"), _known), _lists(rows.column("days"), _day)
    who = (rows.column(name).to_pylist() for name in ("member_id", "birth_date", "gender"))
    return map(Member, *who, months, doses, days)


def _lists(column: "pyarrow.ListArray", made: Callable[..., Any]) -> Iterator[list[Any]]:
    """Each row's structs as what is made of their fields; none for a row without a list."""
    values = column.flatten()
    made_of_all = map(made, *(field.to_pylist() for field in values.flatten()))
    for length in column.value_lengths().to_pylist():
        yield list(islice(made_of_all, length or 0))


def _known(
    vaccine: str,
    day: date,
    product: str,
    evidence: str,
    weak: bool,
    source_id: str,
    standing: str,
    first_month: str,
    cancelled_on: str | None,
) -> Known:
    """The fields of a dose, in the order of `_doses`."""
    piece = Evidence(day, product, source_id, weak, EVIDENCE.index(evidence), standing)
    return Known(vaccine, piece, month_index(first_month), month_index(cancelled_on) if cancelled_on else NEVER)


def _day(condition: str, day: date, is_inpatient: bool, first_month: str, last_month: str | None) -> ConditionDay:
    """The fields of a condition's day, in the order of `_days`."""
    end = month_index(last_month) + 1 if last_month else NEVER
    return ConditionDay(condition, day, is_inpatient, month_index(first_month), end)


@cache
def _flags(bits: int) -> frozenset[str]:
    return frozenset(name for n, name in enumerate(member_flags()) if bits >> n & 1) if bits else frozenset()


def _batches(batches: "Iterator[pyarrow.RecordBatch]", table: Rows) -> "Iterator[pyarrow.RecordBatch]":
    for batch in batches:
        for start in range(0, batch.num_rows, MEMBERS_AT_ONCE):
            yield table(list(members_of(batch.slice(start, MEMBERS_AT_ONCE))))


def month_texts(numbers: Sequence[int]) -> "pyarrow.Array":
    """The claim months of months' numbers."""
    import numpy as np
    import pyarrow as pa

    different, places = np.unique(np.asarray(numbers, dtype=np.int64), return_inverse=True)
    return pa.array(map(month_of_index, different.tolist()), pa.string()).take(pa.array(places))


def arrow_type(kind: str) -> "pyarrow.DataType":
    """Arrow's type for one of Spark's."""
    import pyarrow as pa

    types = {"string": pa.string(), "int": pa.int32(), "date": pa.date32(), "boolean": pa.bool_()}
    of_items = kind.removeprefix("array<").removesuffix(">")
    return pa.list_(types[of_items]) if kind != of_items else types[kind]
