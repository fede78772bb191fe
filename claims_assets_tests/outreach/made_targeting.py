"""Literal rows of `gold.immunization_targeting` in a lake, without the tables that it is made of."""

from datetime import UTC, date, datetime
from decimal import Decimal

import numpy as np
import pyarrow as pa
from deltalake import write_deltalake

from claims_assets.contracts import compiled
from claims_assets.outreach.immunization_targeting import ImmunizationTargeting
from claims_assets.outreach.published_counts import TIER_NAMES
from claims_assets.silver.demographics import ETHNICITIES, RACES

MONTH = "2025-03"
NOW = datetime(2025, 4, 6, 12, tzinfo=UTC)
"""When extracts are made."""
COUNTIES = (("Harris", "770"), ("Dallas", "752"), ("Travis", "787"), ("Loving", "797"), ("Carbon", "823"))


def member(number, **given):
    """A listed member of tier 2; what is not given is usual."""
    listed = given.get("disposition", "listed") == "listed"
    usual = {
        "member_id": f"M{number:06d}",
        "claim_month": MONTH,
        "disposition": "listed",
        "exclusion_reason": None if listed else "complete",
        "reason": "Overdue: influenza.",
        "contact_member_id": f"M{number:06d}",
        "vaccines_due": ["influenza"],
        "immunization_priority_score": 70.0,
        "outreach_priority_score": 65.0,
        "outreach_tier": TIER_NAMES[1],
        "recommended_channel": "Phone Call",
        "reachable_channels": ["phone"],
        "contact_channel": "phone" if listed else None,
        "contact_week": 1 if listed else None,
        "outreach_rank": number if listed else None,
        "estimated_preventable_cost": "1500.00",
        "risk_tier": "High",
        "chronic_condition_count": 1,
        "high_risk_score": 0.5,
        "er_utilization_risk_score": 0.25,
        "high_cost_risk_score": 0.125,
        "predicted_total_cost": 900.0,
        "model_status": "rule",
        "age": 40,
        "age_group": "18-44",
        "gender": "F",
        "race": "White",
        "ethnicity": "Unknown",
        "county": "Harris",
        "zip_code": "77001",
    }
    flags = dict.fromkeys(("also_by_mail", "is_holdout", "within_capacity"), False)
    words = ("vaccines_overdue", "vaccines_no_evidence", "vaccines_to_discuss", "vaccines_contraindicated",
             "vaccines_complete", "vaccines_not_yet", "dose_evidence")  # fmt: skip
    made = usual | flags | {n: [] for n in words} | given
    made.setdefault("contact_tier", made["outreach_tier"] if listed else None)
    return made


def population(count, seed=7, first=1):
    """Members of all kinds, some of them rare."""
    rng = np.random.default_rng(seed)
    shares = np.array([0.5, 0.3, 0.15, 0.02, 0.03])
    found = []
    for number in range(first, first + count):
        county, zip3 = COUNTIES[rng.choice(5, p=shares)]
        age = int(min(rng.gamma(2.2, 18), 104))
        listed = rng.random() < 0.6
        tier = TIER_NAMES[rng.choice(4, p=[0.03, 0.2, 0.37, 0.4])]
        found.append(
            member(
                number,
                disposition="listed" if listed else "excluded",
                exclusion_reason=None if listed else str(rng.choice(["complete", "opt_out", "holdout", "hospice"])),
                outreach_tier=tier,
                vaccines_due=["influenza", "zoster", "td_tdap", "hepatitis_b"][: int(rng.integers(1, 5))],
                age=age,
                age_group="0-17" if age < 18 else "18-44" if age < 45 else "45-64" if age < 65 else "65+",
                gender=str(rng.choice(["F", "M", "U"], p=[0.52, 0.47, 0.01])),
                race=str(rng.choice(RACES)),
                ethnicity=str(rng.choice(ETHNICITIES)),
                risk_tier=str(rng.choice(["High", "Medium", "Low", "Very Low"], p=[0.1, 0.2, 0.3, 0.4])),
                chronic_condition_count=int(rng.poisson(0.8)),
                county=county,
                zip_code=f"{zip3}{rng.integers(1, 60):02d}",
                first_due_since=date(2024, 9, 1),
            )
        )
    return found


def write_targeting(lake, rows):
    """Replace the table by these rows."""
    schema = compiled(ImmunizationTargeting).arrow_schema()
    table = pa.Table.from_pylist(
        [{n: r.get(n) for n in schema.names} | {"estimated_preventable_cost": None} for r in rows],
        schema=pa.schema([f.with_nullable(True) for f in schema]),
    )
    at = schema.get_field_index("estimated_preventable_cost")
    costs = pa.array([Decimal(r["estimated_preventable_cost"]) for r in rows], schema.field(at).type)
    table = table.set_column(at, schema.field(at).name, costs)
    path = lake.path("gold", "immunization_targeting")
    write_deltalake(str(path), table, mode="overwrite", partition_by=["claim_month"])
