"""Claim files found by Databricks' Auto Loader instead of a listing; only the finding differs.

A stream notes the path of each file it meets in a small Delta table beside its checkpoint; no content passes through
it. What the files have become since (replaced, deleted) is judged as always (`changes.py`), and the same parser reads
them (`parsing.py`). Why: docs/decisions/0007-auto-loader.md. `cloud_files` alone needs Databricks.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from claims_assets.sources.feeds import LandingError
from claims_assets.sources.folder import files_by_path, those_of
from claims_assets.sources.mapping import Mapping

if TYPE_CHECKING:
    from pyspark.sql import SparkSession
    from pyspark.sql.streaming.readwriter import DataStreamReader

AUTO_LOADED = ("medical_claims", "pharmacy_claims")
"""Feeds that arrive in many files."""
PATH = "path"
SCHEMA = "path string, modificationTime timestamp, length bigint, content binary"
"""Spark's format `binaryFile`, for files of any format; `content` is read only where it is asked for."""
CHECKPOINT = "_checkpoint"
"""Inside the table of the paths, so that neither outlives the other; Delta passes over names with an underscore."""


@dataclass(frozen=True)
class AutoLoader:
    """Streams over the folders of claim files; one folder of `streams` a feed."""

    streams: Path
    events: bool
    """Whether the storage tells of new files, instead of being listed."""

    def files_by_path(self, landing: Path, feed: str, mapping: Mapping) -> dict[str, Path]:
        """As `folder.files_by_path`, after looking for new files once. One process at a time may do this for a feed.

        Raises:
            LandingError: as there, or the stream failed.
        """
        root, session = landing / feed, _session()
        if root.is_dir():
            _look(session, root, self.streams / feed, self.events)
        return those_of(landing, feed, mapping, self._met(session, root, feed, mapping))

    def files_met(self, landing: Path, feed: str, mapping: Mapping) -> dict[str, Path]:
        """The same without looking for new ones; before a first look from a listing.

        Raises:
            LandingError: there is none, and the feed is mandatory.
        """
        met = [p for p in self._met(_session(), landing / feed, feed, mapping) if p.is_file()]
        return those_of(landing, feed, mapping, met) if met else files_by_path(landing, feed, mapping)

    def _met(self, session: "SparkSession", root: Path, feed: str, mapping: Mapping) -> Iterator[Path]:
        for name in sorted(_noted(session, root, self.streams / feed)):
            if matches(PurePosixPath(name), mapping.files):
                yield root / name


def cloud_files(reader: "DataStreamReader", events: bool) -> "DataStreamReader":
    """Auto Loader over files of any format (docs.databricks.com: Auto Loader options). Databricks alone has it.

    The columns are stated, so nothing is inferred and no schema can evolve.
    """
    options = {
        "cloudFiles.format": "binaryFile",
        "cloudFiles.includeExistingFiles": "true",
        "cloudFiles.partitionColumns": "",
    }
    if events:
        options["cloudFiles.useManagedFileEvents"] = "true"
    return reader.format("cloudFiles").options(**options)


def matches(path: PurePosixPath, pattern: str) -> bool:
    """Whether `Path.glob(pattern)` would find the path: `**` is any number of folders, also none."""
    return _match(path.parts, PurePosixPath(pattern).parts)


def _match(names: tuple[str, ...], patterns: tuple[str, ...]) -> bool:
    if not patterns:
        return not names
    if patterns[0] == "**":
        return any(_match(names[n:], patterns[1:]) for n in range(len(names) + 1))
    return bool(names) and fnmatchcase(names[0], patterns[0]) and _match(names[1:], patterns[1:])


def _session() -> "SparkSession":
    from claims_assets.runtime.spark import current_session

    return current_session()


def _look(session: "SparkSession", root: Path, place: Path, events: bool) -> None:
    """Note the files that are new since the last look. A sink, not `foreachBatch`: no code of ours is sent anywhere."""
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    try:
        files = cloud_files(session.readStream, events).schema(SCHEMA).option("recursiveFileLookup", "true")
        stream = (
            files.load(str(root))
            .select(PATH)
            .writeStream.format("delta")
            .queryName(f"landing {root.name}")
            .option("checkpointLocation", str(place / CHECKPOINT))
            .trigger(availableNow=True)
            .start(str(place))
        )
        stream.awaitTermination()
    except (PySparkException, Py4JError) as error:
        raise LandingError(
            f"Auto Loader could not look for new files in {root} ({_reason(error)}): mend this and materialize it"
            " again, or unset CLAIMS_INGESTION."
        ) from None


def _reason(error: Exception) -> str:
    """The first line that says something; the bridge to Java puts one before it."""
    lines = [line.lstrip(": ") for line in str(error).splitlines()]
    return next((line for line in lines if line and not line.startswith("An error occurred while calling")), "unknown")


def _noted(session: "SparkSession", root: Path, place: Path) -> set[str]:
    """Names below `root` of all files ever met; a stream tells a path with its scheme, such as dbfs:/Volumes/..."""
    if not (place / "_delta_log").is_dir():
        return set()
    rows = session.read.format("delta").load(str(place)).select(PATH).distinct().collect()
    names = set()
    for row in rows:
        _, found, name = row[PATH].partition(f"{root.as_posix()}/")
        if not found:
            raise LandingError(
                f"Auto Loader's stream in {place} was over another folder than {root}: remove {place}, and let the"
                " landing folder be one of a Unity Catalog volume, /Volumes/<...>."
            )
        names.add(name)
    return names
