"""Which counts of published tables stay hidden, so that nobody can work out that one of them is 1 to 10.

Here: the rule for any counts with any totals among them. Elsewhere: which tables those are (`published_counts.py`).
Hiding the small counts is not enough: a total less its other parts gives the count away. So further counts are hidden
until, for each small one, other numbers fit everything that is shown, in which it is large. These numbers are found,
so the guarantee is by construction; they are whole, and no hidden count of them is 0, because a zero is always shown.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from math import log1p
from typing import Any, Generic, TypeVar

Cell = TypeVar("Cell", bound=Hashable)

SMALLEST_SHOWN = 11
"""No count of 1 to 10 may be shown or derived, also by totals and percentages; 0 may be shown (CMS Cell Size
Suppression Policy, https://resdac.org/articles/cms-cell-size-suppression-policy, version of 2024-01-26)."""
LOSS_OF_A_TOTAL = 10.0
"""How many times as much a total is worth as a part of its size; a choice of this project."""

LEAST_REWARD = 1e-3
"""What all gains of other small counts weigh together: far less than hiding one more cell."""


@dataclass(frozen=True)
class Sum(Generic[Cell]):
    """A published count that is the sum of others."""

    total: Cell
    parts: tuple[Cell, ...]


def is_small(count: int) -> bool:
    """Whether the count must not be known."""
    return 0 < count < SMALLEST_SHOWN


def hidden_cells(values: Mapping[Cell, int], sums: Sequence[Sum[Cell]]) -> frozenset[Cell]:
    """The cells to hide: all small ones, and for each of them those further ones that lose least.

    Args:
        values: the counts; every cell of `sums` is there.
        sums: every sum that a reader can form, those over several tables too.
    """
    order = sorted(values, key=repr)
    small = [c for c in order if is_small(values[c])]
    hidden, safe = set(small), set()
    for cell in sorted(small, key=lambda c: values[c]):
        if cell in safe:
            continue
        change = _other_numbers(values, sums, order, hidden, cell, [c for c in small if c not in safe])
        hidden |= change.keys()
        safe |= {c for c in small if values[c] + change.get(c, 0) >= SMALLEST_SHOWN}
    return frozenset(hidden)


def _other_numbers(
    values: Mapping[Cell, int],
    sums: Sequence[Sum[Cell]],
    order: Sequence[Cell],
    hidden: set[Cell],
    cell: Cell,
    unsafe: Sequence[Cell],
) -> dict[Cell, int]:
    """Changes of counts with which all sums still hold and `cell` is large; of cells not hidden yet the cheapest.

    There always are some: whatever the cell gains, its totals may gain too. What costs nothing makes further small
    counts large as well, so that they need no search of their own.
    """
    import numpy as np
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import coo_array

    free = [c for c in order if values[c] > 0]
    at = {c: i for i, c in enumerate(free)}
    n, need = len(free), SMALLEST_SHOWN - values[cell]
    loss, others = _losses(values, sums), [at[c] for c in unsafe]
    cost, reward = np.array([0.0 if c in hidden else loss[c] for c in free]), np.zeros(n)
    reward[others] = LEAST_REWARD / len(others)
    # Three variables a cell: what it gains until it is large, what it gains beyond, and what it loses.
    entries = [
        (row, at[c] + part * n, sign * way)
        for row, s in enumerate(sums)
        for c, sign in [(s.total, -1), *[(p, 1) for p in s.parts]]
        if c in at
        for part, way in enumerate((1, 1, -1))
    ]
    lowest: Any = np.zeros(3 * n)
    highest: Any = np.concatenate([np.zeros(n), np.full(n, np.inf), [values[c] - 1.0 for c in free]])
    highest[others] = [SMALLEST_SHOWN - values[c] for c in unsafe]
    lowest[at[cell]] = need
    highest[at[cell] + n] = highest[at[cell] + 2 * n] = 0
    rows, columns, signs = zip(*entries, strict=True) if entries else ((), (), ())
    balance = coo_array((signs, (rows, columns)), shape=(max(len(sums), 1), 3 * n)).tocsr()
    found = milp(
        np.concatenate([cost - reward, cost, cost + reward]),
        integrality=np.ones(3 * n),
        bounds=Bounds(lowest, highest),
        constraints=LinearConstraint(balance, 0, 0),
    )
    until, beyond, lost = np.rint(found.x).astype(int).reshape(3, n)
    return {c: int(d) for c, d in zip(free, until + beyond - lost, strict=True) if d}


def _losses(values: Mapping[Cell, int], sums: Sequence[Sum[Cell]]) -> dict[Cell, float]:
    """What a reader loses with each cell."""
    totals = {s.total for s in sums}
    return {c: log1p(v) * (LOSS_OF_A_TOTAL if c in totals else 1.0) for c, v in values.items()}
