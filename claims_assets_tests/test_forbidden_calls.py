"""The lint rule for engine calls: the package is clean, and each forbidden call would be seen."""

import pytest

from claims_assets_tests.forbidden_calls import ATTRIBUTES, FUNCTIONS, WORDS, all_findings, findings


@pytest.mark.requirement("R12")
def test_the_package_makes_no_forbidden_call():
    assert [str(f) for f in all_findings()] == []


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_each_forbidden_call_is_seen_in_a_transform(name):
    (found,) = findings(f"def t(frame):\n    return frame.{name}()\n", "silver/members.py")
    assert (found.line, found.call) == (2, f".{name}")


@pytest.mark.parametrize("word", WORDS)
def test_each_forbidden_text_is_seen(word):
    assert list(findings(f"SQL = 'select 1 {word} 2'", "silver/members.py"))


def test_reading_past_the_lake_is_seen():
    (found,) = findings("def t(spark):\n    return spark.read.parquet('x')\n", "gold/x.py".replace("gold", "features"))
    assert found.call == "spark.read"


def test_the_lake_itself_may_read_and_write():
    assert not list(findings("frame.write.parquet('x'); spark.read.format('delta')", "runtime/lake.py"))


def test_code_without_spark_frames_is_not_held_to_it():
    assert not list(findings("file.write('x')", "cli/main.py"))


@pytest.mark.parametrize("name", [*FUNCTIONS, "to_time", "theta_union"])
def test_functions_of_one_engine_or_of_newer_sparks_are_seen(name):
    (found,) = findings(f"x = F.{name}('a')\n", "silver/members.py")
    assert found.call == f"F.{name}"


def test_a_function_that_every_engine_has_is_no_finding():
    assert not list(findings("x = F.to_date('a'); y = series.round(2)", "silver/members.py"))
