"""What a process took, told by the kernel and by samples."""

import os
import sys
import time

import pytest

from bench.measured import Failed, Run, Spent, measured

BUSY = "x = 0\nfor i in range(12_000_000): x += i\n"


def _python(code: str, tmp_path) -> Run:
    return measured([sys.executable, "-c", code], os.environ, tmp_path / "run.log")


def test_cpu_seconds_are_those_of_the_process_and_its_children(tmp_path):
    alone = _python(BUSY, tmp_path)
    child = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {BUSY!r}], check=True)"
    assert alone.spent.cpu > 0.1
    assert _python(child, tmp_path).spent.cpu > 0.5 * alone.spent.cpu


def test_peak_memory_is_what_was_resident(tmp_path):
    small = _python(BUSY, tmp_path).spent.peak
    large = _python(f"held = bytearray(200_000_000)\n{BUSY}", tmp_path).spent.peak
    assert 180_000_000 < large - small < 260_000_000


def test_output_is_kept_and_an_error_names_its_log(tmp_path):
    assert _python("print('told')", tmp_path).output == "told\n"
    with pytest.raises(Failed, match=r"ended with 3: see .*run\.log"):
        _python("import sys\nprint('why', file=sys.stderr)\nsys.exit(3)", tmp_path)
    assert (tmp_path / "run.log").read_text() == "why\n"


def test_a_step_has_the_cpu_of_its_time():
    start = time.time()
    run = Run("", start, Spent(4.0, 3.0, 70), [(start + 1, 1.0, 50), (start + 3, 2.0, 70)])
    assert run.between(start, start + 4).cpu == pytest.approx(3.0)
    assert run.between(start + 2, start + 3).cpu == pytest.approx(0.5)
    assert run.between(start + 0.5, start + 2) == Spent(1.5, pytest.approx(1.0), 50)
