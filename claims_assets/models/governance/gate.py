"""May a version score, and is it good enough to be champion? What is known of it in, a verdict out.

Pure: no registry, no lake, no clock. Every criterion that can't be answered refuses, by name. Elsewhere: the numbers
(`thresholds.py`), calibration, stability and groups (`calibration.py`, `stability.py`, `fairness.py`), two versions
(`comparison.py`), and what follows (`models/promotion.py`).
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from claims_assets.models.governance import calibration, fairness, stability
from claims_assets.models.governance.comparison import UNKNOWN, Interval, gain, interval
from claims_assets.models.governance.measures import Scored, measure
from claims_assets.models.governance.thresholds import CLASSIFIER, FLOORS, HIGH_SHARE, REGRESSION, REPRODUCED, Demands
from claims_assets.models.governance.verdict import (
    BELOW_FLOOR,
    PASSED,
    REFUSED,
    Criterion,
    Verdict,
    refused,
    shown,
)

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

TEST = "test_"
"""Prefix of a run's measures of the held-out test members."""
CALIBRATION_PART, TEST_PART = PARTS = ("calibration", "test")
NUMBERS = ("outcome", "predicted", "rule_predicted")
"""Columns of the held-out rows that hold a finite number in every row."""
BROKEN = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What a computation over unexpected rows may raise."""
COLUMNS = ("part", "member_id", "is_event", "flagged", *NUMBERS, *fairness.ATTRIBUTES)


@dataclass(frozen=True)
class Evidence:
    """All that is known of one version."""

    model: str
    is_classifier: bool
    metrics: Mapping[str, float]
    """Of the run that registered it, by name; `test_*` are of the held-out test members."""
    rows: "pd.DataFrame"
    """Its held-out rows: columns COLUMNS of `gold.holdout_predictions`."""
    leaks: Mapping[str, int] = field(default_factory=dict)
    """Feature -> cells that differ when it is built again from what was known at the time; empty: none does."""
    changed_scores: int = 0
    """Test members whom the stored model file scores otherwise than the held-out rows say."""
    unreadable: Mapping[str, str] = field(default_factory=dict)
    """What could not be read or computed -> why."""

    @property
    def demands(self) -> Demands:
        return CLASSIFIER if self.is_classifier else REGRESSION

    @cached_property
    def faults(self) -> list[str]:
        """Why the held-out rows can't be used; a sentence each."""
        try:
            return list(_faults(self))
        except BROKEN as error:
            return [f"The held-out rows can't be read as numbers ({type(error).__name__})."]

    def part(self, name: str) -> "pd.DataFrame":
        return self.rows.loc[self.rows["part"] == name, :]

    @cached_property
    def test(self) -> Scored:
        """What the version said of the test members."""
        return self.scored(TEST_PART)

    @cached_property
    def rule(self) -> Scored:
        """What the rule of thumb said of them; its flags are not used."""
        rows = self.part(TEST_PART)
        return self.scored(TEST_PART, rows["rule_predicted"].to_numpy("float64"), self.test.flagged)

    def scored(self, part: str, predicted: "np.ndarray | None" = None, flagged: "np.ndarray | None" = None) -> Scored:
        """A part with these predictions; None: the version's own."""
        rows = self.part(part)
        label = rows["outcome"].to_numpy("float64")
        if predicted is None:
            predicted = rows["predicted"].to_numpy("float64")
        if self.decides:
            if flagged is None:
                flagged = rows["flagged"].to_numpy("float64") > 0
            return Scored(label, rows["is_event"].to_numpy("float64") > 0, predicted, flagged)
        high, flags_from = self._cuts
        return Scored(label, label >= high, predicted, predicted >= flags_from)

    @property
    def decides(self) -> bool:
        """Whether the version warns of an event and flags members, or only predicts a value."""
        return self.is_classifier or bool(self.rows["flagged"].notna().any())

    @cached_property
    def _cuts(self) -> tuple[float, float]:
        """Of a version that decides nothing: its highest twentieth of outcomes and of predictions, last year."""
        known = self.part(CALIBRATION_PART)
        label, predicted = (float(known[n].astype("float64").quantile(HIGH_SHARE)) for n in ("outcome", "predicted"))
        return label, predicted

    @cached_property
    def members(self) -> "np.ndarray":
        return self.part(TEST_PART)["member_id"].to_numpy()


@dataclass(frozen=True)
class Judgement:
    """The verdict, and the two numbers that are recorded with it."""

    verdict: Verdict
    primary: Interval = UNKNOWN
    gain_on_rule: Interval = UNKNOWN


def judge(evidence: Evidence) -> Judgement:
    """Ask everything; where the held-out rows can't be used, what needs them is not asked, and they refuse."""
    found = [*_readable(evidence), *_metrics(evidence), *_rows(evidence), *_leaks(evidence), *_floors(evidence)]
    found += _plausible(evidence)
    if evidence.faults:
        return Judgement(Verdict(tuple(found)))
    primary, on_rule = _of_chance(evidence)
    for ask in (_reproduced, _somebody, _calibrated, _stable, _fair):
        found += _asked(ask, evidence)
    found.append(_better_than_rule(evidence, on_rule))
    return Judgement(Verdict(tuple(found)), primary, on_rule)


def _asked(ask: "Callable[[Evidence], Iterator[Criterion]]", evidence: Evidence) -> list[Criterion]:
    """A criterion that breaks is one that is not met. Its message is left out, as it may hold a member's value."""
    try:
        return list(ask(evidence))
    except BROKEN as error:
        name = ask.__name__.removeprefix("_")
        return [refused(name, "can be computed", f"{name}: could not be computed ({type(error).__name__}).")]


def _of_chance(evidence: Evidence) -> tuple[Interval, Interval]:
    """The primary measure, and how much better it is than the rule's."""
    name = evidence.demands.primary
    try:
        primary = interval(name, evidence.test, evidence.members)
        return primary, gain(name, evidence.test, evidence.rule, evidence.members)
    except BROKEN:  # unknown refuses, see _better_than_rule
        return UNKNOWN, UNKNOWN


def _readable(evidence: Evidence) -> Iterator[Criterion]:
    for what, why in evidence.unreadable.items():
        yield refused(what, "can be read", f"{what}: {why}")


def _metrics(evidence: Evidence) -> Iterator[Criterion]:
    """Everything that the gate reads of the run is there and finite."""
    floors = [f.measure for f in FLOORS.get(evidence.model, ())]
    wanted = sorted({*evidence.demands.measures, *floors})
    missing = [TEST + n for n in wanted if not math.isfinite(evidence.metrics.get(TEST + n, math.nan))]
    limit = f"{len(wanted)} measures of the test members, finite"
    if missing:
        yield refused("measures", limit, f"The run has no finite {', '.join(missing)}.")
    elif evidence.model not in FLOORS:
        yield refused(
            "measures", limit, f"No floors are stated for {evidence.model} (models/governance/thresholds.py)."
        )
    else:
        yield Criterion("measures", PASSED, limit, float(len(wanted)))


def _rows(evidence: Evidence) -> Iterator[Criterion]:
    limit = "complete, each test member once"
    if evidence.faults:
        yield refused("held-out rows", limit, " ".join(evidence.faults))
    else:
        yield Criterion("held-out rows", PASSED, limit, float(len(evidence.members)))


def _faults(evidence: Evidence) -> Iterator[str]:
    import numpy as np

    rows = evidence.rows
    absent = [n for n in COLUMNS if n not in rows.columns]
    if absent:
        yield f"The held-out rows have no column {', '.join(absent)}."
        return
    for part in PARTS:
        if not (rows["part"] == part).any():
            yield f"There are no held-out rows of the {part} part."
    for name in (*NUMBERS, "is_event", "flagged") if evidence.decides else NUMBERS:
        holes = int((~np.isfinite(rows[name].astype("float64"))).sum())
        if holes:
            yield f"{name} is missing in {holes} of {len(rows)} held-out rows."
    if evidence.part(TEST_PART)["member_id"].duplicated().any():
        yield "A test member is there more than once."
    if evidence.is_classifier and not (_within(rows, "predicted") and set(rows["outcome"]) <= {0, 1}):
        yield "Outcomes are not 0 or 1, or predictions not between them."


def _within(rows: "pd.DataFrame", name: str) -> bool:
    return bool((rows[name].astype("float64") >= 0).all() and (rows[name].astype("float64") <= 1).all())


def _leaks(evidence: Evidence) -> Iterator[Criterion]:
    """Features built again from what was known at the index month are what the model was tested on."""
    name, limit = "time travel", "no feature differs"
    if name in evidence.unreadable:
        return
    leaking = sorted(n for n, cells in evidence.leaks.items() if cells)
    if leaking:
        reason = f"Features hold what was not known at their month: {', '.join(leaking)}."
        yield Criterion(name, REFUSED, limit, float(sum(evidence.leaks.values())), reason=reason)
    else:
        yield Criterion(name, PASSED, limit, 0.0)


def _floors(evidence: Evidence) -> Iterator[Criterion]:
    """The sources' limits, on the run's own measures; a missing one refuses above."""
    for floor in FLOORS.get(evidence.model, ()):
        value = evidence.metrics.get(TEST + floor.measure, math.nan)
        if not math.isfinite(value):
            continue
        ends = [evidence.metrics.get(f"{TEST}{floor.measure}_{end}") for end in ("low", "high")]
        reason = "" if floor.holds(value) else f"{floor.measure} is {shown(value)}, asked is {floor}."
        yield Criterion(floor.measure, BELOW_FLOOR if reason else PASSED, str(floor), value, *ends, reason=reason)


def _plausible(evidence: Evidence) -> Iterator[Criterion]:
    for name, most in evidence.demands.implausible:
        value, limit = evidence.metrics.get(TEST + name, math.nan), f"at most {most:g}"
        if value > most:
            reason = f"{name} is {value:.4f}: nobody knows the coming year so well; look for the label in the features."
            yield Criterion(f"plausible {name}", REFUSED, limit, value, reason=reason)
        elif math.isfinite(value):
            yield Criterion(f"plausible {name}", PASSED, limit, value)


def _reproduced(evidence: Evidence) -> Iterator[Criterion]:
    """The run's measures are those of the held-out rows, and the rows those of the stored model."""
    differing = []
    for name in evidence.demands.measures:
        claimed = evidence.metrics.get(TEST + name, math.nan)
        if math.isfinite(claimed):
            own = float(measure(name, evidence.test)[0])
            if not math.isclose(own, claimed, rel_tol=REPRODUCED, abs_tol=REPRODUCED):
                differing.append(f"{TEST}{name} is {shown(claimed)}, the held-out rows give {shown(own)}.")
    limit = "computed again from the held-out rows"
    yield Criterion("run's measures", REFUSED if differing else PASSED, limit, reason=" ".join(differing))
    if evidence.changed_scores:
        reason = f"The stored model scores {evidence.changed_scores} test members otherwise than the held-out rows say."
        yield Criterion("stored model", REFUSED, "gives the held-out scores", reason=reason)
    elif "stored model" not in evidence.unreadable:
        yield Criterion("stored model", PASSED, "gives the held-out scores")


def _somebody(evidence: Evidence) -> Iterator[Criterion]:
    """A model of a rare event that flags nobody is right most of the time, and of no use."""
    found = float(measure("recall", evidence.test)[0])
    if found > 0:
        yield Criterion("finds somebody", PASSED, "recall above 0", found)
    else:
        reason = "No test member with the event is flagged, however accurate that is."
        yield Criterion("finds somebody", REFUSED, "recall above 0", found, reason=reason)


def _better_than_rule(evidence: Evidence, found: Interval) -> Criterion:
    name, limit = f"{evidence.demands.primary} less the rule's", "above 0, with its interval"
    if not found.known:
        return refused(name, limit, f"{name} can't be computed.")
    reason = ""
    if found.low <= 0:
        reason = (
            f"{evidence.demands.primary} is not better than that of the rule of thumb beyond chance:"
            f" {found.value:+.4f} ({found.low:+.4f} to {found.high:+.4f})."
        )
    return Criterion(name, REFUSED if reason else PASSED, limit, found.value, found.low, found.high, reason=reason)


def _calibrated(evidence: Evidence) -> Iterator[Criterion]:
    yield from calibration.criteria(evidence.test, evidence.members, is_classifier=evidence.is_classifier)


def _stable(evidence: Evidence) -> Iterator[Criterion]:
    before = evidence.part(CALIBRATION_PART)["member_id"].to_numpy()
    scored = evidence.scored(CALIBRATION_PART)
    yield from stability.criteria(evidence.demands.ranking, scored, before, evidence.test, evidence.members)


def _fair(evidence: Evidence) -> Iterator[Criterion]:
    yield from fairness.criteria(fairness.pairs(evidence.part(TEST_PART), evidence.test))
