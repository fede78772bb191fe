"""Who got which extract of members, when and what for: one row per export and per read.

Rows are added, never changed. An asset of `outreach/` adds a row before its file is put in place, and `claims outreach
extract` before it hands a copy out, so there is no file and no copy without a row; a row without its file is possible,
where the step was ended in between. No row holds a value of a member.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import pyspark.sql.types as T

from claims_assets import columns as c
from claims_assets.contracts import Contract, compiled
from claims_assets.monitoring.recorded import recorded
from claims_assets.runtime.delta import delta_exists, read_arrow

if TYPE_CHECKING:
    from claims_assets.runtime.lake import Lake

TABLE = ("monitoring", "audit_log")
EXPORT, READ = ACTIONS = ("export", "read")


class AuditLog(Contract):
    """Access to extracts: one row per export and per read."""

    record_id: str = c.required("Hash of the row, so that the same access is recorded once.")
    recorded_at: T.TimestampType = c.required("When, UTC.")
    actor: str = c.required("User of the process that exported or read.")
    action: str = c.required("export: written by its asset. read: handed out as a copy.", isin=list(ACTIONS))
    object: str = c.required("Extract and format, for example outreach/immunization_tier1_outreach.csv.")
    claim_month: str = c.claim_month()
    rows: c.Count = c.count("Rows of the file.")
    columns: c.Words = c.required("Columns of the file.")
    sha256: str = c.required("Of the file's content.")
    purpose: str = c.required("What for, in the words of who asked; of an export, the asset.")
    run_id: str = c.optional("Dagster run; NULL: a command.")

    class Config:
        unique = ["record_id"]


@dataclass(frozen=True)
class Access:
    """One row of `monitoring.audit_log`, but for its id."""

    recorded_at: datetime
    actor: str
    action: str
    object: str
    claim_month: str
    rows: int
    columns: tuple[str, ...]
    sha256: str
    purpose: str
    run_id: str | None = None

    @property
    def record_id(self) -> str:
        """The same for the same access, and for no other."""
        import hashlib

        return hashlib.sha256(repr(self).encode()).hexdigest()


audit_log = recorded("audit_log", AuditLog, domain="outreach")
"""Not a step: who exports or reads adds the row."""


def record(lake: "Lake", accesses: Iterable[Access]) -> None:
    """Add the rows in one commit."""
    import pyarrow as pa

    rows = [asdict(a) | {"record_id": a.record_id, "columns": list(a.columns)} for a in accesses]
    if rows:
        content = pa.Table.from_pylist(rows, schema=compiled(AuditLog).arrow_schema())
        lake.writer.replace(lake.path(*TABLE), content, None, {"record_id": [r["record_id"] for r in rows]})


def stored(lake: "Lake") -> list[Access]:
    """All rows in the order in which they were recorded."""
    path = lake.path(*TABLE)
    if not delta_exists(path):
        return []
    names = [n for n in compiled(AuditLog).columns if n != "record_id"]
    found = [Access(**row | {"columns": tuple(row["columns"])}) for row in read_arrow(path, names).to_pylist()]
    return sorted(found, key=lambda a: (a.recorded_at, a.object))
