"""Whether the landing folder differs from its inventory, told without opening a file.

A tick has a minute, and hashing a first load of files takes longer; so a file counts as changed by size and time. The
refresh then compares contents (`sources/changes.py`) and does nothing for one that was only touched. The provider
database is not asked: the daily refresh reads it.
"""

import hashlib
from pathlib import Path

from claims_assets.sources import inventory
from claims_assets.sources.feeds import FEEDS
from claims_assets.sources.files import LandingZone
from claims_assets.sources.folder import files_by_path
from claims_assets.sources.mapping import Mapping
from claims_assets.sources.parsing import PARSER_VERSION
from claims_assets.sources.stage import DATABASE


def changes(zone: LandingZone) -> list[str]:
    """Paths that are new, changed or gone since the last refresh, in the order of the feeds.

    Raises:
        LandingError: the folder or a mapping can't be used.
    """
    landing, lake = Path(zone.folder), Path(zone.lake_root)
    found = []
    for feed in FEEDS:
        mapping = Mapping.load(landing, feed)
        files = files_by_path(landing, feed, mapping)
        known = {p: e for p, e in inventory.read(lake, feed).items() if not p.startswith(DATABASE)}
        rules = (mapping.fingerprint, zone.start_month, PARSER_VERSION)
        staged = {p: (e.size, e.mtime_ns, (e.mapping, e.start_month, e.parser_version)) for p, e in known.items()}
        now = {p: (*_size_and_time(file), rules) for p, file in files.items()}
        found += sorted(p for p in staged.keys() | now.keys() if staged.get(p) != now.get(p))
    return found


def picture(zone: LandingZone) -> str:
    """Hash of the names, sizes and times of all landing files and of the rules by which they are read."""
    landing, lines = Path(zone.folder), [zone.start_month, PARSER_VERSION]
    for feed in FEEDS:
        mapping = Mapping.load(landing, feed)
        lines.append(mapping.fingerprint)
        lines += [f"{p}|{_size_and_time(file)}" for p, file in files_by_path(landing, feed, mapping).items()]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _size_and_time(file: Path) -> tuple[int, int]:
    stat = file.stat()
    return stat.st_size, stat.st_mtime_ns
