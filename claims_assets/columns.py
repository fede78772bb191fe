"""Columns that several tables share: same meaning, same name, same rule.

Each function returns a Pandera field. `severity` says what a broken value rule does: `warn` counts the row and keeps
it, `quarantine` sets it aside, `block` stops the commit. A missing required value always goes to
quarantine; a value that can't be read as the column's type goes to quarantine when the column is required or an
amount, else it warns and becomes NULL (the text stays in the landing stage).
"""

from typing import Annotated, Any

import pandera.pyspark as pa
import pyspark.sql.types as T

Date = T.DateType
Count = T.LongType
Whole = T.IntegerType
Number = T.DoubleType
Money = Annotated[T.DecimalType, 12, 2]
"""One amount of one line, USD."""
Total = Annotated[T.DecimalType, 18, 2]
"""A sum of amounts, USD."""
Quantity = Annotated[T.DecimalType, 12, 3]
Words = Annotated[T.ArrayType, T.StringType(), True]
"""A list of texts."""

MONTH_PATTERN = r"^\d{4}-(0[1-9]|1[0-2])$"


def field(
    description: str,
    *,
    nullable: bool = True,
    severity: str = "warn",
    unreadable: str | None = None,
    expected: bool = False,
    **checks: Any,
):
    """A Pandera field with a severity for its value checks and one for unreadable values.

    `expected`: may be missing, but a good feed fills it; the share that is filled counts in the quality score.
    """
    unreadable = unreadable or ("warn" if nullable else "quarantine")
    metadata = {"severity": severity, "unreadable": unreadable, "expected": expected}
    return pa.Field(nullable=nullable, description=description, metadata=metadata, **checks)


def required(description: str, **checks: Any):
    """A value without which the row can't be used."""
    return field(description, nullable=False, severity=checks.pop("severity", "quarantine"), **checks)


def optional(description: str, **checks: Any):
    """A value that may be missing; with `expected=True` one that a good feed fills."""
    return field(description, **checks)


def claim_month():
    return required("Claim month, YYYY-MM: the month of service, or the as-of month.", str_matches=MONTH_PATTERN)


def claim_id():
    return required("Claim id as the payer wrote it.")


def member_id():
    return required("Member id as the plan wrote it.")


def claim_line_number():
    return required("Line of the claim, from 1.", ge=1)


def known_from():
    return required(
        "Month in which the row became known: received, else paid, else service month.", str_matches=MONTH_PATTERN
    )


def source_file():
    return required("Landing file, relative to the landing folder, that brought the row.")


def source_line():
    return required("Line (CSV) or record number (Avro, Parquet) in the file.")


def received_month():
    return optional("Month the file was received, where the mapping says how to tell.", str_matches=MONTH_PATTERN)


def month(description: str):
    return optional(description, str_matches=MONTH_PATTERN)


def amount(description: str, **checks: Any):
    """US dollars; negative amounts are how some payers write reversals, so they are not refused."""
    return field(description, unreadable="quarantine", **checks)


def count(description: str):
    """A number of things, never missing."""
    return required(description, ge=0)


def flag(description: str):
    """True or false, never missing."""
    return required(description)


def share(description: str):
    """A number between 0 and 1."""
    return required(description, in_range={"min_value": 0.0, "max_value": 1.0})
