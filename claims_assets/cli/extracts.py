"""Handing out a copy of an extract, and recording who took it and what for: `claims outreach extract`.

Elsewhere: how extracts are made (`outreach/extracts.py`), the record (`monitoring/audit_log.py`).
"""

import getpass
import shutil
from datetime import datetime
from pathlib import Path

import click

from claims_assets.cli.errors import NotDone
from claims_assets.cli.instance import alone
from claims_assets.monitoring.audit_log import READ, Access, record
from claims_assets.outreach.extract_files import sha256
from claims_assets.outreach.extract_folder import FORMATS, ExtractFolder, Manifest, private
from claims_assets.outreach.extracts import EXTRACTS, SCHEMA
from claims_assets.runtime.resources import extracts_for, lake_for
from claims_assets.runtime.spark import spark_for
from claims_assets.settings import Settings


def hand_out(settings: Settings, name: str, month: str, target: Path, purpose: str, now: datetime) -> None:
    """Copy an extract to a new file that its owner alone may read; first the record, then the copy.

    Raises:
        NotDone: no such extract or month, no purpose, or the file exists.
    """
    kind = target.suffix.removeprefix(".")
    if kind not in FORMATS:
        raise NotDone(f"--to {target.name} must end in .csv or .parquet: the ending chooses the format.")
    if not purpose.strip():
        raise NotDone("--purpose must say what the copy is for: it is kept in monitoring.audit_log.")
    if target.exists():
        raise NotDone(f"{target} exists: give --to another name, or remove it first.")
    if not target.parent.is_dir():
        raise NotDone(f"{target.parent} is no folder: make it first.")
    folder = extracts_for(settings)
    manifest = known(folder, name, month)
    source = folder.of_month(name, month) / f"{name}.{kind}"
    if not source.exists() or sha256(source) != manifest.sha256[kind]:
        raise NotDone(f"{name} of {month} is not whole, a step was ended: build it with {_command(name, month)}.")
    with alone(settings):
        if settings.engine == "spark":
            _ = spark_for(settings).spark_session  # it writes the record
        access = Access(
            recorded_at=now,
            actor=getpass.getuser(),
            action=READ,
            object=f"{SCHEMA}/{name}.{kind}",
            claim_month=month,
            rows=manifest.rows,
            columns=manifest.columns,
            sha256=manifest.sha256[kind],
            purpose=purpose,
        )
        record(lake_for(settings), [access])
    with source.open("rb") as content, private(target) as copy:
        shutil.copyfileobj(content, copy)
    click.echo(f"{manifest.rows:,} rows of {name} as of {month} in {target}; recorded in monitoring.audit_log.")


def known(folder: ExtractFolder, name: str, month: str) -> Manifest:
    """What was written of an extract.

    Raises:
        NotDone: there is no such extract, or not of the month.
    """
    import claims_assets.definitions  # noqa: F401  (declares the extracts)

    names = sorted(key.path[-1] for key in EXTRACTS)
    if name not in names:
        raise NotDone(f"There is no extract {name!r}: give one of {', '.join(names)}.")
    found = folder.manifest(name, month)
    if found is None:
        raise NotDone(f"{name} of {month} was never built: build it with {_command(name, month)}.")
    return found


def _command(name: str, month: str) -> str:
    return f"`claims run --select 'key:\"{SCHEMA}/{name}\"' --from {month} --to {month}`"
