"""Who was champion when: one version at most in a month, and nothing that happens later changes an earlier month."""

from hypothesis import given, settings
from hypothesis import strategies as st

from claims_assets.partitions import month_of_index
from claims_assets.runtime.model_versions import (
    ModelVersion,
    NoWayBack,
    before_champion,
    champion_at,
    crowned,
    reigns,
    rolled_back,
    timeline,
    timeline_of,
)

MONTHS = [month_of_index(2024 * 12 + n) for n in range(24)]
STEPS = st.lists(st.tuples(st.sampled_from(MONTHS), st.sampled_from([1, 2, 3, None])), max_size=8)


def versions(line):
    return [ModelVersion("m", v, "", "", None, reigns=reigns(line, v)) for v in (1, 2, 3)]


@given(STEPS)
@settings(max_examples=100, deadline=None)
def test_crownings_and_rollbacks_leave_one_champion_a_month_and_the_past_as_it_was(steps):
    """A None in `steps` is a rollback; months rise, as they do in life."""
    line = {}
    history = {}
    for month, version in sorted(steps, key=lambda s: s[0]):
        history |= {m: champion_at(versions(line), m) for m in MONTHS if m < month}
        try:
            line = crowned(line, version, month) if version else rolled_back("m", line, before_champion(line), month)
        except NoWayBack:
            continue
        found = versions(line)
        assert all(sum(v.champion_at(m) for v in found) <= 1 for m in MONTHS)
        assert champion_at(found, MONTHS[-1]).version == line[max(line)]
        for earlier in (m for m in MONTHS if m < month):
            was, now = history[earlier], champion_at(found, earlier)
            assert (was and was.version) == (now and now.version)
        again = timeline({v.version: [first for first, _ in v.reigns] for v in found}, line[max(line)], {})
        assert [champion_at(versions(again), m) for m in MONTHS] == [champion_at(found, m) for m in MONTHS]
        assert timeline_of(found) == again


def test_two_times_that_touch_are_one():
    assert reigns({"2024-01": 1, "2024-03": 1, "2024-05": 2, "2024-07": 1}, 1) == (
        ("2024-01", "2024-05"),
        ("2024-07", ""),
    )


def test_whoever_was_taken_back_is_nobodys_champion_before():
    line = {"2024-01": 1, "2024-02": 2, "2024-03": 3}
    assert before_champion(line) == 2
    assert before_champion(line | {"2024-04": 2}) == 1
    assert before_champion(line | {"2024-04": 2, "2024-05": 1}) is None
    assert before_champion({}) is None
