"""DuckDB beside the engine: counts over files, in bounded memory, with what does not fit spilled to a folder."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

MEMORY = 512
"""Megabytes that one connection may hold; the engine's operators hold nothing while it counts."""
MEMORY_A_THREAD = 128
"""Megabytes that each thread needs (DuckDB's own guide to out-of-memory errors)."""


@contextmanager
def counting(spill: Path) -> "Iterator[duckdb.DuckDBPyConnection]":
    """A connection while the block lasts.

    Args:
        spill: folder that the owner of the rows alone may read; made when it is needed, and empty after each query.
    """
    with _database(spill).cursor() as connection:
        yield connection


@lru_cache(1)
def _database(spill: Path) -> "duckdb.DuckDBPyConnection":
    """One of the process: to make another takes longer than to count a month of a small table."""
    import duckdb

    return duckdb.connect(
        config={
            "memory_limit": f"{MEMORY}MB",
            "temp_directory": str(spill),
            "threads": min(os.cpu_count() or 1, MEMORY // MEMORY_A_THREAD),
            # Nothing here depends on the order of rows, and keeping it holds whole row groups.
            "preserve_insertion_order": False,
        }
    )
