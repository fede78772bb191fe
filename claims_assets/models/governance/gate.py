"""May a version score, and is it good enough to be champion? What is known of it in, a verdict out.

Pure: no registry, no lake, no clock. Every criterion that can't be answered refuses, by name. Elsewhere: the numbers
(`thresholds.py`), groups (`fairness.py`), two versions (`comparison.py`), and what follows (`models/promotion.py`).
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from claims_assets.models.governance import fairness
from claims_assets.models.governance.comparison import UNKNOWN, Interval, drop, gain, interval
from claims_assets.models.governance.measures import Scored, measure
from claims_assets.models.governance.thresholds import (
    CALIBRATION,
    CLASSIFIER,
    FLOORS,
    HIGH_SHARE,
    REGRESSION,
    REPRODUCED,
    STABILITY,
    Demands,
)
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
    """Predicted is what happens, in all and by tenths of the members."""
    ratio = interval("predicted_to_observed", evidence.test, evidence.members)
    limit = f"{CALIBRATION.low:g} to {CALIBRATION.high:g}, if not by chance"
    reason = ""
    if not ratio.known:
        reason = "Predicted to observed can't be computed."
    elif not CALIBRATION.low <= ratio.value <= CALIBRATION.high and not ratio.low <= 1 <= ratio.high:
        reason = f"It predicts {ratio.value:.2f} times what happens."
    outcome = REFUSED if reason else PASSED
    yield Criterion("predicted to observed", outcome, limit, ratio.value, ratio.low, ratio.high, reason=reason)
    yield _by_tenths(evidence)


def _by_tenths(evidence: Evidence) -> Criterion:
    """Mean distance of predicted and observed; what perfect predictions of so few members would show is taken off."""
    import numpy as np

    of, scale, most = evidence.test, 1.0, CALIBRATION.absolute
    if not evidence.is_classifier:
        scale, most = float(abs(of.label.mean())), CALIBRATION.relative
    distance = noise = 0.0
    for tenth in np.array_split(np.argsort(of.predicted, kind="stable"), CALIBRATION.tenths):
        if len(tenth):
            error = of.predicted[tenth] - of.label[tenth]
            share = len(tenth) / len(of.label)
            distance += share * abs(float(error.mean()))
            # The mean of |N(0, s)| is s * sqrt(2 / pi).
            noise += share * float(error.std()) * math.sqrt(2 / math.pi / len(tenth))
    value = max(0.0, distance - noise) / scale if scale else math.nan
    limit = f"at most {most:g}{'' if evidence.is_classifier else ' of the mean'}, beyond chance"
    reason = "" if value <= most else f"Predicted and observed differ by {shown(value)} on average over tenths."
    return Criterion("calibration error", REFUSED if reason else PASSED, limit, value, reason=reason)


def _stable(evidence: Evidence) -> Iterator[Criterion]:
    """The scores of the test index are spread as those of the calibration members, and rank as well."""
    before = evidence.scored(CALIBRATION_PART)
    members = evidence.part(CALIBRATION_PART)["member_id"].to_numpy()
    psi = _psi(before.predicted, evidence.test.predicted)
    chance = STABILITY.chance * (1 / len(set(members)) + 1 / len(evidence.members))
    reason = "" if psi < max(STABILITY.psi, chance) else f"The scores moved: PSI {shown(psi)}."
    limit = f"below {max(STABILITY.psi, chance):.2f}"
    yield Criterion("score PSI", REFUSED if reason else PASSED, limit, psi, reason=reason)
    name = evidence.demands.ranking
    fell = drop(name, before, members, evidence.test, evidence.members)
    reason = ""
    if not fell.known:
        reason = f"The drop of {name} can't be computed."
    elif fell.value > STABILITY.drop and fell.low > 0:
        reason = f"{name} fell by {shown(fell.value)} from the calibration members to the test members."
    limit = f"at most {STABILITY.drop:g}, if not by chance"
    yield Criterion(
        f"drop of {name}", REFUSED if reason else PASSED, limit, fell.value, fell.low, fell.high, reason=reason
    )


def _psi(expected: "np.ndarray", found: "np.ndarray", bins: int = 10, epsilon: float = 1e-10) -> float:
    """Population stability index over bins of equal share of `expected` (bins and epsilon of the source project)."""
    import numpy as np

    edges = np.unique(np.quantile(expected, np.linspace(0, 1, bins + 1)[1:-1]))
    shares = [
        np.bincount(np.searchsorted(edges, values, side="right"), minlength=len(edges) + 1) / len(values) + epsilon
        for values in (expected, found)
    ]
    return float(((shares[1] - shares[0]) * np.log(shares[1] / shares[0])).sum())


def _fair(evidence: Evidence) -> Iterator[Criterion]:
    yield from fairness.criteria(fairness.pairs(evidence.part(TEST_PART), evidence.test))
