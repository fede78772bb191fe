"""Writes the medical claim files: Avro with the columns of landing contract v1 as nullable strings, deflate.

Polars writes them eight times faster than a record-by-record Avro writer.
"""

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from claims_assets.synthetic import codes as lists
from claims_assets.synthetic import text
from claims_assets.synthetic.adjustments import PENDING
from claims_assets.synthetic.arrays import Array, Table, month_text, rows_of, take
from claims_assets.synthetic.dirt import FUTURE_DAYS, LINE_KINDS
from claims_assets.synthetic.medical import DIAGNOSIS_SLOTS
from claims_assets.synthetic.population import Block
from claims_assets.synthetic.rates import AMOUNT_JUNK, DATE_JUNK, DIAGNOSIS_JUNK
from claims_assets.synthetic.writers import INDICATORS, file_name, runs

if TYPE_CHECKING:
    import polars as pl

    Columns = dict[str, pl.Series]

AVRO_ENTRIES = 2
AVRO_MAGIC = b"Obj\x01" + bytes([2 * AVRO_ENTRIES])
"""Start of an Avro file: magic, then a map of so many entries (codec and schema)."""


def write_medical(out: Path, claims: Table, lines: Table, block: Block) -> int:
    """One Avro file per received month (and one per late batch); returns the number of lines."""
    batch = claims["received"].astype(np.int64) * 1_000 + claims["late"]
    order = np.lexsort((lines["line"], claims["id"][lines["claim"]], batch[lines["claim"]]))
    key = batch[lines["claim"][order]]
    for start, stop in runs(key):
        received, late = divmod(int(key[start]), 1_000)
        stem = f"claims_{month_text(block.first_month + received)}"
        stem += f"_batch_of_{month_text(block.first_month + late - 1)}" if late else ""
        frame = medical_frame(claims, take(lines, order[start:stop]), block)
        write_avro(file_name(out / "medical_claims", stem, block, "avro"), frame)
    return len(order)


def medical_frame(claims: Table, lines: Table, block: Block) -> "pl.DataFrame":
    """Lines as text, with the columns of the landing contract."""
    import polars as pl

    c = take(claims, lines["claim"])
    rows = {kind: np.flatnonzero(lines["junk"] == i + 1) for i, kind in enumerate(LINE_KINDS)}
    pending = np.flatnonzero(c["status"] == PENDING)
    frame = {
        **_ids(c, lines, rows, block),
        **_days(c, rows, pending),
        **_claim_codes(c, rows),
        **_line_codes(lines),
        **_line_amounts(lines, rows, pending),
    }
    return pl.DataFrame({name: series.alias(name) for name, series in frame.items()})


def _ids(c: Table, lines: Table, rows: Table, block: Block) -> "Columns":
    member = c["member"].astype(np.int64) + block.first_member
    member[rows["unknown_member"]] = text.UNKNOWN_MEMBERS_FROM + rows["unknown_member"]
    return {
        "claim_id": text.claim_ids(c["id"]),
        "claim_line_number": text.numbers(lines["line"]),
        "member_id": text.overwrite(text.member_ids(member), rows["missing_member"], [None]),
        "provider_id": text.provider_ids(c["provider"]),
        "adjustment_indicator": text.words(INDICATORS, c["indicator"]),
        "original_claim_id": text.claim_ids(c["original"]),
    }


def _days(c: Table, rows: Table, pending: Array) -> "Columns":
    shift = np.zeros(rows_of(c), np.int64)
    shift[rows["future_date"]] = FUTURE_DAYS
    return {
        "claim_date": text.dates(c["claim_day"] + shift),
        "service_from_date": text.overwrite(text.dates(c["from_day"] + shift), rows["unreadable_date"], DATE_JUNK),
        "service_to_date": text.dates(c["to_day"] + shift),
        "admit_date": text.dates(c["admit"]),
        "discharge_date": text.dates(c["discharge"]),
        "paid_date": text.overwrite(text.dates(c["paid_day"]), pending, [None]),
    }


def _claim_codes(c: Table, rows: Table) -> "Columns":
    dx = [text.diagnoses(lists.DIAGNOSES, c["dx"][:, k], c["style"]) for k in range(DIAGNOSIS_SLOTS)]
    dx[0] = text.overwrite(dx[0], rows["odd_diagnosis"], DIAGNOSIS_JUNK)
    return {
        "claim_type": text.overwrite(text.words(lists.CLAIM_TYPES, c["type"]), rows["unknown_claim_type"], ["??"]),
        "claim_status": text.words(lists.STATUSES, c["status"]),
        **{f"diagnosis_code_{k + 1}": series for k, series in enumerate(dx)},
        "bill_type_code": text.codes(lists.BILL_TYPES, c["bill"]),
        "place_of_service": text.codes(lists.PLACES, c["place"]),
        "drg_code": text.codes(lists.DRGS, c["drg"]),
    }


def _line_codes(lines: Table) -> "Columns":
    return {
        "procedure_code_1": text.codes(lists.PROCEDURES, lines["proc"]),
        "procedure_code_2": text.codes(lists.PROCEDURES, lines["proc2"]),
        "procedure_modifier_1": text.codes(lists.MODIFIERS, lines["mod"]),
        "procedure_modifier_2": text.codes(lists.MODIFIERS, lines["mod2"]),
        "revenue_code": text.codes(lists.REVENUE, lines["rev"]),
        "ndc_code": text.codes(lists.INJECTED, lines["ndc"]),
    }


def _line_amounts(lines: Table, rows: Table, pending: Array) -> "Columns":
    paid = text.overwrite(text.amounts(lines["paid"]), pending, [None])
    return {
        "billed_amount": text.amounts(lines["billed"]),
        "allowed_amount": text.overwrite(text.amounts(lines["allowed"]), pending, [None]),
        "paid_amount": text.overwrite(paid, rows["unreadable_amount"], AMOUNT_JUNK),
        "member_liability": text.overwrite(text.amounts(lines["liability"]), pending, [None]),
        "service_units": text.numbers(lines["units"]),
    }


def write_avro(path: Path, frame: "pl.DataFrame") -> None:
    """Write a frame with the two entries of the file header in a fixed order: Polars leaves it to chance."""
    buffer = BytesIO()
    frame.write_avro(buffer, compression="deflate", name="medical_claim")
    content = buffer.getvalue()
    position, entries = len(AVRO_MAGIC), []
    for _ in range(AVRO_ENTRIES):
        start = position
        for _ in ("key", "value"):
            length, position = _avro_length(content, position)
            position += length
        entries.append(content[start:position])
    path.write_bytes(AVRO_MAGIC + b"".join(sorted(entries)) + content[position:])


def _avro_length(content: bytes, position: int) -> tuple[int, int]:
    """A zigzag variable-length number at a position, and the position after it."""
    value = shift = 0
    while content[position] >= 0x80:
        value |= (content[position] & 0x7F) << shift
        position, shift = position + 1, shift + 7
    return (value | content[position] << shift) >> 1, position + 1
