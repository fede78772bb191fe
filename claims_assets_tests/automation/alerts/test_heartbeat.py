"""The sensor's sign of life: what a file says after rounds that worked, failed, or never came."""

from datetime import UTC, datetime, timedelta

import pytest

from claims_assets.automation.alerts import heartbeat
from claims_assets.automation.alerts.conditions import FAILURES_TOLD, own_health
from claims_assets.automation.alerts.heartbeat import SILENCE, Heartbeat, read_heartbeat, write_heartbeat

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)


def test_what_is_written_is_read_and_no_other_file_is_left(tmp_path):
    path = tmp_path / "alerts" / "heartbeat.json"
    beat = heartbeat.after_success(NOON, 3, ("slack",))
    write_heartbeat(path, beat)
    assert read_heartbeat(path) == beat
    assert [p.name for p in path.parent.iterdir()] == ["heartbeat.json"]


@pytest.mark.parametrize("text", [None, "", "{", '{"channels": []}', '{"unknown": 1, "channels": []}', "[]"])
def test_a_missing_or_damaged_file_is_a_new_beginning(tmp_path, text):
    path = tmp_path / "heartbeat.json"
    if text is not None:
        path.write_text(text)
    assert read_heartbeat(path) == Heartbeat()


def test_failures_are_counted_from_the_first_until_a_round_works():
    beat = heartbeat.after_success(NOON, 0, ())
    for minute in (1, 2):
        beat = heartbeat.after_failure(beat, NOON + timedelta(minutes=minute), "slack: HTTP 500")
    assert (beat.failures, beat.failing_since) == (2, "2024-05-01T12:01:00Z")
    assert (beat.last_success_at, beat.last_tick_at) == ("2024-05-01T12:00:00Z", "2024-05-01T12:02:00Z")
    assert heartbeat.after_success(NOON, 0, ()).failures == 0


@pytest.mark.requirement("R40")
def test_repeated_failures_and_a_long_silence_are_told_and_one_failure_is_not():
    assert own_health(None, 0, None, None) == []
    assert own_health("2024-05-01T12:01:00Z", FAILURES_TOLD - 1, "slack: HTTP 500", None) == []
    (failing,) = own_health("2024-05-01T12:01:00Z", FAILURES_TOLD, "slack: HTTP 500", None)
    assert "3 ticks of the alert sensor in a row failed, the first at 2024-05-01T12:01:00Z" in failing.what
    (silent,) = own_health(None, 0, None, "2024-05-01T12:00:00Z")
    assert "did not tick after 2024-05-01T12:00:00Z" in silent.what


def test_silence_begins_after_fifteen_minutes():
    beat = heartbeat.after_success(NOON, 0, ())
    assert heartbeat.silent_from(beat, NOON + SILENCE) is None
    assert heartbeat.silent_from(beat, NOON + SILENCE + timedelta(seconds=1)) == "2024-05-01T12:00:00Z"
    assert heartbeat.silent_from(Heartbeat(), NOON) is None
