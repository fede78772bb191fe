"""Which months train and test a model whose training month is T: months only, no rows.

    index I        features as of I (they look back over I-11..I)
    outcome year   I+1..I+12, judged three months later, when most late claims and voids are in
    test           the one index whose outcome is known at T: I = T - 15
    training       indexes whose outcome was known at the test index: I <= T - 30, every third month, at most eight

So no training row knows anything that a model in use at the test index could not have known.
"""

from collections.abc import Collection
from dataclasses import dataclass

from claims_assets.features.as_of import WINDOW_MONTHS
from claims_assets.features.outcomes import RUN_OUT_MONTHS
from claims_assets.partitions import add_months, month_index, month_of_index, months_between

HORIZON = 12
"""Months of the outcome period (the source documents predict the next twelve months)."""
RUN_OUT = RUN_OUT_MONTHS
LOOK_BACK = WINDOW_MONTHS
STEP = 3
"""Months between training indexes: neighbouring ones share most of their year, and add little but rows."""
MOST_INDEXES = 8
TRAINING_MONTHS = ("03", "06", "09", "12")
"""Months of the year at whose end a run over many months trains."""


class NotTrainable(ValueError):
    """A training month for which no model can be fitted; the message says why, and what would help."""


@dataclass(frozen=True)
class Split:
    """Index months of one training month."""

    as_of: str
    train: tuple[str, ...]
    test: str

    @property
    def indexes(self) -> tuple[str, ...]:
        return (*self.train, self.test)

    @property
    def outcome_months(self) -> list[str]:
        """Last month of the outcome year of every index."""
        return [outcome_month(i) for i in self.indexes]

    @property
    def service_months(self) -> list[str]:
        """Months of service that the labels count."""
        return sorted({m for i in self.indexes for m in months_between(add_months(i, 1), outcome_month(i))})


def outcome_month(index: str) -> str:
    """Last month of the outcome year of an index month."""
    return add_months(index, HORIZON)


def is_training_month(month: str) -> bool:
    """The month ends a quarter."""
    return month[5:] in TRAINING_MONTHS


def first_training_month(first_claim_month: str) -> str:
    """Earliest T: a full look-back before the first index, then two outcome periods with their run-out."""
    return add_months(first_claim_month, LOOK_BACK - 1 + 2 * (HORIZON + RUN_OUT))


def split_for(as_of: str, first_claim_month: str) -> Split:
    """The index months of training month `as_of`, for claims that begin in `first_claim_month`.

    Raises:
        NotTrainable: not enough history; the message names the first month that has it.
    """
    test = add_months(as_of, -HORIZON - RUN_OUT)
    newest = month_index(test) - HORIZON - RUN_OUT
    oldest = month_index(add_months(first_claim_month, LOOK_BACK - 1))
    backwards = range(newest, oldest - 1, -STEP)[:MOST_INDEXES]
    if not backwards:
        raise NotTrainable(
            f"Claims from {first_claim_month} on are not enough history to train as of {as_of}: "
            f"the first month possible is {first_training_month(first_claim_month)}."
        )
    return Split(as_of, tuple(month_of_index(i) for i in reversed(backwards)), test)


def require_months(split: Split, features: Collection[str], claims: Collection[str]) -> None:
    """Every month that the split reads must hold rows.

    Raises:
        NotTrainable: one does not; the message names the table and the first such month.
    """
    read = (("gold.member_features", split.indexes, features), ("silver.claim_versions", split.service_months, claims))
    for table, months, held in read:
        missing = [m for m in months if m not in held]
        if missing:
            raise NotTrainable(
                f"{table} has no rows for {missing[0]}, which training as of {split.as_of} reads: "
                f"materialize {len(missing)} month(s) from {missing[0]} on, or train as of an earlier month."
            )
