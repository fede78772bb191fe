"""Fraud planted into medical claims: four kinds, each where it could happen, and which claims they are.

It is planted last, after voids, errors and duplicates, and draws from streams of its own: every claim that is not
planted is the same as without it, but for the invented ids of unknown members, which count the lines of a file. Only
paid originals that nothing adjusts are changed. The truth stays outside of the landing folder (`TRUTH_COLUMNS`), and no
planted claim can be told by its file or date of receipt. Elsewhere: habits of whole providers that stand out too and
are no planted fraud (`providers.py`, `unusual`).
"""

from dataclasses import dataclass, replace

import numpy as np

from claims_assets.synthetic.adjustments import BLOCK_SPACE, PAID, select
from claims_assets.synthetic.arrays import Array, Table, counter, rows_of, share_of, take
from claims_assets.synthetic.blocks import Life
from claims_assets.synthetic.codes import at, one
from claims_assets.synthetic.dirt import UNDOTTED
from claims_assets.synthetic.medical import LINE_DEFAULTS, join, pay_dates
from claims_assets.synthetic.providers import Providers
from claims_assets.synthetic.text import claim_ids

KINDS = ("upcoding", "unbundling", "phantom", "impossible_units")
SHARE = 0.01
"""Planted claims over all original medical claims; each kind gets a quarter."""
PERPETRATORS, THEIR_PART = 0.06, 0.7
"""Share of providers who commit fraud, and their part of it; the rest is scattered over all."""
TRUTH_COLUMNS = ("claim_id", "kind")
UPCODED = {
    "99212": ("99214", "99215"), "99213": ("99214", "99215"), "99203": ("99214", "99215"), "99283": ("99285",),
    "90834": ("90837",), "H0004": ("90837",), "90853": ("90837",), "99231": ("99233",), "99232": ("99233",),
}  # fmt: skip
"""Level of service given -> levels that are billed instead."""
UPCODED_PAYS = (1.5, 2.6)
"""Factor of the amounts, from and to."""
PANEL = ("80053", "85025", "80061", "83036", "81003", "84443", "36415")
"""Tests that belong together, billed one by one; at least LEAST_PARTS of them."""
LEAST_PARTS, PART_CENTS = 3, (900, 3_200)
UNITS_TIMES, UNITS_PAY = (8, 40), (1.3, 4.0)
"""Factors of units and of amounts. Eight is more than a day holds of most services counted by unit."""
DURING_STAY = 0.35
"""Share of the phantom claims that are dated on a day on which their member was in a hospital."""
LEAST_NIGHTS = 3
DISTINCT = one("mod", "59")
"""Modifier 59, distinct procedural service: how parts of a whole are passed off as separate."""


@dataclass(frozen=True)
class Planted:
    """All claims with the planted ones among them."""

    claims: Table
    lines: Table
    ids: Array
    """Claim ids of the planted claims, as numbers (`text.claim_ids`)."""
    kinds: Array
    """Position in KINDS of each."""

    def truth(self) -> list[tuple[str, str]]:
        """Rows of TRUTH_COLUMNS, by claim id."""
        order = np.argsort(self.ids, kind="stable")
        words = claim_ids(self.ids[order]).to_list()
        return [(word, KINDS[kind]) for word, kind in zip(words, self.kinds[order].tolist(), strict=True)]


def perpetrators(providers: Providers, seed: int) -> Array:
    """Which providers commit fraud; the same for all blocks of members."""
    n = len(providers.npi)
    rng = np.random.default_rng([seed, *b"perpetrators"])
    return rng.permutation(n) < round(PERPETRATORS * n)


def plant(claims: Table, lines: Table, life: Life, guilty: Array, rng: np.random.Generator, share: float) -> Planted:
    """Change some claims and add some that never happened.

    Args:
        claims: as they would be written, adjustments and duplicates included.
        guilty: of `perpetrators`.
        share: planted claims over the original claims of `life`.
    """
    wanted = round(share * rows_of(life.claims) / len(KINDS))
    free = _untouched(claims, lines)
    made = Planted({k: v.copy() for k, v in claims.items()}, {k: v.copy() for k, v in lines.items()}, *_nothing())
    for kind, change in enumerate((_upcode, _unbundle, None, _overstate_units)):
        if change is None:
            made = _phantoms(made, kind, wanted, free, life, guilty, rng)
            continue
        can = free & np.isin(np.arange(len(free)), made.lines["claim"][_eligible(made.lines, change)])
        chosen = _choose(np.flatnonzero(can), made.claims["provider"], guilty, wanted, rng)
        free[chosen] = False
        made = _with(change(made, chosen, rng), made.claims["id"][chosen], kind)
    return made


def _untouched(claims: Table, lines: Table) -> Array:
    """Paid originals of one version, with an amount, that carry no error."""
    ids, times = np.unique(claims["id"], return_counts=True)
    paid = np.bincount(lines["claim"], weights=lines["paid"], minlength=rows_of(claims))
    spoilt = np.bincount(lines["claim"], weights=lines["junk"], minlength=rows_of(claims)) > 0
    again = np.isin(claims["id"], ids[times > 1]) | np.isin(claims["id"], claims["original"])
    return (claims["indicator"] == 0) & (claims["status"] == PAID) & (paid > 0) & ~spoilt & ~again


def _eligible(lines: Table, change) -> Array:
    """Lines of which a claim needs one for a kind of fraud."""
    if change is _upcode:
        return np.isin(lines["proc"], at("proc", *UPCODED))
    if change is _unbundle:
        return np.isin(lines["proc"], at("proc", *PANEL)) & (lines["rev"] == 0)
    return (lines["proc"] > 0) & (lines["paid"] > 0)


def _choose(among: Array, provider: Array, guilty: Array, wanted: int, rng: np.random.Generator) -> Array:
    """Claims of perpetrators first, up to their part; the rest from anybody."""
    theirs = among[guilty[provider[among]]]
    first = rng.permutation(theirs)[: round(wanted * THEIR_PART)]
    others = rng.permutation(np.setdiff1d(among, first))[: wanted - len(first)]
    return np.sort(np.concatenate([first, others]))


def _upcode(made: Planted, chosen: Array, rng: np.random.Generator) -> Planted:
    """A higher level of service than was given, at its price."""
    lines = made.lines
    rows = np.flatnonzero(np.isin(lines["claim"], chosen) & np.isin(lines["proc"], at("proc", *UPCODED)))
    pick, factor = rng.random(len(rows)), rng.uniform(*UPCODED_PAYS, len(rows))
    for given, billed in UPCODED.items():
        at_level = lines["proc"][rows] == one("proc", given)
        levels = at("proc", *billed)
        lines["proc"][rows[at_level]] = levels[(pick[at_level] * len(levels)).astype(np.int64)]
    _pay(lines, rows, factor)
    return made


def _unbundle(made: Planted, chosen: Array, rng: np.random.Generator) -> Planted:
    """The parts of a panel as lines of their own, each with modifier 59 now and then."""
    lines, panel = made.lines, at("proc", *PANEL)
    parts = rng.integers(LEAST_PARTS, len(PANEL), len(chosen))
    order = np.argsort(rng.random((len(chosen), len(PANEL))), axis=1)
    claim = np.repeat(chosen, parts)
    nth = counter(claim)
    billed = rng.integers(*PART_CENTS, len(claim))
    last = np.zeros(rows_of(made.claims), np.int64)
    np.maximum.at(last, lines["claim"], lines["line"])
    proc = panel[order[np.repeat(np.arange(len(chosen)), parts), nth]]
    extra: Table = {
        "claim": claim, "line": last[claim] + 1 + nth, "proc": proc,
        "mod": np.where(rng.random(len(claim)) < 0.5, DISTINCT, 0), "billed": billed * 2, "allowed": billed,
        "paid": billed,
    }  # fmt: skip
    whole = {n: np.concatenate([lines[n], _as(extra, n, len(claim), lines[n].dtype)]) for n in lines}
    return replace(made, lines=take(whole, np.argsort(whole["claim"], kind="stable")))


def _as(extra: Table, name: str, size: int, dtype: np.dtype) -> Array:
    return np.asarray(extra.get(name, np.full(size, LINE_DEFAULTS[name]))).astype(dtype)


def _overstate_units(made: Planted, chosen: Array, rng: np.random.Generator) -> Planted:
    """More units of the dearest line than could be given."""
    lines = made.lines
    order = np.lexsort((-lines["paid"], lines["claim"]))
    rows = order[(counter(lines["claim"][order]) == 0) & np.isin(lines["claim"][order], chosen)]
    lines["units"][rows] = lines["units"][rows] * rng.integers(*UNITS_TIMES, len(rows))
    _pay(lines, rows, rng.uniform(*UNITS_PAY, len(rows)))
    return made


def _pay(lines: Table, rows: Array, factor: Array) -> None:
    for name in ("billed", "allowed", "paid"):
        lines[name][rows] = np.rint(lines[name][rows] * factor).astype(np.int64)
    lines["paid"][rows] = np.maximum(lines["allowed"][rows] - lines["liability"][rows], 0)


def _phantoms(
    made: Planted, kind: int, wanted: int, free: Array, life: Life, guilty: Array, rng: np.random.Generator
) -> Planted:
    """Claims like those that the provider sends, for other members, who were not there."""
    block, original = life.people.block, (made.claims, made.lines)
    seen = np.isin(made.claims["type"], at("type", "PROF", "DENTAL")) & free
    claims, lines = select(original, _choose(np.flatnonzero(seen), made.claims["provider"], guilty, wanted, rng))
    n = rows_of(claims)
    covered = np.argwhere(life.cover.covered)
    member, month = covered[rng.integers(0, len(covered), n)].T
    day = life.cover.days(rng, member, month, block.first_month)
    stays = np.flatnonzero(life.claims["to_day"] - life.claims["admit"] >= LEAST_NIGHTS)
    stays = stays[life.claims["admit"][stays] >= 0]
    if len(stays):
        inside = share_of(rng, n, DURING_STAY)
        stay = stays[rng.integers(0, len(stays), len(inside))]
        member[inside], day[inside] = life.claims["member"][stay], life.claims["admit"][stay] + 1
    length = np.maximum(claims["to_day"] - claims["from_day"], 0)
    claims |= {"member": member.astype(np.int32), "from_day": day, "to_day": day + length}
    claims |= pay_dates(day + length, rng, block.first_month)
    claims["late"] = np.zeros(n, np.int8)
    claims["style"] = np.minimum(claims["style"], UNDOTTED)
    claims["id"] = block.number * BLOCK_SPACE + rows_of(life.claims) + np.arange(n, dtype=np.int64)
    claims, lines = select((claims, lines), np.flatnonzero(claims["received"] < block.months))
    return _with(_joined(made, (claims, lines)), claims["id"], kind)


def _joined(made: Planted, more: tuple[Table, Table]) -> Planted:
    claims, lines = join([(made.claims, made.lines), more])
    return replace(made, claims=claims, lines=lines)


def _with(made: Planted, ids: Array, kind: int) -> Planted:
    return replace(
        made, ids=np.concatenate([made.ids, ids]), kinds=np.concatenate([made.kinds, np.full(len(ids), kind)])
    )


def _nothing() -> tuple[Array, Array]:
    return np.zeros(0, np.int64), np.zeros(0, np.int64)
