"""Who is contacted, through which channel and in which week, when a week has room for so many contacts of each kind.

Here: one pass over the contacts of a month in the order of urgency. A contact is one person to be reached through one
channel; it may serve several members, such as a mother and her children. Each contact takes the first channel of its
preference that has room, and a call of the most urgent tier a letter too. Elsewhere: contacts as rows (`places.py`),
who is a candidate (`standing.py`), tiers (`formulas.py`).
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache
from itertools import groupby
from typing import NamedTuple

from claims_assets.outreach.formulas import TIERS
from claims_assets.outreach.policy import CHANNELS

PHONE, MAIL, EMAIL, PORTAL = CHANNELS
PREFERENCES = {
    TIERS[0][1]: (PHONE, MAIL, EMAIL, PORTAL),
    TIERS[1][1]: (PHONE, MAIL, EMAIL, PORTAL),
    TIERS[2][1]: (MAIL, EMAIL, PORTAL, PHONE),
    TIERS[3][1]: (EMAIL, PORTAL, MAIL, PHONE),
}
"""Tier -> channels, best first: that of the tier's recommended contact, then the next. A call is what is scarce, so it
comes last for those who are not urgent."""
LETTER_TIER = TIERS[0][1]
"""Its recommended contact is a call and a letter."""


class Contact(NamedTuple):
    """One person to be reached for one or more members of a household."""

    household: int
    tier: str
    """Of the most urgent member."""
    channels: Collection[str]
    is_holdout: bool


class Place(NamedTuple):
    """What a contact was given."""

    channel: str | None
    """None: no room, or held out."""
    week: int | None
    letter_week: int | None
    """Of the letter beside a call."""
    within_capacity: bool
    """Would have a channel if nobody were held out."""


def placed(contacts: Sequence[Contact], per_week: Mapping[str, int], weeks: int) -> list[Place]:
    """A place for each contact, in their order.

    Args:
        contacts: most urgent first, those of a household together.
        per_week: channel -> contacts a week.
        weeks: weeks that the month's list fills.
    """
    room = {channel: n * weeks for channel, n in per_week.items()}
    everybody = _channels(contacts, room)
    invited = _channels([c._replace(channels=()) if c.is_holdout else c for c in contacts], room)
    by_week = _weeks(contacts, invited, per_week, weeks)
    return [
        Place(channel, *when, within_capacity=anyway is not None)
        for (channel, _), when, (anyway, _) in zip(invited, by_week, everybody, strict=True)
    ]


@cache
def better_channels(tier: str, channel: str | None) -> tuple[str, ...]:
    """The channels that a contact of the tier would rather have had than this one."""
    order = PREFERENCES[tier]
    return order[: order.index(channel)] if channel else ()


def _channels(contacts: Sequence[Contact], room: Mapping[str, int]) -> list[tuple[str | None, bool]]:
    """For each contact its channel, and whether a letter goes with it."""
    left, taken = dict(room), []
    for contact in contacts:
        channel = next((c for c in PREFERENCES[contact.tier] if c in contact.channels and left[c]), None)
        if channel:
            left[channel] -= 1
        letter = channel == PHONE and contact.tier == LETTER_TIER and MAIL in contact.channels and left[MAIL] > 0
        if letter:
            left[MAIL] -= 1
        taken.append((channel, letter))
    return taken


def _weeks(
    contacts: Sequence[Contact], taken: Sequence[tuple[str | None, bool]], per_week: Mapping[str, int], weeks: int
) -> list[tuple[int | None, int | None]]:
    """Week of each contact and of its letter: a household's come in the first week that has room for all of them.

    Where none has, each comes in the first week with room for it. The most urgent tier waits for nobody: the others of
    its household come with it where they can.
    """
    filled: Counter[tuple[str, int]] = Counter()
    soonest = dict.fromkeys(per_week, 1)

    def first_open(channel: str) -> int | None:
        # A week that is full stays so: nobody after looks at it again.
        while soonest[channel] <= weeks and filled[channel, soonest[channel]] >= per_week[channel]:
            soonest[channel] += 1
        return soonest[channel] if soonest[channel] <= weeks else None

    def first_week(need: Mapping[str, int], among: Iterable[int]) -> int | None:
        return next((w for w in among if all(filled[c, w] + n <= per_week[c] for c, n in need.items())), None)

    def week_of(channel: str, together: int | None) -> int | None:
        week = together or first_open(channel)
        if week:
            filled[channel, week] += 1
        return week

    found: list[tuple[int | None, int | None]] = []
    for _, home in groupby(zip(contacts, taken, strict=True), key=lambda pair: pair[0].household):
        members = list(home)
        if len(members) == 1 and not members[0][1][1]:
            channel = members[0][1][0]
            found.append((week_of(channel, None) if channel else None, None))
            continue
        need = Counter(channel for _, (channel, _) in members if channel)
        need[MAIL] += sum(letter for _, (_, letter) in members)
        urgent = next((channel for c, (channel, _) in members if channel and c.tier == LETTER_TIER), None)
        first = first_open(urgent) if urgent else None
        together = first_week(need, [first] if first else range(1, weeks + 1))
        for _, (channel, letter) in members:
            week = week_of(channel, together) if channel else None
            found.append((week, week_of(MAIL, together) if letter else None))
    return found
