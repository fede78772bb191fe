"""A small population in which the past predicts the future, as Delta tables: who is frail goes to emergency rooms.

Frail members carry a diagnosis of heart failure twice a year, go to an emergency room four times a year on average
(others: 0.8 times), and are admitted now and then. So last year's visits are a fair rule, and the diagnosis beats it.
"""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
from deltalake import write_deltalake

from claims_assets.contracts import compiled
from claims_assets.features.member_features import MemberFeatures
from claims_assets.partitions import add_months, months_between
from claims_assets.runtime.lake import Lake
from claims_assets.silver.claim_versions import ClaimVersions
from claims_assets.silver.member_months import MemberMonths
from claims_assets_tests.features.made import made_features

FIRST, LAST = "2022-01", "2025-03"
TRAINABLE = "2025-06"
"""The first training month of claims that begin in FIRST; it reads service up to LAST."""
TRAIN_INDEX, TEST_INDEX = "2022-12", "2024-03"
MEMBERS = 400
FRAIL = 0.35


def write_population(spark, folder, members: int = MEMBERS) -> Lake:
    """Claims and member months of all months, features of the two index months."""
    lake = Lake(root=str(folder))
    write(lake, "silver", "claim_versions", ClaimVersions, list(claims(members)))
    write(lake, "silver", "member_months", MemberMonths, list(enrolment(members)))
    indexes = [TRAIN_INDEX, TEST_INDEX]
    year = [m for i in indexes for m in months_between(add_months(i, -11), i)]
    lines = lake.read(spark, "silver", "claim_versions", year)
    frame = made_features(lines, lake.read(spark, "silver", "member_months", indexes), indexes)
    assert not lake.write(frame, "gold", "member_features", MemberFeatures, indexes).blocked
    return lake


def write(lake: Lake, schema: str, table: str, model, rows: list[dict[str, Any]], mode: Any = "overwrite") -> None:
    """Rows in the contract's columns; what a row leaves out is NULL."""
    content = pa.Table.from_pylist(rows, schema=compiled(model).arrow_schema())
    write_deltalake(str(lake.path(schema, table)), content, mode=mode, partition_by=["claim_month"])


def is_frail(member: int) -> bool:
    return member % 100 < FRAIL * 100


def claims(members: int) -> Iterator[dict[str, Any]]:
    rng = np.random.default_rng(7)
    months = months_between(FIRST, LAST)
    for member in range(members):
        frail = is_frail(member)
        for number, month in enumerate(months):
            if number % 6 == 0:
                yield line(member, month, 2, "OP", 90, "I509" if frail else "J069")
            for visit in range(rng.poisson((4.0 if frail else 0.8) / 12)):
                yield line(member, month, 10 + visit, "ER", int(rng.integers(300, 1500)))
            if rng.random() < (0.06 if frail else 0.005):
                yield line(member, month, 20, "IP", int(rng.integers(10_000, 30_000)), "I509" if frail else "J189")


def line(
    member: int, month: str, day: int, kind: str, paid: int, diagnosis: str = "R070", **given: Any
) -> dict[str, Any]:
    """A paid medical line, known in its own month."""
    claim = given.get("claim_id", f"{member}-{month}-{day}")
    return {
        "claim_feed": "medical", "claim_id": claim, "root_claim_id": claim, "claim_line_number": 1, "version_number": 1,
        "member_id": f"M{member:04d}", "claim_month": month, "known_from": month,
        "claim_date": date(int(month[:4]), int(month[5:]), day),
        "service_from_date": date(int(month[:4]), int(month[5:]), day),
        "adjustment_indicator": "0", "claim_type": kind, "claim_status": "PAID", "paid_amount": Decimal(paid),
        "diagnosis_code_1": diagnosis, "source_file": "claims.csv", "source_line": 1,
    } | given  # fmt: skip


def enrolment(members: int) -> Iterator[dict[str, Any]]:
    for month in months_between(FIRST, LAST):
        for member in range(members):
            yield {
                "member_id": f"M{member:04d}", "claim_month": month, "age": 20 + member % 50, "age_group": "18-44",
                "gender": "FM"[member % 2], "race": "Unknown", "ethnicity": "Unknown", "dual_eligible": None,
                "ltss_indicator": member % 7 == 0, "enrolled_days": 28, "days_in_month": 28, "enrolled_share": 1.0,
                "enrolled_since": date(2021, 7, 1), "enrolment_by_day": "1" * 28, "enrolled_days_12mo": 365,
                "gap_count_12mo": 0, "longest_gap_days_12mo": 0, "continuously_enrolled_12mo": True,
            }  # fmt: skip
