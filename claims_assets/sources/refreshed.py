"""What a refresh of a feed's stage found and did."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Refreshed:
    """What a refresh found and did; rows are those of the whole feed, not only of the files just read."""

    feed: str
    seen: int
    new: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    duplicates: tuple[str, ...]
    empty: tuple[str, ...]
    unchanged: int
    bytes: int
    """Size of all files of the feed."""
    rows_in: int
    """Records and unreadable lines of all files, as the parser counted them."""
    rows_staged: int
    """Rows of the stage, from its Delta log."""
    rows_quarantined: int
    """Rows of its quarantine, from its Delta log."""
    quarantined_by_reason: dict[str, int]
    touched_months: tuple[str, ...]
    """Claim months that the affected files hold now or held before; empty for a feed without months."""

    @property
    def nothing_is_lost(self) -> bool:
        """Whether every record and line that was read stands in the stage or in its quarantine."""
        return self.rows_in == self.rows_staged + self.rows_quarantined
