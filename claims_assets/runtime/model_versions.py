"""A registered version of a risk model, and which version was champion in which month.

Here: values, without MLflow. Elsewhere: the registry that holds them (`tracking.py`), who becomes champion
(`models/governance/`), who scores (`predictions/scoring.py`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

CHAMPION, CHALLENGER, PREVIOUS = "champion", "challenger", "previous"
"""Aliases: the version that scores, the one that was weighed against it last, and the champion before."""
AS_OF_MONTH, TRAINING_DATA, PARAMETERS, THRESHOLD = "as_of_month", "training_data", "parameters", "threshold"
GATE, CHAMPION_FROM, CHAMPION_UNTIL, REIGNS = "gate", "champion_from", "champion_until", "champion_months"
"""Tags of a version. `champion_months` holds the first month of each of its times as champion; from and until speak of
the last one and are there for people to read."""

Gate = Literal["passed", "below_floor", "refused", ""]
"""What the gate found; empty: it has not judged. "below_floor" may score as a candidate, "refused" never scores."""
Timeline = Mapping[str, int]
"""First month -> the version that is champion from it on, until the next one."""


class NoWayBack(ValueError):
    """A rollback that can't be done; the message says why and what to do."""


@dataclass(frozen=True)
class ModelVersion:
    """One registered version of a model."""

    name: str
    version: int
    as_of_month: str
    """Nothing that became known after this month is in it."""
    training_data: str
    """Fingerprint of the rows it was trained and tested on."""
    alias: str | None
    """`champion` where it is that, else its first alias, if any."""
    parameters: str = ""
    """Fingerprint of the settings of the fit."""
    threshold: float | None = None
    """Score from which on the prediction is 1; None for the cost model."""
    run_id: str = ""
    gate: Gate = ""
    reigns: tuple[tuple[str, str], ...] = ()
    """Its times as champion, each from a month on and until another, which is out; an empty end: until now."""
    aliases: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict, compare=False)
    """All tags, also those that others gave."""

    @property
    def champion_from(self) -> str:
        """First month of its last time as champion; empty: it never was."""
        return self.reigns[-1][0] if self.reigns else ""

    @property
    def champion_until(self) -> str:
        """Month from which on it is champion no more; empty: it is, or never was."""
        return self.reigns[-1][1] if self.reigns else ""

    def champion_at(self, month: str) -> bool:
        """Whether it was champion in this month; a past month thus finds the model of its time again."""
        return any(first <= month and (not until or month < until) for first, until in self.reigns)


def stated(values: Mapping[str, Any]) -> ModelVersion:
    """The version whose fields these are, as JSON holds them."""
    reigns = tuple((first, until) for first, until in values["reigns"])
    return ModelVersion(**{**values, "reigns": reigns, "aliases": tuple(values["aliases"])})


def champion_at(versions: Iterable[ModelVersion], month: str) -> ModelVersion | None:
    """The version that was champion in a month; at most one is."""
    return next((v for v in versions if v.champion_at(month)), None)


def timeline(starts: Mapping[int, Iterable[str]], champion: int | None, as_of: Mapping[int, str]) -> dict[str, int]:
    """Who is champion from when.

    A champion whose alias somebody set by hand is on no record: it counts from the month it was trained as of, or from
    where the record's last one began, whichever is later.

    Args:
        starts: version -> first months of its times as champion.
        champion: version with the alias, if any.
        as_of: version -> month it was trained as of.
    """
    found = {month: version for version in sorted(starts) for month in starts[version] if month}
    last = max(found, default="")
    if champion is not None and found.get(last) != champion and (start := max(last, as_of.get(champion, ""))):
        found[start] = champion
    return dict(sorted(found.items()))


def timeline_of(versions: Iterable[ModelVersion]) -> dict[str, int]:
    """Who is champion from when, as the versions say."""
    return dict(sorted((first, v.version) for v in versions for first, _ in v.reigns))


def crowned(line: Timeline, version: int, month: str) -> dict[str, int]:
    """The timeline in which `version` is champion from `month` on, until whoever already began later."""
    return dict(sorted({**line, month: version}.items()))


def before_champion(line: Timeline) -> int | None:
    """The champion before the one who has come back; those between the two were taken back, and are out."""
    seen: list[int] = []
    for _, version in sorted(line.items()):
        seen = [*seen[: seen.index(version)], version] if version in seen else [*seen, version]
    return seen[-2] if len(seen) > 1 else None


def rolled_back(name: str, line: Timeline, before: int | None, month: str) -> dict[str, int]:
    """The timeline in which the champion before is champion again from `month` on.

    Raises:
        NoWayBack: there is no champion, none before it, or it became champion after `month`.
    """
    if not line:
        raise NoWayBack(f"{name} has no champion to take back: `claims models report` shows what there is.")
    since = _since(line)
    champion = line[since]
    if before is None or before == champion:
        raise NoWayBack(
            f"{name} has no champion before version {champion}: keep it until a newer version passes the gate."
        )
    if month < since:
        raise NoWayBack(
            f"Version {champion} of {name} is champion since {since}: give --month {since} to undo all of its time, or"
            " a later month."
        )
    return crowned(line, before, month)


def _since(line: Timeline) -> str:
    """First month of the reigning champion's present time."""
    months = sorted(line, reverse=True)
    since = months[0]
    for month in months:
        if line[month] != line[since]:
            break
        since = month
    return since


def reigns(line: Timeline, version: int) -> tuple[tuple[str, str], ...]:
    """Times of a version as champion; two that touch are one."""
    months = sorted(line)
    found: list[tuple[str, str]] = []
    for month, until in zip(months, [*months[1:], ""], strict=False):
        if line[month] != version:
            continue
        if found and found[-1][1] == month:
            found[-1] = (found[-1][0], until)
        else:
            found.append((month, until))
    return tuple(found)
