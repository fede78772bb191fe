"""Are claims of all groups flagged alike in a month? The verdict of `claims job fairness-validate`; it fails closed.

Here: which claims count at a percentile of choice, and what the verdict is. Elsewhere: the statistics
(`group_rates.py`), their limits (`models/governance/thresholds.py`), the same claims and groups by month at the 95th
percentile (`fairness_results.py`). Nothing that is missing is taken for fair: no score, an attribute of one group,
groups that are all too small are failures with a reason.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from claims_assets.models.governance.fairness import UNKNOWN
from claims_assets.monitoring.group_rates import FAILED, REFERENCE, Counts, GroupRate, group_rates, worst
from claims_assets.partitions import MONTH
from claims_assets.runtime.delta import read_arrow

if TYPE_CHECKING:
    import pyarrow

    from claims_assets.runtime.lake import Lake

SCORES, MEMBERS = ("gold", "claim_fraud_scores"), ("gold", "member_features")


class NothingToJudge(ValueError):
    """There is no score, or no member, that a verdict could rest on."""


@dataclass(frozen=True)
class Verdict:
    """One attribute."""

    attribute: str
    rates: tuple[GroupRate, ...]

    @property
    def compared(self) -> list[GroupRate]:
        """The groups that were judged beside the largest one."""
        return [r for r in self.rates if r.judged and r.verdict != REFERENCE]

    @property
    def biased(self) -> list[GroupRate]:
        return [r for r in self.rates if r.verdict in FAILED]

    @property
    def fair(self) -> bool:
        """Some group was judged, and none failed."""
        return bool(self.compared) and not self.biased

    @property
    def reason(self) -> str:
        """Why it is not fair; empty where it is."""
        if self.biased:
            return f"{self.attribute}: {'; '.join(r.said for r in self.biased)}."
        if not self.compared:
            return f"{self.attribute}: no two groups are large enough to be compared, so nothing shows that it is fair."
        return ""

    @property
    def worst_ratio(self) -> str:
        """The judged ratio farthest from 1, where it may be shown."""
        found = worst(self.compared)
        return found.shown_ratio if found else "none"


def verdicts(lake: "Lake", month: str, attributes: Sequence[str], percentile: float) -> list[Verdict]:
    """One for each attribute, on the scored claims of the month; each attribute is a family of comparisons.

    Args:
        percentile: from which on a claim counts as flagged, 0 to 100, against the held-out claims of its model.

    Raises:
        NothingToJudge: the month has no scored claim.
    """
    flags = flags_of(_read(lake, SCORES, month, ["member_id", "fraud_percentile"]), percentile)
    if not flags:
        raise NothingToJudge(
            f"No claim of {month} has a fraud score, so nothing shows that flags are fair: run `claims job train` and"
            " `claims job score` first."
        )
    members = _read(lake, MEMBERS, month, ["member_id", *attributes])
    return [Verdict(name, tuple(group_rates(counts_of(members, flags, name)))) for name in attributes]


def flags_of(scores: "pyarrow.Table | None", percentile: float) -> dict[str, Counts]:
    """Member -> flagged claims, scored claims."""
    found: dict[str, Counts] = {}
    for row in scores.to_pylist() if scores is not None else ():
        if row["fraud_percentile"] is not None:
            hits, of = found.get(row["member_id"], (0, 0))
            found[row["member_id"]] = (hits + (row["fraud_percentile"] >= percentile / 100), of + 1)
    return found


def counts_of(members: "pyarrow.Table | None", flags: Mapping[str, Counts], attribute: str) -> dict[str, Counts]:
    """Group -> flagged claims, scored claims; of a member who is not enrolled in the month the group is unknown."""
    groups = {row["member_id"]: _group(row[attribute]) for row in (members.to_pylist() if members is not None else ())}
    found: dict[str, Counts] = {}
    for member, (flagged, scored) in flags.items():
        group = groups.get(member, UNKNOWN)
        hits, of = found.get(group, (0, 0))
        found[group] = (hits + flagged, of + scored)
    return found


def _group(value: object) -> str:
    """As text; a missing value and the word for it are one group."""
    return UNKNOWN if value is None or str(value).lower() == UNKNOWN else str(value)


def _read(lake: "Lake", table: tuple[str, str], month: str, columns: list[str]) -> "pyarrow.Table | None":
    return read_arrow(lake.path(*table), columns, (MONTH, month)) if lake.exists(*table) else None
