"""What investigators decided: labels of a part of the planted frauds and of some honest claims.

The planted claims are given by whoever planted them (`fraud.py`). Young claims have no label yet: cases take time.
"""

from pathlib import Path

import numpy as np

from claims_assets.synthetic import text
from claims_assets.synthetic.adjustments import PAID
from claims_assets.synthetic.arrays import Array, Table, first_day, month_text, rows_of, take
from claims_assets.synthetic.population import Block
from claims_assets.synthetic.writers import file_name, runs

MONTHS_TO_DECIDE = (3, 10)
"""Earliest and one past the latest number of months from the receipt of a claim to the decision."""
INVESTIGATED = 0.55
"""Share of the planted claims that are looked into."""
HONEST_A_PLANTED = 0.8
"""Honest claims that are looked into, for each planted one that is."""
CONFIRMED_PLANTED, CONFIRMED_HONEST = 0.93, 0.03
"""Share of them that are confirmed as fraud: investigators err."""
LABELS = ("cleared", "confirmed")
REASONS = (
    ("records support the claim", "billing error, corrected", "insufficient evidence"),
    ("records do not support the claim", "service not rendered", "units not possible"),
)
"""By label."""


def labels_of(claims: Table, planted: Array, block: Block, rng: np.random.Generator) -> Table:
    """Decisions received within the window, in the order of their files.

    Args:
        claims: all claims as written.
        planted: claim ids of the planted frauds, as numbers.
    """
    is_planted = np.isin(claims["id"], planted)
    once = np.zeros(rows_of(claims), bool)
    once[np.unique(claims["id"], return_index=True)[1]] = True
    guilty = rng.permutation(np.flatnonzero(is_planted & once))
    guilty = guilty[: round(INVESTIGATED * len(guilty))]
    plain = once & ~is_planted & (claims["indicator"] == 0) & (claims["status"] == PAID)
    honest = rng.permutation(np.flatnonzero(plain))[: round(HONEST_A_PLANTED * len(guilty))]
    rows, n = np.concatenate([guilty, honest]), len(guilty) + len(honest)
    month = claims["received"][rows].astype(np.int64) + rng.integers(*MONTHS_TO_DECIDE, n)
    confirmed = rng.random(n) < np.where(is_planted[rows], CONFIRMED_PLANTED, CONFIRMED_HONEST)
    made: Table = {
        "claim": claims["id"][rows], "provider": claims["provider"][rows], "received": month,
        "day": first_day(block.first_month + month) + rng.integers(0, 28, n), "confirmed": confirmed,
        "reason": rng.integers(0, 3, n),
    }  # fmt: skip
    made = take(made, month < block.months)
    return take(made, np.lexsort((made["claim"], made["received"])))


def write_labels(out: Path, labels: Table, block: Block) -> int:
    """One CSV per received month; a case is a provider and the quarter of the decision."""
    import polars as pl

    flat = [reason for of_label in REASONS for reason in of_label]
    for start, stop in runs(labels["received"]):
        d = take(labels, np.arange(start, stop))
        month = block.first_month + int(d["received"][0])
        quarter = f"-{month // 12}Q{month % 12 // 3 + 1}"
        frame = {
            "claim_id": text.claim_ids(d["claim"]),
            "label": text.words(LABELS, d["confirmed"]),
            "decided_at": text.dates(d["day"]),
            "case_id": "CASE-" + text.provider_ids(d["provider"]) + quarter,
            "reason": text.words(flat, d["confirmed"] * len(REASONS[0]) + d["reason"]),
        }
        path = file_name(out / "fraud_labels", f"labels_{month_text(month)}", block, "csv")
        table = pl.DataFrame({name: series.alias(name) for name, series in frame.items()})
        path.write_text(table.write_csv(), encoding="utf-8", newline="")
    return rows_of(labels)
