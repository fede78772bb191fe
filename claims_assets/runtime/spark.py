"""The engine: a Spark session behind dagster-pyspark's resource.

`sail`: pysail's Spark Connect server inside this process, no JVM. It starts when the session is first asked for, so
importing the definitions starts nothing.
"""

import os
from typing import Any

from dagster_pyspark import LazyPySparkResource

_server: Any = None
"""Kept for the life of the process: a server that is garbage-collected stops, and its client hangs."""


class EmbeddedSpark(LazyPySparkResource):
    """`LazyPySparkResource` on an embedded Sail server whose operators share a bounded memory pool."""

    spark_config: dict[str, Any] = {}
    memory_limit: int
    """Bytes for the operators' state; the process needs about 0.5 GB beside it."""

    def _init_session(self) -> None:
        if self._spark_session is None:
            self._spark_session = embedded_session(self.memory_limit)


def embedded_session(memory_limit: int):
    """A Spark session on the embedded server (started once a process), in UTC."""
    from pyspark.sql import SparkSession

    session = SparkSession.builder.config("spark.remote", _url(memory_limit)).getOrCreate()
    session.conf.set("spark.sql.session.timeZone", "UTC")
    return session


def _url(memory_limit: int) -> str:
    global _server
    if _server is None:
        os.environ.update(
            {
                # Unbounded is the default; only `fair` lets sorts and windows spill at the limit.
                "SAIL_RUNTIME__MEMORY_POOL__TYPE": "fair",
                "SAIL_RUNTIME__MEMORY_POOL__FAIR__MAX_SIZE": str(memory_limit),
            }
        )
        os.environ.setdefault("RUST_LOG", "off")
        from pysail.spark import SparkConnectServer

        _server = SparkConnectServer(ip="127.0.0.1", port=0)
        _server.start(background=True)
    return f"sc://127.0.0.1:{_server.listening_address[1]}"
