"""A few claim lines in a landing folder, and the months of a table built from them, for tests of how steps run."""

from pathlib import Path

import dagster as dg

from claims_assets.bronze.medical_claims import medical_claims
from claims_assets.runtime.compute import computes_for
from claims_assets.sources.stage import refresh

HEADER = "claim_id,member_id,claim_date,service_from_date,paid_amount\n"
LINES = [("A", "2024-01", "1.00"), ("B", "2024-02", "2.00"), ("C", "2024-02", "3.00"), ("D", "2024-03", "4.00")]
"""Claim, month, amount."""


def land_lines(folder: Path, *lines: tuple[str, str, str]) -> None:
    """Put claim lines (id, month, amount) into the landing stage of the lake in `folder`, as the whole feed."""
    feed_folder = folder / "landing" / "medical_claims"
    feed_folder.mkdir(parents=True, exist_ok=True)
    rows = "".join(f"{claim},M1,{month}-05,{month}-05,{paid}\n" for claim, month, paid in lines)
    (feed_folder / "a.csv").write_text(HEADER + rows)
    for feed in ("medical_claims", "pharmacy_claims"):
        refresh(feed, feed_folder.parent, folder / "lake", start_month="2022-01", latest_month="2024-06")


def build_months(instance, lake, spark_resource, first: str, last: str, *tables) -> dg.ExecuteInProcessResult:
    """Materialize these tables, else the medical claims, for a range of months in one run."""
    tags = {"dagster/asset_partition_range_start": first, "dagster/asset_partition_range_end": last}
    assets = [t.asset for t in tables or (medical_claims,)]
    resources = {"spark": spark_resource, "lake": lake, **computes_for(None)}
    return dg.materialize(assets, instance=instance, resources=resources, tags=tags, raise_on_error=False)
