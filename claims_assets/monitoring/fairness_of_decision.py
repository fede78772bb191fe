"""One decision of one month compared over groups: rates, ratios, verdicts, and what may be shown of them.

Here: from the sums of each group to rows; nothing is read. Elsewhere: the sums and the table (`fairness_results.py`),
the statistics (`group_rates.py`), the comparison, which the promotion gate shares (`models/governance/fairness.py`).
Counts of one to ten are left out, and with them what would tell them by subtraction.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from claims_assets.models.governance.fairness import (
    ATTRIBUTES,
    FLAGGED,
    FOUND,
    MEANT,
    RIGHT,
    Pair,
    blocks,
    pairs_of,
    reference_of,
    unfair_of,
)
from claims_assets.models.governance.thresholds import FAIRNESS
from claims_assets.monitoring.group_rates import (
    REFERENCE,
    Counts,
    Sums,
    effect_size,
    hidden,
    may_be_shown,
    ratio_interval,
    verdict_of,
    wilson,
)
from claims_assets.partitions import MONTH
from claims_assets.predictions.monthly_profiles import MICRO

FAIR, UNFAIR, NOT_JUDGED = "fair", "unfair", "not_judged"
ROUNDED = 0.01
HIDDEN = "A count of one to ten, or one that would tell such a count."
TO_TWO_DIGITS = "The counts would tell one of one to ten; the rate is rounded."
Groups = Mapping[str, Sequence[Mapping[str, Any]]]
"""Attribute -> the sums of each of its groups."""


def compared(month: str, decision: str, tables: Groups, measures: Sequence[str]) -> Iterator[dict[str, Any]]:
    """All measures of a decision; its comparisons are families, one that decides and one that is reported."""
    known = {(a, m): _counts(m, tables[a]) for a in ATTRIBUTES if a in tables for m in measures}
    sums = {a: {str(g["group_name"]): _sums_of(g) for g in groups} for a, groups in tables.items()}
    pairs = [p for (a, m), counts in known.items() for p in pairs_of(a, m, counts, sums[a])]
    failed = set().union(*(unfair_of([p for p in pairs if blocks(p.attribute, p.rate) == d]) for d in (True, False)))
    for (attribute, measure), counts in known.items():
        own = [p for p in pairs if (p.attribute, p.rate) == (attribute, measure)]
        about = {
            MONTH: month,
            "decision": decision,
            "attribute": attribute,
            "measure": measure,
            "decides": blocks(attribute, measure),
            "attribute_verdict": _of_all(own, failed),
        }
        # Of members whose year is judged, the measures share their counts: what one hides, another must not tell.
        gone = set().union(*(hidden(known[attribute, m]) for m in measures))
        yield from (about | row for row in _rows(measure, counts, sums[attribute], own, failed, gone))


def _of_all(pairs: Sequence[Pair], failed: set[Pair]) -> str:
    if any(p in failed for p in pairs):
        return UNFAIR
    return FAIR if any(p.judged for p in pairs) else NOT_JUDGED


def _counts(measure: str, groups: Iterable[Mapping[str, Any]]) -> dict[str, Counts]:
    hits, among = {
        FLAGGED: ("flagged", "members"), FOUND: ("both", "events"), RIGHT: ("both", "flagged"),
        MEANT: ("events", "members"),
    }[measure]  # fmt: skip
    return {str(g["group_name"]): (int(g[hits]), int(g[among])) for g in groups}


def _sums_of(group: Mapping[str, Any]) -> Sums:
    members = int(group["members"])
    if not members:
        return Sums(0.0, 0.0, 0.0)
    mean = int(group["residual"]) / MICRO / members
    variance = max(0.0, int(group["squares"]) / MICRO / MICRO / members - mean * mean)
    return Sums(int(group["predicted"]) / MICRO, float(group["events"]), math.sqrt(variance * members))


def _rows(
    measure: str,
    counts: Mapping[str, Counts],
    sums: Mapping[str, Sums],
    pairs: Sequence[Pair],
    failed: set[Pair],
    gone: set[str],
) -> Iterator[dict[str, Any]]:
    """A row for each group, without what must not be shown."""
    reference = reference_of(measure, counts)
    of_group = {p.group: p for p in pairs}
    for group in sorted(counts):
        pair = of_group.get(group)
        row: dict[str, Any] = {"group_name": group, "reference_group": reference}
        row["verdict"] = verdict_of(pair, failed) if pair else REFERENCE
        if group in gone:
            yield row | _rounded(measure, counts[group], None if reference in gone else pair)
        elif pair and reference in gone:
            yield row | {"absent": HIDDEN} | _rate(measure, counts[group], sums[group])
        else:
            yield row | _rate(measure, counts[group], sums[group]) | (_ratio(measure, pair) if pair else {})


def _rate(measure: str, counts: Counts, sums: Sums) -> dict[str, Any]:
    hits, members = counts
    found: dict[str, Any] = {"hits": hits, "members": members}
    if measure == MEANT:
        return found | {"rate": sums.predicted / sums.observed if sums.observed else None}
    lower, upper = wilson(hits, members) or (None, None)
    return found | {"rate": hits / members if members else None, "rate_lower": lower, "rate_upper": upper}


def _rounded(measure: str, counts: Counts, pair: Pair | None) -> dict[str, Any]:
    """Of a large group that is hidden for another's sake: its rate to two digits, which more than ten counts share."""
    hits, members = counts
    if measure == MEANT or not may_be_shown(hits, members) or members * ROUNDED < FAIRNESS.smallest_shown:
        return {"absent": HIDDEN}
    rate = round(hits / members, 2)
    known = pair.reference_hits if pair else 0
    ratio = {"ratio": rate * pair.reference_members / known} if pair and known else {}
    return {"rate": rate, "absent": TO_TWO_DIGITS} | ratio


def _ratio(measure: str, pair: Pair) -> dict[str, Any]:
    found = {"ratio": _finite(pair.ratio), "p": pair.p}
    if measure == MEANT:
        return found
    four = pair.hits, pair.members, pair.reference_hits, pair.reference_members
    lower, upper = ratio_interval(*four)
    return found | {
        "ratio_lower": _finite(lower),
        "ratio_upper": _finite(upper),
        "effect_size": _finite(effect_size(*four)),
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
