"""Dagster's event log in SQLite, with connections that stay open.

Dagster opens and closes a connection for every event, compiles its statements anew and waits for the disk at each of
its commits: 4 to 20 ms an event, two events for each table and claim month. Here each database keeps one connection,
and commits wait for the disk at checkpoints only. A killed process loses nothing; a machine that loses power may lose
the last events of a run, never the database (SQLite's documentation of `synchronous=NORMAL` with a write-ahead log).
Files and tables are Dagster's own: its plain class reads them as well.
"""

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import sqlalchemy as db
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._serdes import ConfigurableClassData
from sqlalchemy import event
from sqlalchemy.pool import QueuePool

FOLDER = Path("history", "runs")
"""Below the folder of an instance, where Dagster keeps event logs unless told."""
MOST_OPEN = 8
"""Databases whose connection stays open: each run has a database of its own, and the UI looks at many."""


class OpenSqliteEventLogStorage(SqliteEventLogStorage):
    """`SqliteEventLogStorage` in the instance's own folder, by connections that stay open."""

    def __init__(self, inst_data: ConfigurableClassData | None = None) -> None:
        # Dagster makes a storage first and tells it the instance next; only then is the folder known.
        self._given = inst_data
        self._engines: OrderedDict[str, db.Engine] = OrderedDict()
        self._tables: set[str] = set()

    @property
    def inst_data(self) -> ConfigurableClassData | None:
        return self._given

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        return {}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> "SqliteEventLogStorage":
        return cls(inst_data)

    def register_instance(self, instance: dg.DagsterInstance) -> None:
        """Open the events of an instance."""
        super().__init__(str(Path(instance.root_directory) / FOLDER), self._given)
        super().register_instance(instance)

    def has_table(self, table_name: str) -> bool:
        """Whether the index has a table; one that is there stays."""
        if table_name not in self._tables and super().has_table(table_name):
            self._tables.add(table_name)
        return table_name in self._tables

    def dispose(self) -> None:
        """Close all connections."""
        with self._db_lock:
            while self._engines:
                self._engines.popitem()[1].dispose()
        super().dispose()

    @contextmanager
    def _connect(self, shard: str) -> Iterator[db.Connection]:
        with self._db_lock:
            engine = self._engine(shard)
            if shard not in self._initialized_dbs:
                self._initdb(engine)
                self._initialized_dbs.add(shard)
            with engine.connect() as connection, connection.begin():
                yield connection

    def _engine(self, shard: str) -> db.Engine:
        """The open one, or a new one in place of the one that was used longest ago."""
        if shard not in self._engines:
            self._engines[shard] = _engine(self.conn_string_for_shard(shard))
        self._engines.move_to_end(shard)
        while len(self._engines) > MOST_OPEN:
            self._engines.popitem(last=False)[1].dispose()
        return self._engines[shard]


def _engine(url: str) -> db.Engine:
    # One thread at a time is let in, but not always the same one.
    arguments = {"timeout": SQLITE_BUSY_TIMEOUT_SECONDS, "check_same_thread": False}
    engine = db.create_engine(url, poolclass=QueuePool, pool_size=1, connect_args=arguments)
    event.listen(engine, "connect", _wait_at_checkpoints)
    return engine


def _wait_at_checkpoints(connection: Any, _: Any) -> None:
    connection.execute("PRAGMA synchronous = NORMAL")
