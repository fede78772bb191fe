"""Into which part a member falls: by a hash of its id, so that all its rows do, whatever the rows and their order."""

import zlib
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

PARTS = 5
"""Parts of the members of a training; part 0 is the calibration part, on which no tree grows."""


def part_of(members: Iterable[str], seed: int) -> "np.ndarray":
    """0 (calibration) or 1 to 4 for each of these members."""
    return numbered(members, str(seed), PARTS)


def numbered(members: Iterable[str], salt: str, parts: int) -> "np.ndarray":
    """A number below `parts` for each of these members; another one for another salt."""
    import numpy as np

    return np.array([zlib.crc32(f"{salt}|{m}".encode()) % parts for m in members], dtype="int64")
