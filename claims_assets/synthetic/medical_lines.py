"""The lines of medical claims: procedures, units and amounts, as `care.py` declares them for each kind of claim."""

import numpy as np

from claims_assets.synthetic.arrays import Array, Table, cents, counter, rows_of, stack, take
from claims_assets.synthetic.care import Claim
from claims_assets.synthetic.codes import at, one
from claims_assets.synthetic.conditions import Conditions
from claims_assets.synthetic.population import Population
from claims_assets.synthetic.providers import Providers

MINOR = ("36415", "93000", "96372")
"""Second procedures on a line."""
INJECTED_BY = {"J9271": 1, "J9035": 2, "J1885": 3}
"""HCPCS code of an injected drug -> its position in `codes.INJECTED`."""
CHILD_CHECK_UPS = ("99391", "99392", "99393", "99394")


def lines_of(
    look: Claim,
    v: Table,
    claims: Table,
    people: Population,
    ill: Conditions,
    providers: Providers,
    rng: np.random.Generator,
) -> Table:
    member, provider = v["member"], claims["provider"]
    scale = (
        ill.severity[member] ** look.severity
        * providers.price[provider]
        * np.where(people.dual[member], look.dual, 1.0)
    )
    parts = []
    for order, line in enumerate(look.lines):
        rows = np.flatnonzero(rng.random(len(member)) < line.chance)
        units = _units(line.units, v["days"][rows], rng)
        size = np.where(
            line.units < 0, (np.maximum(v["days"][rows], 1) / (4.0 if line.units > -3 else 28.0)) ** 0.75, 1.0
        )
        proc = at("proc", *line.procedures)[rng.integers(0, len(line.procedures), len(rows))]
        parts.append({
            "claim": rows, "order": np.full(len(rows), order), "proc": proc, "rev": np.full(len(rows), one("rev",
            line.revenue)),
            "units": units, "allowed": cents(rng, line.usd * size * scale[rows], line.spread, len(rows)),
        })  # fmt: skip
    lines = stack(
        parts,
        {
            "claim": np.int32(0),
            "order": np.int8(0),
            "proc": np.int16(0),
            "rev": np.int8(0),
            "units": np.int32(1),
            "allowed": np.int64(0),
        },
    )
    lines = take(lines, np.lexsort((lines["order"], lines["claim"])))
    lines["line"] = counter(lines["claim"]) + 1
    return _amounts(lines, providers, provider, rng)


def _units(most: int, days: Array, rng: np.random.Generator) -> Array:
    """Units of a line: days of the stay where `most` is negative, else 1 to `most`."""
    return np.maximum(days, 1) if most < 0 else rng.integers(1, most + 1, len(days))


def _amounts(lines: Table, providers: Providers, provider: Array, rng: np.random.Generator) -> Table:
    """Billed, paid and member's share of lines whose allowed amount is known."""
    n = rows_of(lines)
    unusual = providers.unusual[provider[lines["claim"]]]
    lines["units"] = np.where(unusual, lines["units"] * 2, lines["units"])
    lines["billed"] = np.rint(lines["allowed"] * rng.uniform(1.3, 2.9, n) * np.where(unusual, 3.0, 1.0)).astype(
        np.int64
    )
    owed = np.where(rng.random(n) < 0.10, np.minimum(rng.integers(1, 9, n) * 100, lines["allowed"]), 0)
    lines["liability"], lines["paid"] = owed, lines["allowed"] - owed
    professional = lines["rev"] == 0
    lines["mod"] = np.where(professional & (rng.random(n) < 0.12), rng.integers(1, 8, n), 0)
    lines["mod2"] = np.where((lines["mod"] > 0) & (lines["mod"] < 7) & (rng.random(n) < 0.08), 7, 0)
    lines["proc2"] = np.where(
        professional & (rng.random(n) < 0.05), at("proc", *MINOR)[rng.integers(0, len(MINOR), n)], 0
    )
    for code, ndc in INJECTED_BY.items():
        lines["ndc"] = np.where(lines["proc"] == one("proc", code), ndc, lines.get("ndc", np.zeros(n, np.int16)))
    visit_levels = at("proc", "99212", "99213", "99214", "99203")
    lines["proc"] = np.where(unusual & np.isin(lines["proc"], visit_levels), one("proc", "99215"), lines["proc"])
    return lines


def child_check_ups(lines: Table, v: Table, people: Population) -> None:
    """Well-child visit codes by age."""
    age = (v["day"] - people.birth[v["member"]])[lines["claim"]] / 365.25
    code = at("proc", *CHILD_CHECK_UPS)[np.digitize(age, (1, 5, 12))]
    lines["proc"] = np.where(age < 18, code, lines["proc"])
