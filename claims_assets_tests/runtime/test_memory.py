"""The limit of a run's memory: its shares, what running out of it looks like, and what is said and done then."""

import os
import subprocess
import sys

import dagster as dg
import pytest

from claims_assets.runtime.counting import counting
from claims_assets.runtime.memory import (
    GIGABYTE,
    MOST_ROWS,
    PROCESS,
    engine_share,
    heap_share,
    held,
    is_exhaustion,
    machine,
    rows_at_once,
    told,
)

IMPOSSIBLE = 2**60
LIMIT = 600 * 2**20


def python():
    bytearray(IMPOSSIBLE)


def arrow():
    import pyarrow as pa

    pa.allocate_buffer(IMPOSSIBLE)


def numpy():
    import numpy as np

    np.empty(IMPOSSIBLE, np.uint8)


def duckdb():
    import duckdb

    with duckdb.connect(config={"memory_limit": "20MB", "temp_directory": ""}) as db:
        db.execute("create table t as select range::varchar as value from range(5000000)")


def sail():
    raise RuntimeError("Resources exhausted: Failed to allocate additional 4.0 MB for GroupedHashAggregateStream[0]")


def spark():
    raise RuntimeError("An error occurred while calling o87.save.: java.lang.OutOfMemoryError: Java heap space")


def wrapped():
    try:
        arrow()
    except MemoryError as error:
        raise OSError("Generic error: the reader failed") from error


@pytest.mark.parametrize("exhaust", [python, arrow, numpy, duckdb, sail, spark, wrapped])
def test_whatever_runs_out_of_memory_one_sentence_names_table_setting_and_remedy(exhaust):
    with pytest.raises(dg.Failure) as raised, told("silver.medical_claims"):
        exhaust()
    said = raised.value.description or ""
    assert said.startswith("silver.medical_claims needs more memory than it may hold: raise CLAIMS_MEMORY_LIMIT")
    assert "--from and --to" in said
    assert "stays as it was" in said


def test_other_errors_and_failures_stay_what_they_are():
    with pytest.raises(ValueError, match="no such month"), told("gold.pmpm"):
        raise ValueError("no such month")
    with pytest.raises(dg.Failure, match="a rule blocks"), told("gold.pmpm"):
        raise dg.Failure("a rule blocks")
    assert not is_exhaustion("ValueError", "no such month")


@pytest.mark.parametrize("gigabytes", [1.5, 2, 4, 8, 64])
def test_the_shares_of_a_limit_fit_into_it(gigabytes):
    limit = int(gigabytes * GIGABYTE)
    assert PROCESS + engine_share(limit) < limit
    assert PROCESS + heap_share(limit) < limit
    assert rows_at_once(limit) <= rows_at_once(2 * limit) <= rows_at_once(None) == MOST_ROWS


def test_four_gigabytes_are_enough_for_a_full_commit():
    assert rows_at_once(4 * GIGABYTE) == MOST_ROWS


def test_counts_that_do_not_fit_are_spilled_and_the_folder_goes_with_them(tmp_path):
    with counting(tmp_path / "spill") as db:
        db.execute("set memory_limit = '60MB'")
        query = "select count(*) from (select hash(range) as h from range(3000000) group by h)"
        assert db.execute(query).fetchall() == [(3_000_000,)]
    assert list(tmp_path.rglob("*.*")) == []


WATCHED = """
import sys, time
from claims_assets.runtime.memory import watched
kept = []
with watched({limit}):
    try:
        while True:
            kept.append(b"x" * {piece})
            time.sleep(0.005)
    except MemoryError:
        if {ends}:
            kept.clear()
            print("ended, as it was told")
            sys.exit(3)
        while True:
            kept.append(b"x" * {piece})
            time.sleep(0.005)
"""


def run(code, **options):
    """The code in a process of its own."""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, **options)


linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what a process holds")


@linux
def test_a_step_above_the_limit_gets_a_memory_error():
    done = run(WATCHED.format(limit=LIMIT, piece=2**20, ends=True))
    assert (done.returncode, done.stdout) == (3, "ended, as it was told\n"), done.stderr


@linux
def test_a_step_that_goes_on_all_the_same_ends_with_its_process_and_the_sentence():
    done = run(WATCHED.format(limit=LIMIT, piece=2**20, ends=False))
    assert done.returncode == 1
    assert "needs more memory than it may hold: raise CLAIMS_MEMORY_LIMIT" in done.stderr
    assert "Traceback" not in done.stderr


@linux
def test_a_limit_of_the_shell_counts_too():
    import resource

    code = WATCHED.format(limit=1 << 50, piece=2**20, ends=True)
    done = run(code, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (LIMIT, LIMIT)))
    assert (done.returncode, done.stdout) == (3, "ended, as it was told\n"), done.stderr


@linux
def test_what_children_hold_is_counted():
    alone = held(os.getpid())
    child = "import sys; kept = b'x' * 200_000_000; print('ready', flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", child], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as started:
        assert started.stdout
        started.stdout.readline()
        assert held(os.getpid()) - alone > 150_000_000


def test_the_machine_has_memory():
    assert 0 < machine() <= os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def test_a_table_of_many_commits_is_read_from_a_checkpoint(tmp_path):
    import pyarrow as pa

    from claims_assets.runtime.delta import read_arrow
    from claims_assets.runtime.writers import COMMITS_A_CHECKPOINT, DeltaRsWriter

    path, schema = tmp_path / "monitoring" / "counts", pa.schema([("table_name", pa.string()), ("rows", pa.int64())])
    for n in range(COMMITS_A_CHECKPOINT + 2):
        rows = pa.table({"table_name": ["a"], "rows": [n]}, schema)
        DeltaRsWriter().replace(path, rows, "table_name", {"table_name": ["a"]})
    assert (path / "_delta_log" / "_last_checkpoint").exists()
    assert read_arrow(path, ["rows"]).to_pylist() == [{"rows": COMMITS_A_CHECKPOINT + 1}]
