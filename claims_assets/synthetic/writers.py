"""Writes the pharmacy, registry and other simple files of one block; medical claims are in `medical_files.py`.

Polars writes them all: fast, and the same bytes every time. Eligibility: `eligibility.py`; contacts: `contacts.py`.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from claims_assets.synthetic import codes as lists
from claims_assets.synthetic import text
from claims_assets.synthetic.adjustments import Counts
from claims_assets.synthetic.arrays import Array, Table, month_text, rows_of, share_of, take
from claims_assets.synthetic.dirt import FILL_KINDS
from claims_assets.synthetic.population import Block
from claims_assets.synthetic.products import DRUGS, FLU_REGISTRY_CODES, VACCINES
from claims_assets.synthetic.rates import AMOUNT_JUNK, DATE_JUNK, share

if TYPE_CHECKING:
    import polars as pl

    Columns = dict[str, pl.Series]

INDICATORS = ("0", "1", "2", "3", "4")
SHORT_LINE = "{first},cut off here"
NOT_DONE_REASONS = ("", "patient refusal", "contraindicated", "out of stock")


def file_name(folder: Path, stem: str, block: Block, suffix: str) -> Path:
    """Where a block's file goes: blocks after the first write parts of their own."""
    part = "" if block.number == 0 else f".part{block.number + 1:02d}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{stem}{part}.{suffix}"


def runs(key: Array) -> list[tuple[int, int]]:
    """Start and stop of each run of equal values."""
    edges = np.flatnonzero(np.r_[True, key[1:] != key[:-1], True]) if len(key) else np.zeros(1, np.int64)
    return list(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True))


def write_pharmacy(out: Path, fills: Table, block: Block, rng: np.random.Generator, dirt: float) -> tuple[int, Counts]:
    """One CSV per received month, some with an unknown column, some with broken lines."""
    order = np.lexsort((fills["id"], fills["received"]))
    key = fills["received"][order]
    extra = set(share_of(rng, block.months, share("rx_extra_column", dirt)).tolist())
    short, long = (share_of(rng, len(order), share(kind, dirt)) for kind in ("rx_short_line", "rx_long_line"))
    with_column = 0
    for start, stop in runs(key):
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
    for start, stop in runs(records["received"]):
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
