"""Every alert there ever was: when it opened, who was told, when it recovered. One row per alert.

Written by the sensor `on_health_change`, which also reads here what it has told to whom: so an alert is told once, also
after a restart. Holds names, months and counts only. Elsewhere: what is an alert (`automation/alerts/`).
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from claims_assets import columns as c
from claims_assets.contracts import Contract, compiled
from claims_assets.monitoring.recorded import recorded
from claims_assets.runtime.delta import delta_exists, read_arrow
from claims_assets.runtime.writers import DeltaRsWriter

if TYPE_CHECKING:
    from claims_assets.runtime.lake import Lake

TABLE = ("monitoring", "alerts")
SEVERITIES = ("warning", "critical")


class Alerts(Contract):
    """Every alert there ever was: one row per alert."""

    alert_id: str = c.required("Hash of kind, subject, claim month and the time it opened.")
    kind: str = c.required(
        "What is watched: freshness, completeness, quality, write, volume, drift, check, run or alerting."
    )
    subject: str = c.required("Asset, with the check where it is about one; or run; or part of the alerting itself.")
    asset: str = c.optional("Asset key, where it is about one asset.")
    claim_month: str = c.optional("Claim month, where it is about one.")
    severity: str = c.required("warning or critical.", isin=SEVERITIES)
    what: str = c.required("What is wrong, in one sentence; names, months and counts only.")
    remedy: str = c.required("What to do.")
    page: str = c.required("Page of the UI that shows it, below the UI's address.")
    since: str = c.required("Since when, UTC; where that can't be known, when it was first seen.")
    opened_at: str = c.required("When it was first seen, UTC.")
    delivered_at: str = c.optional("When the last channel had taken it, UTC.")
    recovered_at: str = c.optional("When it was no longer seen, UTC; or replaced by one of another severity.")
    recovery_delivered_at: str = c.optional("When the last channel had taken the recovery, UTC.")
    superseded_by: str = c.optional("Alert on the same thing with another severity that took its place.")
    channels: c.Words = c.required("Channels that were to be told.")
    opened_to: c.Words = c.required("Channels that took it.")
    recovered_to: c.Words = c.required("Channels that took the recovery.")
    last_failure: str = c.optional("Why a channel did not take it the last time; never an address or a key.")

    class Config:
        unique = ["alert_id"]


@dataclass(frozen=True)
class Alert:
    """One row of `monitoring.alerts`."""

    alert_id: str
    kind: str
    subject: str
    asset: str | None
    claim_month: str | None
    severity: str
    what: str
    remedy: str
    page: str
    since: str
    opened_at: str
    delivered_at: str | None = None
    recovered_at: str | None = None
    recovery_delivered_at: str | None = None
    superseded_by: str | None = None
    channels: tuple[str, ...] = ()
    opened_to: tuple[str, ...] = ()
    recovered_to: tuple[str, ...] = ()
    last_failure: str | None = None

    @property
    def key(self) -> tuple[str, str, str | None]:
        """What it is about, whenever and however severe."""
        return self.kind, self.subject, self.claim_month


alerts = recorded("alerts", Alerts)
"""Not a step: the sensor adds its rows."""


def stored(lake: "Lake") -> list[Alert]:
    """All alerts, in the order in which they opened."""
    path = lake.path(*TABLE)
    if not delta_exists(path):
        return []
    rows = read_arrow(path, list(compiled(Alerts).columns)).to_pylist()
    lists = ("channels", "opened_to", "recovered_to")
    found = [Alert(**row | {n: tuple(row[n]) for n in lists}) for row in rows]
    return sorted(found, key=lambda a: (a.opened_at, a.key[0], a.key[1], a.claim_month or ""))


def publish(lake: "Lake", changed: Iterable[Alert]) -> None:
    """Add these alerts, or put them in the place of what is stored under their ids, in one commit.

    By delta-rs whatever the engine: the sensor runs beside the daemon, which has no Spark session, and nobody else
    writes this table.
    """
    import pyarrow as pa

    told = list(changed)
    if not told:
        return
    rows = [{n: list(v) if isinstance(v, tuple) else v for n, v in asdict(a).items()} for a in told]
    content = pa.Table.from_pylist(rows, schema=compiled(Alerts).arrow_schema())
    DeltaRsWriter().replace(lake.path(*TABLE), content, None, {"alert_id": [a.alert_id for a in told]})
