"""What happens to a claim after it was sent: denial, capitation, voids, replacements, duplicates.

An adjustment is a new claim with a new id that names the claim it cancels (`original`), received in a later month; what
would be received after the last month is not written. Errors in single values are in `dirt.py`.
"""

import numpy as np

from claims_assets.synthetic.arrays import Array, Table, first_day, month_of_day, rows_of, share_of, take
from claims_assets.synthetic.codes import STATUSES, one
from claims_assets.synthetic.medical import join
from claims_assets.synthetic.population import Block
from claims_assets.synthetic.providers import Providers
from claims_assets.synthetic.rates import share

ID_SPACE = 10**11
"""An id is kind * ID_SPACE + block * BLOCK_SPACE + position: the first of its twelve digits is 0 for originals."""
BLOCK_SPACE = 10**8
REPLACEMENT_ID, SECOND_REPLACEMENT_ID, VOID_ID = 4, 5, 8
VOID, REPLACEMENT = 1, 4
PAID, DENIED, PENDING, REVERSED = (STATUSES.index(s) for s in ("PAID", "DENIED", "PENDING", "REVERSED"))
MONTHS_TO_ADJUST = (1, 7)
"""Earliest and one past the latest number of months between a claim and its adjustment."""
AMOUNTS = ("billed", "allowed", "paid", "liability")

Counts = dict[str, int]
Claims = tuple[Table, Table]


def settle(claims: Table, lines: Table, providers: Providers, rng: np.random.Generator, dirt: float) -> Counts:
    """Deny some claims, leave some pending, pay some by capitation (in place)."""
    order = rng.permutation(rows_of(claims))
    n = len(order)
    denied = order[: round(share("denied", dirt) * n)]
    pending = order[len(denied) : len(denied) + round(share("pending", dirt) * n)]
    rest = order[len(denied) + len(pending) :]
    encounters = rest[providers.capitated[claims["provider"][rest]]][: round(share("capitated", dirt) * n)]
    claims["status"][denied], claims["status"][pending] = DENIED, PENDING
    unpaid = np.zeros(n, bool)
    unpaid[np.concatenate([denied, pending, encounters])] = True
    for name in ("allowed", "paid", "liability"):
        lines[name][unpaid[lines["claim"]]] = 0
    return {"denied": len(denied), "pending": len(pending), "capitated": len(encounters)}


def adjust(
    claims: Table, lines: Table, block: Block, rng: np.random.Generator, dirt: float
) -> tuple[Table, Table, Counts]:
    """Originals plus their voids and replacements; only claims that were paid something are adjusted."""
    paid = np.bincount(lines["claim"], weights=lines["paid"], minlength=rows_of(claims))
    usable = rng.permutation(np.flatnonzero((claims["status"] == PAID) & (paid > 0)))
    wanted = [round(share(kind, dirt) * rows_of(claims)) for kind in ("void", "same_id_void", "replacement")]
    voided, same, replaced = np.split(usable, np.cumsum(wanted))[:3]
    originals = (claims, lines)
    voids, moved = _voids(originals, voided, block, rng, dirt)
    same_id = _void_of(originals, same, block, rng)
    same_id[0]["id"] = same_id[0]["original"].copy()
    first = _replacement_of(originals, replaced, REPLACEMENT_ID, block, rng)
    chosen = rng.permutation(rows_of(first[0])) if rows_of(first[0]) else np.zeros(0, np.int64)
    seconds, gone = (round(share(kind, dirt) * len(chosen)) for kind in ("second_replacement", "void_of_replacement"))
    second = _replacement_of(first, chosen[:seconds], SECOND_REPLACEMENT_ID, block, rng)
    straight = rng.random(rows_of(second[0])) < 0.5
    second[0]["original"] = np.where(straight, second[0]["original"] % ID_SPACE, second[0]["original"])
    undone = _void_of(first, chosen[seconds : seconds + gone], block, rng)
    undone[0]["id"] = VOID_ID * ID_SPACE + undone[0]["original"] % ID_SPACE
    made = {
        "void": voids,
        "same_id_void": same_id,
        "replacement": first,
        "second_replacement": second,
        "void_of_replacement": undone,
    }
    counts = {kind: rows_of(part[0]) for kind, part in made.items()} | {"moved_void": moved}
    return *join([originals, *made.values()]), counts


def select(source: Claims, chosen: Array) -> Claims:
    """Some claims of a (claims, lines) pair, with their lines."""
    claims, lines = source
    position = np.full(rows_of(claims), -1, np.int64)
    position[chosen] = np.arange(len(chosen))
    kept = take(lines, position[lines["claim"]] >= 0)
    kept["claim"] = position[kept["claim"]]
    return take(claims, chosen), kept


def _later(source: Claims, chosen: Array, block: Block, rng: np.random.Generator) -> Claims:
    """Copies that name their source and are received months later, as far as that is within the window."""
    received = source[0]["received"][chosen] + rng.integers(*MONTHS_TO_ADJUST, len(chosen))
    inside = received < block.months
    claims, lines = select(source, chosen[inside])
    claims["received"] = received[inside]
    claims["original"], claims["late"] = claims["id"].copy(), np.zeros_like(claims["late"])
    claims["paid_day"] = first_day(block.first_month + claims["received"]) + rng.integers(0, 28, rows_of(claims))
    claims["claim_day"] = claims["paid_day"] - 5
    return claims, lines


def _void_of(source: Claims, chosen: Array, block: Block, rng: np.random.Generator) -> Claims:
    claims, lines = _later(source, chosen, block, rng)
    claims["indicator"] = np.full(rows_of(claims), VOID, np.int8)
    claims["status"] = np.full(rows_of(claims), REVERSED, np.int8)
    for name in AMOUNTS:
        lines[name] = -lines[name]
    return claims, lines


def _voids(source: Claims, chosen: Array, block: Block, rng: np.random.Generator, dirt: float) -> tuple[Claims, int]:
    """Voids under new ids; a part is dated in the month before it was received instead of the service month."""
    claims, lines = _void_of(source, chosen, block, rng)
    claims["id"] = VOID_ID * ID_SPACE + claims["original"]
    day = claims["paid_day"] - 20
    movable = np.flatnonzero(month_of_day(day) != month_of_day(claims["from_day"]))
    moved = movable[
        share_of(rng, len(movable), min(1.0, share("moved_void", dirt) * rows_of(claims) / max(1, len(movable))))
    ]
    for name in ("from_day", "to_day"):
        claims[name][moved] = day[moved]
    return (claims, lines), len(moved)


def _replacement_of(source: Claims, chosen: Array, kind: int, block: Block, rng: np.random.Generator) -> Claims:
    """The claim as corrected: other amounts, sometimes another first diagnosis."""
    claims, lines = _later(source, chosen, block, rng)
    claims["id"] = kind * ID_SPACE + claims["original"] % ID_SPACE
    claims["indicator"] = np.full(rows_of(claims), REPLACEMENT, np.int8)
    factor = rng.choice((0.5, 0.8, 0.9, 1.1, 1.25), rows_of(claims))[lines["claim"]]
    for name in AMOUNTS:
        lines[name] = np.rint(lines[name] * factor).astype(np.int64)
    lines["paid"] = np.maximum(lines["allowed"] - lines["liability"], 0)
    claims["dx"][:, 0] = np.where(rng.random(rows_of(claims)) < 0.1, one("dx", "R53.83"), claims["dx"][:, 0])
    return claims, lines


def duplicates(
    claims: Table, lines: Table, block: Block, rng: np.random.Generator, dirt: float
) -> tuple[Table, Table, int]:
    """Adds exact re-sends in a later file, of claims none of whose lines carries an error."""
    clean = np.ones(rows_of(claims), bool)
    clean[lines["claim"][lines["junk"] > 0]] = False
    candidates = np.flatnonzero(clean & (claims["received"] < block.months - 3))
    wanted = min(1.0, share("duplicate", dirt) * rows_of(claims) / max(1, len(candidates)))
    again = select((claims, lines), candidates[share_of(rng, len(candidates), wanted)])
    again[0]["received"] = again[0]["received"] + rng.integers(1, 4, rows_of(again[0]))
    again[0]["late"] = np.zeros_like(again[0]["late"])
    return *join([(claims, lines), again]), rows_of(again[0])


def adjust_fills(fills: Table, block: Block, rng: np.random.Generator, dirt: float) -> tuple[Table, Counts]:
    """Denied fills (in place) and voids of fills."""
    from claims_assets.synthetic.arrays import stack
    from claims_assets.synthetic.pharmacy import FILL_DEFAULTS

    order = rng.permutation(rows_of(fills))
    denied, voided = np.split(order, np.cumsum([round(share(k, dirt) * len(order)) for k in ("rx_denied", "rx_void")]))[
        :2
    ]
    fills["status"][denied] = DENIED
    for name in ("allowed", "paid", "copay"):
        fills[name][denied] = 0
    voids = take(fills, voided)
    voids["received"] = voids["received"] + rng.integers(0, 3, len(voided))
    voids["paid_day"] = np.maximum(voids["paid_day"], first_day(block.first_month + voids["received"])) + 1
    voids = take(voids, (voids["received"] < block.months) & (month_of_day(voids["paid_day"]) <= block.last_month))
    voids["received"] = month_of_day(voids["paid_day"]) - block.first_month
    voids["original"], voids["id"] = voids["id"].copy(), VOID_ID * ID_SPACE + voids["id"]
    voids["indicator"] = np.full(rows_of(voids), VOID, np.int8)
    voids["status"] = np.full(rows_of(voids), REVERSED, np.int8)
    for name in ("allowed", "paid", "copay"):
        voids[name] = -voids[name]
    return stack([fills, voids], FILL_DEFAULTS), {"rx_denied": len(denied), "rx_void": rows_of(voids)}
