"""A sign of life of the alert sensor: one JSON row in a file that every tick replaces.

In a file and not in a Delta table, because it changes every minute: 1,440 commits a day would say nothing more. DuckDB
reads it as a table. It also tells the next tick of ticks that failed or never came.
"""

import json
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from claims_assets.automation.alerts.conditions import stamp

SILENCE = timedelta(minutes=15)
"""Without a tick for this long the sensor was off or dead: fifteen of its intervals."""


@dataclass(frozen=True)
class Heartbeat:
    """The state of the alert sensor after its last tick."""

    last_tick_at: str | None = None
    last_success_at: str | None = None
    """Last tick in which everything was seen and every channel took its messages."""
    failures: int = 0
    """Ticks that failed since."""
    failing_since: str | None = None
    last_failure: str | None = None
    open_alerts: int = 0
    channels: tuple[str, ...] = ()


def read_heartbeat(path: Path) -> Heartbeat:
    """The last sign of life; an empty one before the first tick, or where the file was damaged."""
    try:
        found = json.loads(path.read_text())
        return Heartbeat(**found | {"channels": tuple(found["channels"])})
    except (OSError, ValueError, TypeError, KeyError):
        return Heartbeat()


def write_heartbeat(path: Path, beat: Heartbeat) -> None:
    """Replace the file in one step, so that a reader never sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    new.write_text(json.dumps(asdict(beat)) + "\n")
    new.replace(path)


def after_success(now: datetime, open_alerts: int, channels: tuple[str, ...]) -> Heartbeat:
    return Heartbeat(stamp(now), stamp(now), open_alerts=open_alerts, channels=channels)


def after_failure(before: Heartbeat, now: datetime, said: str) -> Heartbeat:
    return replace(
        before,
        last_tick_at=stamp(now),
        failures=before.failures + 1,
        failing_since=before.failing_since or stamp(now),
        last_failure=said,
    )


def silent_from(before: Heartbeat, now: datetime) -> str | None:
    """When the last tick was, if that is too long ago."""
    if before.last_tick_at is None:
        return None
    return before.last_tick_at if now - datetime.fromisoformat(before.last_tick_at) > SILENCE else None
