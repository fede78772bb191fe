"""Which months train and test a model whose training month is T: months only, no rows.

    index I        features as of I (they look back over I-11..I)
    judged J       I + 15: the outcome year I+1..I+12 is over, and so are three months in which most late claims and
                   voids come in; the partition of `gold.risk_training_rows`
    test           judged in T, so of index T - 15
    training       judged at the test index or before (J <= T - 15), every third month, at most eight

So no training row knows anything that a model in use at the test index could not have known.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from claims_assets.features.as_of import WINDOW_MONTHS
from claims_assets.features.outcomes import RUN_OUT_MONTHS
from claims_assets.features.risk_training_rows import HORIZON_MONTHS, JUDGED_MONTHS
from claims_assets.partitions import add_months

HORIZON = HORIZON_MONTHS
"""Months of the outcome period."""
RUN_OUT = RUN_OUT_MONTHS
LOOK_BACK = WINDOW_MONTHS
JUDGED = JUDGED_MONTHS
"""Months from an index to the month in which its outcome year is judged."""
STEP = 3
"""Months between training indexes: neighbouring ones share most of their year, and add little but rows."""
MOST_INDEXES = 8
TRAINING_MONTHS = ("03", "06", "09", "12")
"""Months of the year at whose end a run over many months trains."""


class NotTrainable(ValueError):
    """A training month for which no model can be fitted; the message says why, and what would help."""


@dataclass(frozen=True)
class Split:
    """Judged months of one training month."""

    as_of: str
    train: tuple[str, ...]
    """Judged months of the training rows, oldest first."""

    @property
    def test(self) -> str:
        """Judged month of the test rows."""
        return self.as_of

    @property
    def judged(self) -> tuple[str, ...]:
        return (*self.train, self.test)

    @property
    def train_indexes(self) -> tuple[str, ...]:
        return tuple(index_of(j) for j in self.train)

    @property
    def test_index(self) -> str:
        return index_of(self.test)

    def of(self, train: Sequence[str]) -> "Split":
        """The same with these training months only."""
        return replace(self, train=tuple(train))


def index_of(judged: str) -> str:
    """Index month of the rows judged in a month."""
    return add_months(judged, -JUDGED)


def is_training_month(month: str) -> bool:
    """The month ends a quarter."""
    return month[5:] in TRAINING_MONTHS


def first_training_month(first_claim_month: str) -> str:
    """Earliest T: a full look-back before the first index, then two outcome periods with their run-out."""
    return add_months(first_claim_month, LOOK_BACK - 1 + 2 * JUDGED)


def split_for(as_of: str, held: Collection[str]) -> Split:
    """The judged months of training month `as_of`; `held` are those that have rows.

    Raises:
        NotTrainable: not enough history; the message names the first month that has it.
    """
    first = min(held)
    newest = add_months(as_of, -JUDGED)
    backwards = [add_months(newest, -STEP * n) for n in range(MOST_INDEXES)]
    train = tuple(m for m in reversed(backwards) if m >= first)
    if not train:
        raise NotTrainable(
            f"Outcomes judged from {first} on are not enough history to train as of {as_of}: the first month possible"
            f" is {add_months(first, JUDGED)}."
        )
    return Split(as_of, train)


def require_months(split: Split, held: Collection[str]) -> None:
    """Every month that the split reads must hold rows.

    Raises:
        NotTrainable: one does not; the message names the table and the first such month.
    """
    missing = [m for m in split.judged if m not in held]
    if missing:
        raise NotTrainable(
            f"gold.risk_training_rows has no rows for {missing[0]}, which training as of {split.as_of} reads:"
            f" materialize {len(missing)} month(s) from {missing[0]} on, or train as of an earlier month."
        )
