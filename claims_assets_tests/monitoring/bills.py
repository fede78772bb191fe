"""A small table with a rule of every dimension, and four rows whose score is computed by hand."""

from claims_assets import columns as c
from claims_assets.contracts import Contract, rejection, rule

MONTH = "2024-01"


class Bills(Contract):
    """One row per bill."""

    bill_id: str = c.required("Bill.")
    claim_month: str = c.claim_month()
    known_from: str = c.known_from()
    provider_id: str = c.optional("Provider.", expected=True)
    units: c.Whole = c.optional("Units.", ge=0)
    first_day: c.Date = c.optional("First day.")
    last_day: c.Date = c.optional("Last day.")
    note: str = c.optional("Filled by few, so it counts nowhere.")

    class Config:
        unique = ["bill_id"]
        metadata = {
            "rules": {
                "days_are_ordered": rule("first_day <= last_day", severity="warn", about=["first_day", "last_day"]),
                "provider_is_listed": rule(
                    "provider_id <> 'X'", severity="warn", dimension="accuracy", about=["provider_id"]
                ),
                "bill_is_not_taken_back": rejection(),
            }
        }


TAKEN_BACK = "d"
ROWS = (
    ("a", MONTH, "2024-01", "P", "1", "2024-01-01", "2024-01-02", None),
    ("b", MONTH, "2024-05", "X", "-1", "2024-01-05", "2024-01-02", None),
    ("c", MONTH, "2024-04", None, "one", None, None, None),
    (TAKEN_BACK, MONTH, "2024-01", "P", None, "2024-01-01", None, "bad"),
)
FAILED_OF_APPLICABLE = {
    "bill_id_is_present": (0, 4),
    "claim_month_is_present": (0, 4),
    "known_from_is_present": (0, 4),
    "provider_id_is_present": (1, 4),
    "claim_month_is_well_formed": (0, 4),
    "known_from_is_well_formed": (0, 4),
    "units_is_at_least_0": (1, 2),
    "units_is_readable": (1, 3),
    "first_day_is_readable": (0, 3),
    "last_day_is_readable": (0, 2),
    "days_are_ordered": (1, 2),
    "provider_is_listed": (1, 3),
    "bill_is_not_taken_back": (1, 4),
    "grain_is_unique": (0, 4),
    "row_is_known_in_time": (1, 4),
}
DIMENSIONS = {
    "completeness": 93.75,  # (1 + 1 + 1 + 3/4) / 4
    "validity": 86.11,  # (1 + 1 + 1/2 + 2/3 + 1 + 1) / 6
    "consistency": 50.0,  # 1/2
    "accuracy": 80.56,  # (2/3 + 3/4 + 1) / 3
    "timeliness": 75.0,  # 3/4: known four months late is late, three months is not
}
SCORE = 78.85
"""0.25 x 93.75 + 0.30 x 86.11 + 0.20 x 50 + 0.15 x 80.56 + 0.10 x 75."""
