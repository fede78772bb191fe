"""Places within the capacity: never too many of a kind, in the order of urgency, households together."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from claims_assets.outreach.capacity import LETTER_TIER, MAIL, PHONE, PREFERENCES, Contact, placed
from claims_assets.outreach.policy import CHANNELS

TIER_1, TIER_2, TIER_3, TIER_4 = PREFERENCES
PLENTY = dict.fromkeys(CHANNELS, 100)

channels = st.sets(st.sampled_from(CHANNELS)).map(lambda found: tuple(c for c in CHANNELS if c in found))
capacities = st.fixed_dictionaries({c: st.integers(0, 3) for c in CHANNELS})


@st.composite
def months(draw):
    """Contacts in the order of urgency: those of a household together, held out together."""
    found = []
    for household in range(draw(st.integers(0, 12))):
        held_out = draw(st.booleans())
        tiers = sorted(draw(st.lists(st.sampled_from(list(PREFERENCES)), min_size=1, max_size=3)))
        found += [Contact(household, tier, draw(channels), held_out) for tier in tiers]
    return found


HOUSEHOLDS = iter(range(1_000, 9_999))


def contact(tier, *channels, household=None):
    return Contact(next(HOUSEHOLDS) if household is None else household, tier, channels, False)


@settings(max_examples=100)
@given(months(), capacities, st.integers(1, 3))
def test_no_week_of_a_channel_holds_more_than_its_capacity(contacts, per_week, weeks):
    filled = Counter()
    for place in placed(contacts, per_week, weeks):
        if place.channel:
            filled[place.channel, place.week] += 1
        if place.letter_week:
            filled[MAIL, place.letter_week] += 1
    assert all(n <= per_week[channel] and 1 <= week <= weeks for (channel, week), n in filled.items())


@settings(max_examples=100)
@given(months(), capacities, st.integers(1, 3))
def test_a_contact_is_over_capacity_only_where_all_its_channels_are_full(contacts, per_week, weeks):
    given_places = placed(contacts, per_week, weeks)
    used = Counter(p.channel for p in given_places) + Counter(MAIL for p in given_places if p.letter_week)
    for c, place in zip(contacts, given_places, strict=True):
        if place.channel is None and not c.is_holdout:
            assert all(used[channel] == per_week[channel] * weeks for channel in c.channels)
        assert place.channel is None or place.channel in c.channels


@settings(max_examples=100)
@given(months(), capacities, st.integers(1, 3))
def test_who_comes_later_takes_nothing_from_who_comes_first(contacts, per_week, weeks):
    together = placed(contacts, per_week, weeks)
    alone = placed(contacts[: len(contacts) // 2], per_week, weeks)
    assert [p.channel for p in together[: len(alone)]] == [p.channel for p in alone]
    assert [p.within_capacity for p in together[: len(alone)]] == [p.within_capacity for p in alone]


@settings(max_examples=100)
@given(months(), capacities, st.integers(1, 3))
def test_within_capacity_is_a_place_in_the_same_month_without_a_holdout(contacts, per_week, weeks):
    nobody = placed([c._replace(is_holdout=False) for c in contacts], per_week, weeks)
    found = placed(contacts, per_week, weeks)
    assert [p.within_capacity for p in found] == [p.channel is not None for p in nobody]
    assert not any(p.channel for c, p in zip(contacts, found, strict=True) if c.is_holdout)


def test_each_tier_takes_its_channel_then_the_next_that_has_room():
    everything = [contact(tier, *CHANNELS) for tier in PREFERENCES]
    assert [p.channel for p in placed(everything, PLENTY, 1)] == ["phone", "phone", "mail", "email"]
    one = dict.fromkeys(CHANNELS, 1)
    assert [p.channel for p in placed([contact(TIER_2, *CHANNELS)] * 5, one, 1)] == [*CHANNELS, None]


def test_a_call_of_the_first_tier_takes_a_letter_where_one_is_left():
    two = [contact(TIER_1, PHONE, MAIL), contact(TIER_1, PHONE, MAIL), contact(TIER_2, PHONE, MAIL)]
    found = placed(two, PLENTY | {MAIL: 1}, 1)
    assert [p.letter_week for p in found] == [1, None, None]
    assert placed([contact(TIER_1, PHONE)], PLENTY, 1)[0].letter_week is None


def test_a_household_comes_in_one_week_but_the_most_urgent_does_not_wait():
    routine = [contact(TIER_3, MAIL), contact(TIER_3, MAIL)]
    home = [contact(TIER_2, PHONE, household=1), contact(TIER_3, MAIL, household=1)]
    assert [p.week for p in placed([*routine, *home], PLENTY | {MAIL: 1}, 4)] == [1, 2, 3, 3]
    urgent = [home[0]._replace(tier=LETTER_TIER), home[1]]
    assert [p.week for p in placed([*routine, *urgent], PLENTY | {MAIL: 1}, 4)] == [1, 2, 1, 3]


@settings(max_examples=100)
@given(months(), st.integers(1, 3))
def test_with_room_for_all_a_household_has_one_week_and_everybody_a_place(contacts, weeks):
    found = placed(contacts, PLENTY, weeks)
    by_household = {}
    for c, place in zip(contacts, found, strict=True):
        assert (place.channel is None) == (c.is_holdout or not c.channels)
        by_household.setdefault(c.household, set()).update({place.week, place.letter_week} - {None})
    assert all(len(weeks_of) <= 1 for weeks_of in by_household.values())


@settings(max_examples=100)
@given(months(), capacities, st.integers(1, 3))
def test_who_has_a_channel_has_a_week(contacts, per_week, weeks):
    assert all((p.channel is None) == (p.week is None) for p in placed(contacts, per_week, weeks))
