"""No table reads the clock: not the engine's, which the lint forbids, and not Python's."""

import ast

import pytest

from claims_assets_tests.forbidden_calls import PACKAGE, SPARK_LAYERS

CLOCKS = {"now", "utcnow", "today", "time", "time_ns", "localtime", "gmtime"}
RECORDS = {"models/promotion.py", "models/fraud_supervised.py", "outreach/extracts.py"}
"""They write down when something was decided or handed out; no table is computed from it."""
MODULES = {"datetime", "dt", "date", "time", "pd", "Timestamp", "pendulum"}


def clock_reads(source: str) -> list[int]:
    """Lines that call a clock of Python: `datetime.now()`, `dt.date.today()`, `time.time()`."""
    calls = [n.func for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Call)]
    clocks = [f for f in calls if isinstance(f, ast.Attribute) and f.attr in CLOCKS]
    return [f.lineno for f in clocks if ast.unparse(f.value).split(".")[-1] in MODULES]


@pytest.mark.requirement("R12")
def test_no_table_reads_the_clock_of_python():
    layers = [PACKAGE / part for part in SPARK_LAYERS if part != "runtime/"]
    files = [path for part in layers for path in ([part] if part.is_file() else part.rglob("*.py"))]
    assert len(files) > 40
    found = {path.relative_to(PACKAGE).as_posix(): clock_reads(path.read_text(encoding="utf-8")) for path in files}
    assert {name for name, lines in found.items() if lines} == RECORDS


@pytest.mark.parametrize("call", ["datetime.now(UTC)", "dt.date.today()", "time.time()", "pd.Timestamp.now()"])
def test_each_clock_would_be_seen(call):
    assert clock_reads(f"def age():\n    return {call}\n") == [2]
