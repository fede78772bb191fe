"""Lines of one claim and line number that came more than once: what each of them says about the others.

A payer that gives an adjustment no id of its own writes it under the number of the line it changes: the amount negated
(or the status REVERSED) takes the line back, another amount corrects it. Plain Python over those few lines; the tables
hand them over as text. Elsewhere: adjustments under another id (`bronze/chains.py`), who hands over which lines
(`silver/claim_versions.py`).
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING

from claims_assets.bronze.chains import VOID, day_of
from claims_assets.bronze.claim_links import REVERSED

if TYPE_CHECKING:
    import pandas

PAID = "PAID"
REPEAT, CONFLICT, UNMATCHED = "line_is_not_a_repeat", "line_has_no_conflicting_version", "reversal_matches_its_line"
REASONS = (REPEAT, CONFLICT, UNMATCHED)

KEY = ("claim_feed", "claim_id", "claim_line_number", "adjustment_indicator", "claim_month")
"""Lines that share it are about the same line. Not across months: a month would depend on others built with it."""
GIVEN = ("adjustment_indicator", "claim_status", "amount", "paid_date", "known_from", "content", "source_file")
PLACE = "source_line"
ANSWERS = ("version_number", "counts_from", "line_cancelled_on", "reason")


@dataclass(slots=True, eq=False)
class Line:
    """One landed line: what it says as text, where it came from, and ANSWERS, which `settle` fills."""

    adjustment_indicator: str
    claim_status: str | None
    amount: str | None
    """What it says was paid; what was allowed where nothing was paid."""
    paid_date: str | None
    known_from: str
    content: str
    """Hash of all that it says; equal for a line that was sent twice."""
    source_file: str
    source_line: int
    version_number: int = 1
    counts_from: str | None = None
    """The month in which it became known, or in which what stood in its way turned out to be taken back."""
    line_cancelled_on: str | None = None
    reason: str | None = None

    @property
    def money(self) -> Decimal:
        return Decimal(self.amount or 0)

    @property
    def day(self) -> str:
        return day_of(self.paid_date, self.known_from)

    @property
    def is_paid(self) -> bool:
        return (self.claim_status or PAID) == PAID

    @property
    def is_negative(self) -> bool:
        """It takes back, and states nothing itself. The sign of a void says nothing: it takes back anyhow."""
        return self.money < 0 and self.adjustment_indicator != VOID

    @property
    def takes_back(self) -> bool:
        return self.is_negative or (self.claim_status == REVERSED and self.money > 0)

    @property
    def can_be_taken_back(self) -> bool:
        return self.is_paid and self.money > 0 and self.adjustment_indicator != VOID

    @property
    def never_counted(self) -> bool:
        return self.line_cancelled_on == self.counts_from

    @property
    def arrival(self) -> tuple[str, str, int]:
        return self.known_from, self.source_file, self.source_line

    @property
    def order(self) -> tuple:
        """Among lines paid the same day a reversal of an amount comes first, one that names no amount last."""
        reversal = (1 if self.money == 0 else -1) if self.claim_status == REVERSED else 0
        return self.day, reversal, self.money, self.content


def settle(lines: Sequence[Line]) -> None:
    """Fill the answers of all lines of one KEY; the order in which they are given does not matter.

    - A repeat (same content) is set aside; the one known first is kept.
    - The n-th taking back of an amount takes back the n-th paid line of that amount, by the days they were paid.
    - Of the lines that state something, those paid on the last day hold; of these the one not taken back, the largest
      of several (the others conflict with it, and are set aside unless they counted before it came). When all of them
      are taken back nothing holds: an earlier line does not come back, or a reversal could raise what was paid.
    - REVERSED without a negative amount is such a statement too: it ends what was paid until its day.
    - Negative lines alone are payments like any other. Beside a line whose amount they don't match they can't be
      placed, and are set aside.
    - The lines are taken in as they became known, and one that has counted and holds no more never holds again, so what
      is said about a past month never changes. Which of two lines of equal amount holds may depend on that order.
    """
    firsts = []
    for _, same in groupby(sorted(lines, key=attrgetter("content")), key=attrgetter("content")):
        first, *repeats = sorted(same, key=attrgetter("arrival"))
        firsts.append(first)
        for line in repeats:
            line.reason = REPEAT
    for number, line in enumerate(sorted(firsts, key=attrgetter("order")), start=1):
        line.version_number = number
        line.counts_from = line.known_from
    _replay(firsts)
    _set_aside(firsts)


def settled(lines: "pandas.DataFrame") -> "pandas.DataFrame":
    """`settle` for a frame of many KEYs that holds GIVEN as text: the place of each line, with ANSWERS."""
    given = lines[[*GIVEN, PLACE]].astype(object)
    # What is missing arrives as None or NaN, by the versions of pandas and Arrow that a cluster has.
    found = [Line(*row) for row in given.where(given.notna(), None).itertuples(index=False, name=None)]
    groups = defaultdict(list)
    for key, line in zip(lines[list(KEY)].itertuples(index=False, name=None), found, strict=True):
        groups[key].append(line)
    for group in groups.values():
        settle(group)
    answers = {name: [getattr(line, name) for line in found] for name in ANSWERS}
    return lines[["claim_feed", "source_file", PLACE]].assign(**answers)


def _replay(lines: Iterable[Line]) -> None:
    """Let the lines arrive month by month; whatever does not hold in a month is cancelled in it."""
    known: list[Line] = []
    holding: Line | None = None
    for month, arrived in groupby(sorted(lines, key=attrgetter("known_from")), key=attrgetter("known_from")):
        fresh = list(arrived)
        known += fresh
        holding = _able(_holding(known), holding, fresh)
        if holding and holding.line_cancelled_on:
            holding.counts_from, holding.line_cancelled_on = month, None
        for line in known:
            if line is not holding and line.line_cancelled_on is None:
                line.line_cancelled_on = month


def _holding(known: Iterable[Line]) -> Line | None:
    stating = [line for line in known if not line.is_negative]
    if not stating:
        return max(known, key=attrgetter("order"))
    paired = _paired(known)
    last = max(line.day for line in stating)
    left = [line for line in stating if line.day == last and line not in paired]
    return max(left, key=attrgetter("order"), default=None)


def _able(wanted: Line | None, holding: Line | None, fresh: Iterable[Line]) -> Line | None:
    """The line that should hold; where it counted once and was cancelled, one of its amount that can in its place.

    That happens when an equal line arrives behind a reversal: the reversal was spent on the wrong one of the two.
    """
    if wanted is None or wanted.line_cancelled_on is None or wanted.never_counted:
        return wanted
    others = [holding, *sorted(fresh, key=attrgetter("order"), reverse=True)]
    return next((o for o in others if o and o.can_be_taken_back and o.money == wanted.money), None)


def _paired(lines: Iterable[Line]) -> Collection[Line]:
    """Lines that were taken back, and those that took them back."""
    taking, stated = defaultdict(list), defaultdict(list)
    for line in sorted(lines, key=attrgetter("order")):
        if line.takes_back:
            taking[abs(line.money)].append(line)
        elif line.can_be_taken_back:
            stated[line.money].append(line)
    return {line for amount in taking for pair in zip(taking[amount], stated[amount], strict=False) for line in pair}


def _set_aside(lines: Sequence[Line]) -> None:
    """Name the reason of lines that never counted and have no place in the history."""
    paired = _paired(lines)
    stating = [line for line in lines if not line.is_negative]
    left = sorted([line for line in stating or lines if line not in paired], key=attrgetter("order"))
    best = {line.day: line for line in left}
    for line in lines:
        if not line.never_counted or line in paired:
            continue
        if line.is_negative and stating:
            line.reason = UNMATCHED
        elif line is not best[line.day]:
            line.reason = CONFLICT
