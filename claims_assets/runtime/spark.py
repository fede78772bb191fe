"""The engine: a Spark session behind dagster-pyspark's resource. It starts when it is first asked for, so importing the
definitions starts nothing.

`sail`: pysail's Spark Connect server inside this process, no JVM. `spark`: Spark itself, on this machine with the jars
that `make spark-deps` fetched, or the session that a cluster has ready. Both give the same rows.
"""

import atexit
import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dagster_pyspark import LazyPySparkResource
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from claims_assets.runtime.memory import GIGABYTE, engine_share, heap_share
from claims_assets.settings import SettingError, Settings

_server: Any = None
"""Kept for the life of the process: a server that is garbage-collected stops, and its client hangs."""

ROOMY = 3 * GIGABYTE // 2
"""A smaller pool goes with an allocator that returns memory at once: a third less is held, for a fifth more CPU."""
STAGE_COMPRESSION, STAGE_ROW_GROUP = "lz4_raw", 131_072
"""Of the Parquet files that Sail writes."""
UTC = {"spark.sql.session.timeZone": "UTC"}
NO_CALL_SITES = {"spark.python.sql.dataFrameDebugging.enabled": "false"}
"""Else every function call looks up where it was made, and for IPython on the disk, which is half the time of a small
table; and on Spark itself it sends a stack trace to the JVM."""
AGREED = UTC | {
    # What the transforms assume: arithmetic and casts raise rather than wrap or give NULL.
    "spark.sql.ansi.enabled": "true",
}
"""Settings of the session on which results depend; set on a cluster too."""
WISHED = {
    # Frames that models take to the driver have the same types as from Sail.
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    # DuckDB and Arrow read the stage.
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
}
"""Settings that a serverless session may refuse, as it lets only a few be set; it has the first one always, and the
older timestamps are read as well, only slower."""


class EmbeddedSpark(LazyPySparkResource):
    """`LazyPySparkResource` on an embedded Sail server whose operators share a bounded memory pool."""

    spark_config: dict[str, Any] = {}
    memory_limit: int
    """Bytes for the operators' state, one share of what the process holds (`runtime/memory.py`)."""

    def _init_session(self) -> None:
        if self._spark_session is None:
            self._spark_session = embedded_session(self.memory_limit)


class ClassicSpark(LazyPySparkResource):
    """`LazyPySparkResource` on Spark itself: the cluster's session where there is one, else one of this process."""

    spark_config: dict[str, Any] = {}
    memory_limit: int
    """Bytes of the driver's heap, where this process starts it."""
    jars: str | None
    """Folder of the Delta jars; None on a cluster, which has its own."""

    def _init_session(self) -> None:
        if self._spark_session is None:
            self._spark_session = classic_session(self.memory_limit, self.jars, self.spark_config)


def spark_for(settings: Settings) -> LazyPySparkResource:
    """The engine of these settings."""
    if settings.engine == "sail":
        return EmbeddedSpark(memory_limit=engine_share(settings.memory_limit))
    return ClassicSpark(
        memory_limit=heap_share(settings.memory_limit), jars=None if settings.on_cluster else str(settings.spark_jars)
    )


def current_session() -> SparkSession:
    """The session that this process has started."""
    return SparkSession.builder.getOrCreate()


def embedded_session(memory_limit: int) -> SparkSession:
    """A Spark session on the embedded server (started once a process), in UTC."""
    session = SparkSession.builder.config("spark.remote", _url(memory_limit)).getOrCreate()
    # At exit the client asks the server to forget its models, of which there are none, and waits for an answer that a
    # server without memory never gives.
    atexit.register(session.client.close)  # pyright: ignore[reportAttributeAccessIssue]  # of a Connect session
    return _with(session, UTC | NO_CALL_SITES)


def classic_session(memory_limit: int, jars: str | None, more: Mapping[str, Any] | None = None) -> SparkSession:
    """The session of this process, started on this machine unless a cluster has one ready (`jars` is None).

    Args:
        more: settings of a session started here, which win over ours.

    Raises:
        SettingError: there is no Java, or no Delta jar.
    """
    if jars is None:
        return _where_allowed(_with(current_session(), AGREED), WISHED)
    if not (shutil.which("java") or os.environ.get("JAVA_HOME")):
        raise SettingError("CLAIMS_ENGINE=spark needs Java 17 or 21: install it, or unset CLAIMS_ENGINE to use Sail.")
    found = sorted(str(p) for p in Path(jars).glob("*.jar"))
    if not found:
        raise SettingError(f"CLAIMS_ENGINE=spark finds no Delta jars in {jars}: run `make spark-deps` once.")
    # Spark gives its Python workers the first `python3` of the path unless told.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder
    for name, value in (_local(memory_limit, found) | dict(more or {})).items():
        builder = builder.config(name, value)
    return _with(builder.getOrCreate(), AGREED | WISHED)


def _local(memory_limit: int, jars: list[str]) -> dict[str, str]:
    """One driver for all cores, quiet and closed to the network, for tables of megabytes."""
    log = Path(__file__).with_name("log4j2.properties")
    return {
        "spark.master": "local[*]",
        "spark.driver.memory": f"{memory_limit >> 20}m",
        "spark.driver.extraJavaOptions": f"-Dlog4j2.configurationFile={log.as_uri()}",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.jars": ",".join(jars),
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        "spark.sql.warehouse.dir": str(Path(tempfile.gettempdir()) / "spark-warehouse"),
        "spark.sql.shuffle.partitions": str(2 * (os.cpu_count() or 1)),
        "spark.databricks.delta.snapshotPartitions": "1",
        **NO_CALL_SITES,
        # VACUUM lists folders in that many tasks; the default of 10,000 takes a minute.
        "spark.sql.sources.parallelPartitionDiscovery.parallelism": "8",
    }


def _with(session: SparkSession, settings: dict[str, str]) -> SparkSession:
    for name, value in settings.items():
        session.conf.set(name, value)
    return session


def _where_allowed(session: SparkSession, settings: dict[str, str]) -> SparkSession:
    for name, value in settings.items():
        with contextlib.suppress(PySparkException):
            session.conf.set(name, value)
    return session


def _url(memory_limit: int) -> str:
    global _server
    if _server is None:
        os.environ.update(
            {
                # Unbounded is the default; only `fair` lets sorts and windows spill at the limit.
                "SAIL_RUNTIME__MEMORY_POOL__TYPE": "fair",
                "SAIL_RUNTIME__MEMORY_POOL__FAIR__MAX_SIZE": str(memory_limit),
                # Sail writes stages alone: local files that are read once or twice and removed. Its own defaults, zstd
                # and a million rows, cost a third of a write and hold a whole commit in memory.
                "SAIL_PARQUET__COMPRESSION": STAGE_COMPRESSION,
                "SAIL_PARQUET__MAX_ROW_GROUP_SIZE": str(STAGE_ROW_GROUP),
            }
        )
        os.environ.setdefault("RUST_LOG", "off")
        if memory_limit < ROOMY:
            os.environ.setdefault("MIMALLOC_PURGE_DELAY", "0")
        from pysail.spark import SparkConnectServer

        _server = SparkConnectServer(ip="127.0.0.1", port=0)
        _server.start(background=True)
    return f"sc://127.0.0.1:{_server.listening_address[1]}"
