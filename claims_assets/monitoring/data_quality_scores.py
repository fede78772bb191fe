"""How good each table was in each claim month: one row per table and month, on one scale from 0 to 100.

Written by every table's own write, whether it was committed or blocked, beside `contract_results`, of which it is the
summary. Elsewhere: how the score is formed (`quality.py`). Holds numbers and names of rules' dimensions only.
"""

from typing import Any

from claims_assets import columns as c
from claims_assets.contracts import DIMENSIONS, Compiled, Contract
from claims_assets.monitoring.contract_results import WHOLE
from claims_assets.monitoring.quality import BAND_NAMES, PERFECT, score_of
from claims_assets.monitoring.recorded import recorded
from claims_assets.runtime.stage import Findings

SCALE = {"min_value": 0.0, "max_value": PERFECT}


def _points(description: str):
    return c.optional(f"{description} 0 to 100; NULL: it can't be measured.", in_range=SCALE)


class DataQualityScores(Contract):
    """How good each table was: one row per table and claim month."""

    table_name: str = c.required("Table as `schema.table`.")
    claim_month: str = c.required("Claim month, or `all` for an unpartitioned table.")
    rows: c.Count = c.count("Rows that were judged, kept or quarantined.")
    score: c.Number = _points("Weighted mean of the dimensions that were measured.")
    band: str = c.required("critical, warning, fair, good, excellent; or no rows.", isin=BAND_NAMES)
    completeness: c.Number = _points("Required and expected values that are present.")
    validity: c.Number = _points("Values given that can be read and have a legal form, range or code.")
    consistency: c.Number = _points("Rows whose columns agree with each other.")
    accuracy: c.Number = _points("Rows that repeat no other and refer to what exists.")
    timeliness: c.Number = _points("Rows known within three months of their claim month.")
    dimensions_measured: c.Words = c.required("Dimensions that the score is made of.")
    committed: bool = c.flag("Whether the write that found this was committed.")

    class Config:
        unique = ["table_name", "claim_month"]


data_quality_scores = recorded("data_quality_scores", DataQualityScores)
"""Not a step of its own: each table's write adds its rows."""


def score_rows(name: str, contract: Compiled, findings: Findings) -> list[dict[str, Any]]:
    """One row per month that was written."""
    return [
        {
            "table_name": name,
            "claim_month": month or WHOLE,
            "rows": found.rows,
            "score": found.score,
            "band": found.band,
            **{d: found.dimensions.get(d) for d in DIMENSIONS},
            "dimensions_measured": list(found.dimensions),
            "committed": not findings.blocked,
        }
        for month, found in score_of(findings, contract).items()
    ]
