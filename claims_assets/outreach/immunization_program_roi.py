"""What the month's list is expected to cost and to save, by tier, with its assumptions, and what was measured.

Every number that is assumed says so in its name or in `basis`. All assumptions: the immunization targeting notebook of
the public project sechan9999/GenZ (`notebooks/05_immunization_targeting.py`). Measured is the difference in uptake of
those listed and those held out by chance, of the newest list that was judged (`monitoring/outreach_outcomes.py`); it is
not put into the return, because uptake without the list is not zero and the saving of a dose is not measured.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from claims_assets.inputs import Input, Window
from claims_assets.outreach.disclosure import is_small
from claims_assets.outreach.extracts import Content, Source, extract_asset
from claims_assets.outreach.published_counts import ALL, LISTED, TIER_MEASURES, TIER_NAMES, PublishedCounts, counts_of
from claims_assets.partitions import MONTH, add_months
from claims_assets.runtime.delta import read_arrow
from claims_assets.runtime.lake import Lake

if TYPE_CHECKING:
    import pyarrow as pa

OUTREACH_COST = dict(zip(TIER_NAMES, (25, 15, 5, 1), strict=True))
"""USD a member contacted, by tier."""
UPTAKE = dict(zip(TIER_NAMES, (0.4, 0.4, 0.2, 0.2), strict=True))
"""Share of members listed who get a vaccine."""
VACCINE_COST = {"influenza": 30, "pneumococcal": 150, "zoster": 200}
"""USD a dose; the source has no cost of other vaccines, and their doses are left out."""
BASIS = (
    "assumed: cost a member 25/15/5/1 USD by tier, uptake 40 % in tiers 1-2 and 20 % in tiers 3-4, vaccine 30 USD"
    " (influenza), 150 (pneumococcal), 200 (zoster), others none; measured: uptake listed less hold-out"
)
OUTCOMES = Input("monitoring_outreach_outcomes", "monitoring", "outreach_outcomes", Window(None))
MEASURED = ("difference", "difference_lower", "difference_upper")


def program_roi(source: Source) -> Content:
    """One row a tier, `all` last."""
    import pyarrow as pa

    counts = counts_of(source.rows)
    saved = dict(source.rows.connection.execute(_SAVED).fetchall())
    doses = dict(source.rows.connection.execute(_DOSES).fetchall())
    measured = measured_uptake(source.lake, source.rows.month)
    tiers = [tier_row(counts, tier, saved, doses) for tier in TIER_NAMES]
    rows = [row | _of_tier(measured, row["outreach_tier"]) for row in [*tiers, total_row(counts, tiers)]]
    content = pa.Table.from_pylist(rows, schema=_schema())
    return Content(content.schema, content.to_batches(), {"basis": BASIS})


_LISTED = "from members where disposition = 'listed'"
_SAVED = f"select outreach_tier, sum(estimated_preventable_cost) {_LISTED} group by outreach_tier"
_DOSES = (
    "select outreach_tier, ["
    + ", ".join(
        f"count_if(list_contains(list_concat(vaccines_due, vaccines_no_evidence), '{v}'))" for v in VACCINE_COST
    )
    + f"] {_LISTED} group by outreach_tier"
)


def tier_row(
    counts: PublishedCounts, tier: str, saved: Mapping[str, Decimal], doses: Mapping[str, list[int]]
) -> dict[str, Any]:
    """Assumed cost and saving of a tier; nothing where its number of members is hidden."""
    members = counts.shown(ALL, ALL, TIER_MEASURES[TIER_NAMES.index(tier)])
    uptake = UPTAKE[tier]
    found = {"outreach_tier": tier, "assumed_cost_per_member": OUTREACH_COST[tier], "assumed_uptake": uptake}
    if members is None:
        return found | {"basis": BASIS}
    needed = doses.get(tier, [0] * len(VACCINE_COST))
    # A cost of few doses would tell how many they are.
    vaccines = None if any(map(is_small, needed)) else _usd(uptake * _cost_of(needed))
    return found | _money(members, members * OUTREACH_COST[tier], float(saved.get(tier, 0)) * uptake, vaccines)


def total_row(counts: PublishedCounts, tiers: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """All tiers; sums only where each tier is shown: tiers differ in cost, so a sum would tell which is which."""
    rows, found = list(tiers), {"outreach_tier": ALL}
    if any(row.get("members_listed") is None for row in rows):
        return found | {"members_listed": counts.shown(ALL, ALL, LISTED), "basis": BASIS}
    vaccines = [row["assumed_vaccine_cost"] for row in rows]
    return found | _money(
        sum(row["members_listed"] for row in rows),
        sum(row["assumed_outreach_cost"] for row in rows),
        sum(row["assumed_prevented_cost"] for row in rows),
        None if None in vaccines else sum(vaccines),
    )


def _money(members: int, outreach: int, prevented: float, vaccines: float | None) -> dict[str, Any]:
    """The return as the source has it, prevented over outreach cost, and with the vaccines paid for."""
    whole = None if vaccines is None else outreach + vaccines
    return {
        "members_listed": members,
        "assumed_outreach_cost": outreach,
        "assumed_vaccine_cost": vaccines,
        "assumed_prevented_cost": _usd(prevented),
        "assumed_return": round(prevented / outreach, 2) if outreach else None,
        "assumed_return_with_vaccines": round(prevented / whole, 2) if whole else None,
        "basis": BASIS,
    }


def _cost_of(doses: Iterable[int]) -> int:
    return sum(n * usd for n, usd in zip(doses, VACCINE_COST.values(), strict=True))


def _usd(amount: float) -> float:
    return round(amount, 2)


def measured_uptake(lake: Lake, month: str) -> dict[str, dict[str, Any]]:
    """Tier, or `all` -> difference in uptake with its interval: the newest that is shown, judged by this month."""
    if not lake.exists(OUTCOMES.schema, OUTCOMES.name):
        return {}
    names = [MONTH, "list_month", "outreach_tier", *MEASURED]
    rows = read_arrow(
        lake.path(OUTCOMES.schema, OUTCOMES.name),
        names,
        where=[(MONTH, "<", add_months(month, 1)), ("outreach_group", "=", "listed"), ("vaccine", "=", "any")],
    ).to_pylist()
    newest = max((r[MONTH] for r in rows if r[MEASURED[0]] is not None), default=None)
    return {r["outreach_tier"]: r for r in rows if r[MONTH] == newest}


def _of_tier(measured: Mapping[str, Mapping[str, Any]], tier: str) -> dict[str, Any]:
    row = measured.get(tier, {})
    return {f"measured_uptake_{n}": row.get(n) for n in MEASURED} | {"measured_list_month": row.get("list_month")}


def _schema() -> "pa.Schema":
    import pyarrow as pa

    text, whole, number = pa.string(), pa.int64(), pa.float64()
    return pa.schema(
        [
            ("outreach_tier", text),
            ("members_listed", whole),
            ("assumed_cost_per_member", whole),
            ("assumed_outreach_cost", whole),
            ("assumed_uptake", number),
            ("assumed_vaccine_cost", number),
            ("assumed_prevented_cost", number),
            ("assumed_return", number),
            ("assumed_return_with_vaccines", number),
            *[(f"measured_uptake_{n}", number) for n in MEASURED],
            ("measured_list_month", text),
            ("basis", text),
        ]
    )


immunization_program_roi = extract_asset(
    "immunization_program_roi",
    "Expected cost and saving of the list by tier, by assumptions that are shown; beside them the measured uptake.",
    __file__,
    program_roi,
    phi="none",
    also_reads=[OUTCOMES],
)
