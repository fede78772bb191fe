"""The quality score of what a write found: one number from 0 to 100 per claim month, and what it is made of.

Here: how counts become dimensions, dimensions a score, a score a band; nothing is read or written. Elsewhere: the rules
and their dimensions (`contracts.py`), the counts (`runtime/stage.py`), the table (`data_quality_scores.py`). Every
number of quality in this project is on the one scale from 0 to 100; docs/quality.md says how to read it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from claims_assets.contracts import GRAIN_IS_UNIQUE, Compiled, Rule
from claims_assets.runtime.stage import Findings

WEIGHTS = {"completeness": 0.25, "validity": 0.30, "consistency": 0.20, "accuracy": 0.15, "timeliness": 0.10}
"""Share of each dimension in the score, as in the public project rdmurugan/agenticdataengineering
(config/data_quality_config.yaml), which scores Medicaid claims."""
PERFECT = 100.0
BANDS = {60.0: "critical", 80.0: "warning", 95.0: "fair", 98.0: "good"}
"""A score below the number is in the band; same source, which states them from 0 to 1."""
BEST, NO_ROWS = "excellent", "no rows"
BAND_NAMES = (*BANDS.values(), BEST, NO_ROWS)
DIGITS = 2


@dataclass(frozen=True)
class Count:
    """What one rule found in one month."""

    rule: str
    severity: str
    dimension: str
    applicable: int
    """Rows to which the rule applies: those that hold the values it speaks of."""
    failed: int


@dataclass(frozen=True)
class Score:
    """The quality of one month of a table; `score` is None where there is no row to judge."""

    rows: int
    dimensions: Mapping[str, float]
    """Those that could be measured, each 0 to 100."""
    score: float | None

    @property
    def band(self) -> str:
        return band(self.score)


def band(score: float | None) -> str:
    """The word for a score."""
    if score is None:
        return NO_ROWS
    return next((name for limit, name in BANDS.items() if score < limit), BEST)


def counts_of(findings: Findings, contract: Compiled, month: str) -> list[Count]:
    """What each rule found in a month, by name; a rejection that the contract does not state only where it occurred."""
    failed = findings.failed.get(month, {}) | findings.measured.get(month, {})
    applicable = findings.applicable.get(month, {})
    rules = {r.name: r for r in (*contract.counted, *contract.rules)}
    unstated = {n: Rule(n, "quarantine", "rejected", dimension="accuracy") for n in failed.keys() - rules.keys()}
    return [
        Count(name, r.severity, r.dimension, applicable.get(name, 0), failed.get(name, 0))
        for name, r in sorted((rules | unstated).items())
    ]


def score_of(findings: Findings, contract: Compiled) -> dict[str, Score]:
    """The score of every month that was written.

    A dimension is the mean, over its rules, of the share of applicable rows that keep the rule: over rules and not over
    rows, so that a column that is seldom filled has as much to say as one that always is. A rule that applies to no row
    says nothing. The weights of the dimensions that could be measured are scaled up to 1.
    """
    return {
        month: _score(findings.rows_of(month), _judged(counts_of(findings, contract, month), contract))
        for month in sorted({*findings.kept, *findings.quarantined})
    }


def lowest(scores: Mapping[str, Score]) -> tuple[str, Score] | None:
    """The month that scores lowest (the first of equals) and its score; None when no month has rows."""
    scored = [(s.score, month) for month, s in scores.items() if s.score is not None]
    return (min(scored)[1], scores[min(scored)[1]]) if scored else None


def _judged(counts: list[Count], contract: Compiled) -> list[Count]:
    """The counts of the rules that the contract states.

    A rejection that it doesn't state counts against the grain. It shows up only in months that have such a row, so as a
    rule of its own it would raise the mean of a month by being broken a little.
    """
    stated = contract.severity_of()
    unstated = sum(c.failed for c in counts if c.rule not in stated)
    return [
        Count(c.rule, c.severity, c.dimension, c.applicable, c.failed + unstated) if c.rule == GRAIN_IS_UNIQUE else c
        for c in counts
        if c.rule in stated
    ]


def _score(rows: int, counts: list[Count]) -> Score:
    shares: dict[str, list[float]] = {}
    for c in counts:
        if c.applicable:
            shares.setdefault(c.dimension, []).append(1 - min(c.failed / c.applicable, 1))
    kept = {d: PERFECT * sum(shares[d]) / len(shares[d]) for d in WEIGHTS if d in shares}
    weight = sum(WEIGHTS[d] for d in kept)
    score = round(sum(WEIGHTS[d] * value for d, value in kept.items()) / weight, DIGITS) if kept else None
    return Score(rows, {d: round(value, DIGITS) for d, value in kept.items()}, score)
