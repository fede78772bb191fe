"""De-identification by Safe Harbor (45 CFR 164.514(b)(2)): what may stay of a member, and in which coarseness.

Here: age groups, areas, pseudonyms, and the classes of rows that look alike. Elsewhere: the extract that is made of
them (`immunization_deidentified.py`), the words of the law and what is open (docs/extracts.md).
"""

import hmac
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

LEAST_ALIKE = 11
"""Rows that must look alike, as no count of 1 to 10 may be told (CMS Cell Size Suppression Policy)."""
NO_AREA = "000"
"""Instead of the first three digits of an area of 20,000 people or fewer (164.514(b)(2)(i)(B))."""
OLDEST_AGE = 89
"""Ages above it are one group (164.514(b)(2)(i)(C))."""
AGE_GROUPS = ((5, "0-5"), (17, "6-17"), (26, "18-26"), (49, "27-49"), (64, "50-64"), (OLDEST_AGE, "65-89"))
"""Oldest age -> group; the limits are those at which adult vaccines begin (docs/vaccines.md)."""
COARSE_AGE_GROUPS = ((17, "0-17"), (64, "18-64"))
NINETY, ADULT = "90+", "65+"
UNKNOWN, NOT_SHOWN = "Unknown", "not shown"


@cache
def areas() -> dict[str, Any]:
    """The data file of areas and their sources."""
    return yaml.safe_load((files("claims_assets.outreach") / "zip3_areas.yaml").read_text(encoding="utf-8"))


@cache
def shown_areas() -> frozenset[str]:
    """First three digits of ZIP codes of more than 20,000 people; others, also those of nobody, are `000`."""
    found: set[str] = set()
    for part in areas()["populated"].split():
        first, _, last = part.partition("-")
        found |= {f"{n:03d}" for n in range(int(first), int(last or first) + 1)}
    return frozenset(found - areas()["at_most_20000"].keys())


def area(zip_code: str | None) -> str:
    """What may be shown of a ZIP code."""
    start = (zip_code or "")[:3]
    return start if start in shown_areas() else NO_AREA


def age_group(age: int | None) -> str:
    """Group of an age in years."""
    if age is None:
        return UNKNOWN
    return next((name for oldest, name in AGE_GROUPS if age <= oldest), NINETY)


def coarse_age_group(group: str) -> str:
    """The wider group of a group."""
    oldest = {name: years for years, name in AGE_GROUPS} | {NINETY: OLDEST_AGE + 1}
    if group not in oldest:
        return group
    return next((name for years, name in COARSE_AGE_GROUPS if oldest[group] <= years), ADULT)


def pseudonym(key: bytes, month: str, member_id: str) -> str:
    """A code of a member in the export of one month, which tells nothing without the key (HMAC-SHA-256, RFC 2104).

    It holds for one month: with one code for all months a member's row of one file would be known in the next, and the
    classes of rows that look alike would be those of a whole history.
    """
    return hmac.digest(key, f"{month}|{member_id}".encode(), "sha256").hex()[:32]


Row = tuple[str, ...]
"""All that is told of a member but the pseudonym."""
Coarser = Callable[[Row], Row]


def coarsened(rows: Mapping[Row, int], ladder: Sequence[Coarser], least: int = LEAST_ALIKE) -> dict[Row, Row]:
    """Each kind of row -> how it is shown, so that at least `least` of the rows look the same, or all of them do.

    A row goes down the ladder until enough rows that came as far look like it. What is left on the last step is joined
    by the smallest classes until it is large enough too, so no row is left out and none can be told by being absent.
    So a reader who has every row as it was, and knows this rule, sees at least `least` rows for each.

    Args:
        rows: kinds of rows -> how many there are.
        ladder: steps, each coarser than the one before; after the last one all rows look the same.
    """
    shown: dict[Row, Row] = {}
    left = dict(rows)
    for step in (lambda row: row, *ladder):
        sizes = Counter()
        for row, n in left.items():
            sizes[step(row)] += n
        done = {row for row in left if sizes[step(row)] >= least}
        shown |= {row: step(row) for row in done}
        left = {row: n for row, n in left.items() if row not in done}
    return shown | _joined(rows, shown, left, ladder[-1], least) if left else shown


def _joined(
    rows: Mapping[Row, int], shown: Mapping[Row, Row], left: Mapping[Row, int], blank: Coarser, least: int
) -> dict[Row, Row]:
    """Rows that too few others look like tell nothing, and the smallest classes beside them neither."""
    sizes: Counter[Row] = Counter()
    for row, look in shown.items():
        sizes[look] += rows[row]
    enough, joining = sum(left.values()), set()
    for look, n in sorted(sizes.items(), key=lambda pair: (pair[1], pair[0])):
        if enough >= least:
            break
        joining.add(look)
        enough += n
    return {row: blank(row) for row in rows if row in left or shown[row] in joining}
