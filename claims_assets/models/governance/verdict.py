"""What the gate answers: a criterion each, and the worst of them."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Outcome = Literal["passed", "below_floor", "refused"]
PASSED: Outcome = "passed"
BELOW_FLOOR: Outcome = "below_floor"
REFUSED: Outcome = "refused"
OUTCOMES: tuple[Outcome, ...] = (PASSED, BELOW_FLOOR, REFUSED)
"""Best first."""
REPORTED = "reported"
"""How a limit begins that decides nothing."""


@dataclass(frozen=True)
class Criterion:
    """One question to a model and its answer; names no member and no group of fewer than eleven."""

    name: str
    outcome: Outcome
    limit: str
    """What is asked, in words."""
    value: float | None = None
    """None: there is no one number, or it could not be computed."""
    low: float | None = None
    high: float | None = None
    """95 % interval."""
    reason: str = ""
    """One sentence; empty where it passed."""
    notes: tuple[str, ...] = ()
    """What is worth knowing though it decides nothing."""
    group: str = ""
    """For fairness: the group whose rate is farthest from that of the largest, and how far."""
    cell: tuple[str, str] | None = None
    """For fairness: attribute and rate, row and column of a table of its own."""


@dataclass(frozen=True)
class Verdict:
    """All criteria of one version."""

    criteria: tuple[Criterion, ...]

    @property
    def outcome(self) -> Outcome:
        """The worst of the criteria; refused where none was asked."""
        found = {c.outcome for c in self.criteria}
        if REFUSED in found or not found:
            return REFUSED
        return BELOW_FLOOR if BELOW_FLOOR in found else PASSED

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it did not pass, the worst first."""
        failed = sorted((c for c in self.criteria if c.reason), key=lambda c: -OUTCOMES.index(c.outcome))
        return tuple(c.reason for c in failed) or (() if self.criteria else ("Nothing is known of this version.",))

    @property
    def notes(self) -> tuple[str, ...]:
        return tuple(note for c in self.criteria for note in c.notes)

    def as_markdown(self) -> str:
        """A table of the criteria, and one of those about groups: attributes by rates."""
        lines = ["| criterion | value | limit | verdict |", "|---|---|---|---|"]
        asked = [c for c in self.criteria if not c.cell]
        lines += [f"| {c.name} | {_cell(c)} | {c.limit} | {c.outcome.replace('_', ' ')} |" for c in asked]
        return "\n".join(lines + self._of_groups())

    def _of_groups(self) -> list[str]:
        cells = {c.cell: c for c in self.criteria if c.cell}
        if not cells:
            return []
        attributes, rates = (list(dict.fromkeys(key[i] for key in cells)) for i in (0, 1))
        lines = ["", f"| farthest from the largest group | {' | '.join(rates)} |", "|---" * (len(rates) + 1) + "|"]
        return lines + [
            f"| {a} | {' | '.join(_group(cells[a, r]) if (a, r) in cells else '' for r in rates)} |" for a in attributes
        ]


def verdict(criteria: Iterable[Criterion]) -> Verdict:
    return Verdict(tuple(criteria))


def refused(name: str, limit: str, reason: str) -> Criterion:
    """The answer could not be found, or is that the model can't be trusted."""
    return Criterion(name, REFUSED, limit, reason=reason)


def shown(value: float) -> str:
    """A number as people read it."""
    if not math.isfinite(value):
        return "not a number"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3f}"


def _cell(c: Criterion) -> str:
    if c.value is None:
        return ""
    interval = f" ({shown(c.low)} to {shown(c.high)})" if c.low is not None and c.high is not None else ""
    return shown(c.value) + interval


def _group(c: Criterion) -> str:
    verdict = c.outcome if c.outcome != PASSED or not c.limit.startswith(REPORTED) else REPORTED
    return f"{c.group or 'not judged'}: {verdict.replace('_', ' ')}"
