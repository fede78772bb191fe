"""DuckDB beside the engine: counts over files, in bounded memory, with what does not fit spilled to a folder."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
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
    """A connection of its own while the block lasts.

    Args:
        spill: folder that the owner of the rows alone may read; made when it is needed.
    """
    import duckdb

    settings = {
        "memory_limit": f"{MEMORY}MB",
        "temp_directory": str(spill),
        "threads": min(os.cpu_count() or 1, MEMORY // MEMORY_A_THREAD),
        # Nothing here depends on the order of rows, and keeping it holds whole row groups.
        "preserve_insertion_order": False,
    }
    with duckdb.connect(config=settings) as connection:
        yield connection
