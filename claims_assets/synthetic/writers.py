"""Writes the landing files of one block: columns in the order of landing contract v1, text as feeds have it.

Medical claims are Avro (nullable strings, deflate), fills CSV,
registry and contacts Parquet. Polars writes all of them: eight
times faster than a record-by-record Avro writer, and the same bytes every time. Eligibility is in `eligibility.py`.
"""

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from claims_assets.synthetic import codes as lists
from claims_assets.synthetic import text
from claims_assets.synthetic.adjustments import PENDING, Counts
from claims_assets.synthetic.arrays import Array, Table, month_text, rows_of, share_of, take
from claims_assets.synthetic.dirt import FILL_KINDS, FUTURE_DAYS, LINE_KINDS
from claims_assets.synthetic.medical import DIAGNOSIS_SLOTS
from claims_assets.synthetic.population import Block
from claims_assets.synthetic.products import DRUGS, FLU_REGISTRY_CODES, VACCINES
from claims_assets.synthetic.rates import AMOUNT_JUNK, DATE_JUNK, DIAGNOSIS_JUNK, share

if TYPE_CHECKING:
    import polars as pl

AVRO_ENTRIES = 2
AVRO_MAGIC = b"Obj\x01" + bytes([2 * AVRO_ENTRIES])
"""Start of an Avro file: magic, then a map of so many entries (codec and schema)."""
INDICATORS = ("0", "1", "2", "3", "4")
SHORT_LINE = "{first},cut off here"
NOT_DONE_REASONS = ("", "patient refusal", "contraindicated", "out of stock")


def file_name(folder: Path, stem: str, block: Block, suffix: str) -> Path:
    """Where a block's file goes: blocks after the first write parts of their own."""
    part = "" if block.number == 0 else f".part{block.number + 1:02d}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{stem}{part}.{suffix}"


def write_medical(out: Path, claims: Table, lines: Table, block: Block) -> int:
    """One Avro file per received month (and one per late batch); returns the number of lines."""
    batch = claims["received"].astype(np.int64) * 1_000 + claims["late"]
    order = np.lexsort((lines["line"], claims["id"][lines["claim"]], batch[lines["claim"]]))
    key = batch[lines["claim"][order]]
    for start, stop in _runs(key):
        received, late = divmod(int(key[start]), 1_000)
        stem = f"claims_{month_text(block.first_month + received)}"
        stem += f"_batch_of_{month_text(block.first_month + late - 1)}" if late else ""
        frame = medical_frame(claims, take(lines, order[start:stop]), block)
        write_avro(file_name(out / "medical_claims", stem, block, "avro"), frame)
    return len(order)


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


def _runs(key: Array) -> list[tuple[int, int]]:
    """Start and stop of each run of equal values."""
    edges = np.flatnonzero(np.r_[True, key[1:] != key[:-1], True]) if len(key) else np.zeros(1, np.int64)
    return list(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True))


def medical_frame(claims: Table, lines: Table, block: Block) -> "pl.DataFrame":
    """Lines as text, in landing contract order."""
    import polars as pl

    c = take(claims, lines["claim"])
    rows = {kind: np.flatnonzero(lines["junk"] == i + 1) for i, kind in enumerate(LINE_KINDS)}
    member = c["member"].astype(np.int64) + block.first_member
    member[rows["unknown_member"]] = text.UNKNOWN_MEMBERS_FROM + rows["unknown_member"]
    for name in ("from_day", "to_day", "claim_day"):
        c[name] = c[name].astype(np.int64)
        c[name][rows["future_date"]] += FUTURE_DAYS
    pending = np.flatnonzero(c["status"] == PENDING)
    first_dx = text.diagnoses(lists.DIAGNOSES, c["dx"][:, 0], c["style"])
    frame = {
        "claim_id": text.claim_ids(c["id"]),
        "member_id": text.overwrite(text.member_ids(member), rows["missing_member"], [None]),
        "claim_date": text.dates(c["claim_day"]),
        "service_from_date": text.overwrite(text.dates(c["from_day"]), rows["unreadable_date"], DATE_JUNK),
        "service_to_date": text.dates(c["to_day"]),
        "admit_date": text.dates(c["admit"]),
        "discharge_date": text.dates(c["discharge"]),
        "paid_date": text.overwrite(text.dates(c["paid_day"]), pending, [None]),
        "provider_id": text.provider_ids(c["provider"]),
        "claim_line_number": text.numbers(lines["line"]),
        "adjustment_indicator": text.words(INDICATORS, c["indicator"]),
        "original_claim_id": text.claim_ids(c["original"]),
        "claim_type": text.overwrite(text.words(lists.CLAIM_TYPES, c["type"]), rows["unknown_claim_type"], ["??"]),
        "claim_status": text.words(lists.STATUSES, c["status"]),
        "diagnosis_code_1": text.overwrite(first_dx, rows["odd_diagnosis"], DIAGNOSIS_JUNK),
        **{
            f"diagnosis_code_{k + 1}": text.diagnoses(lists.DIAGNOSES, c["dx"][:, k], c["style"])
            for k in range(1, DIAGNOSIS_SLOTS)
        },
        "procedure_code_1": text.codes(lists.PROCEDURES, lines["proc"]),
        "procedure_code_2": text.codes(lists.PROCEDURES, lines["proc2"]),
        "procedure_modifier_1": text.codes(lists.MODIFIERS, lines["mod"]),
        "procedure_modifier_2": text.codes(lists.MODIFIERS, lines["mod2"]),
        "revenue_code": text.codes(lists.REVENUE, lines["rev"]),
        "bill_type_code": text.codes(lists.BILL_TYPES, c["bill"]),
        "place_of_service": text.codes(lists.PLACES, c["place"]),
        "drg_code": text.codes(lists.DRGS, c["drg"]),
        "ndc_code": text.codes(lists.INJECTED, lines["ndc"]),
        "billed_amount": text.amounts(lines["billed"]),
        "allowed_amount": text.overwrite(text.amounts(lines["allowed"]), pending, [None]),
        "paid_amount": text.overwrite(
            text.overwrite(text.amounts(lines["paid"]), pending, [None]),
            rows["unreadable_amount"],
            AMOUNT_JUNK,
        ),
        "member_liability": text.overwrite(text.amounts(lines["liability"]), pending, [None]),
        "service_units": text.numbers(lines["units"]),
    }
    return pl.DataFrame({name: series.alias(name) for name, series in frame.items()})


def write_pharmacy(out: Path, fills: Table, block: Block, rng: np.random.Generator, dirt: float) -> tuple[int, Counts]:
    """One CSV per received month, some with an unknown column, some with broken lines."""
    order = np.lexsort((fills["id"], fills["received"]))
    key = fills["received"][order]
    extra = set(share_of(rng, block.months, share("rx_extra_column", dirt)).tolist())
    short, long = (share_of(rng, len(order), share(kind, dirt)) for kind in ("rx_short_line", "rx_long_line"))
    with_column = 0
    for start, stop in _runs(key):
        frame = pharmacy_frame(take(fills, order[start:stop]), block)
        if int(key[start]) in extra:
            with_column += 1
            frame = frame.with_columns(plan_code=text.words(("HMO-A", "HMO-B"), np.arange(frame.height) % 2))
        path = file_name(out / "pharmacy_claims", f"rx_{month_text(block.first_month + int(key[start]))}", block, "csv")
        write_csv(path, frame, _between(short, start, stop), _between(long, start, stop))
    return len(order), {
        "rx_short_line": len(short),
        "rx_long_line": len(long),
        "rx_extra_column": with_column,
    }


def _between(positions: Array, start: int, stop: int) -> list[int]:
    return [int(p) - start for p in positions if start <= p < stop]


def write_csv(path: Path, frame: "pl.DataFrame", short: list[int], long: list[int]) -> None:
    """Write a frame; after the records at `short` and `long` comes a line with too few or too many fields."""
    body = frame.write_csv()
    if short or long:
        lines = body.splitlines()
        for position in sorted([*short, *long], reverse=True):
            record = lines[1 + position]
            broken = (
                SHORT_LINE.format(first=record.split(",")[0]) if position in short else f"{record},one,field,too,many"
            )
            lines.insert(2 + position, broken)
        body = "\n".join(lines) + "\n"
    path.write_text(body, encoding="utf-8", newline="")


def pharmacy_frame(fills: Table, block: Block) -> "pl.DataFrame":
    """Fills as text, in landing contract order."""
    import polars as pl

    rows = {kind: np.flatnonzero(fills["junk"] == i + 1) for i, kind in enumerate(FILL_KINDS)}
    member = fills["member"].astype(np.int64) + block.first_member
    member[rows["rx_unknown_member"]] = text.UNKNOWN_MEMBERS_FROM + rows["rx_unknown_member"]
    products = [(d.ndc, d.name, "G" if d.generic else "B", d.therapeutic_class) for d in DRUGS]
    products += [(v.ndc, f"{v.name} VACCINE", "B", "VACCINE") for v in VACCINES]
    ndc, name, generic, therapy = (list(column) for column in zip(*products, strict=True))
    dashed = [f"{n[:5]}-{n[5:9]}-{n[9:]}" for n in ndc]
    frame = {
        "claim_id": text.claim_ids(fills["id"]).str.replace("^", "RX"),
        "member_id": text.member_ids(member),
        "fill_date": text.overwrite(text.dates(fills["day"]), rows["rx_unreadable_date"], DATE_JUNK),
        "ndc_code": text.words(ndc + dashed, fills["drug"].astype(np.int64) + fills["dashed"] * len(ndc)),
        "paid_date": text.dates(fills["paid_day"]),
        "pharmacy_id": text.provider_ids(fills["pharmacy"]),
        "prescriber_id": text.provider_ids(fills["prescriber"]),
        "drug_name": text.words(name, fills["drug"]),
        "days_supply": text.numbers(fills["days"]),
        "quantity": text.numbers(fills["quantity"]),
        "refill_number": text.numbers(fills["refill"]),
        "adjustment_indicator": text.words(INDICATORS, fills["indicator"]),
        "original_claim_id": text.claim_ids(fills["original"]).str.replace("^", "RX"),
        "claim_status": text.words(lists.STATUSES, fills["status"]),
        "allowed_amount": text.amounts(fills["allowed"]),
        "paid_amount": text.overwrite(text.amounts(fills["paid"]), rows["rx_unreadable_amount"], AMOUNT_JUNK),
        "member_copay": text.amounts(fills["copay"]),
        "generic_indicator": text.words(generic, fills["drug"]),
        "therapeutic_class": text.words(therapy, fills["drug"]),
    }
    return pl.DataFrame({name: series.alias(name) for name, series in frame.items()})


def write_registry(out: Path, records: Table, block: Block) -> int:
    """One Parquet file per received month."""
    import polars as pl

    cvx = [v.cvx for v in VACCINES] + list(FLU_REGISTRY_CODES)
    ndc = [v.ndc for v in VACCINES] + [""] * len(FLU_REGISTRY_CODES)
    for start, stop in _runs(records["received"]):
        r = take(records, np.arange(start, stop))
        frame = {
            "member_id": text.member_ids(r["member"].astype(np.int64) + block.first_member),
            "administered_date": text.dates(r["day"]),
            "cvx_code": text.words(cvx, r["cvx"]),
            "ndc_code": text.codes(ndc, r["cvx"]),
            "lot_number": "L" + text.numbers(r["lot"]),
            "status": text.words(("completed", "not-done"), r["not_done"] > 0),
            "reason": text.codes(NOT_DONE_REASONS, r["not_done"]),
            "source": text.words(("state registry",), np.zeros(stop - start)),
        }
        path = file_name(
            out / "immunizations",
            f"registry_{month_text(block.first_month + int(r['received'][0]))}",
            block,
            "parquet",
        )
        pl.DataFrame({name: series.alias(name) for name, series in frame.items()}).write_parquet(path)
    return rows_of(records)
