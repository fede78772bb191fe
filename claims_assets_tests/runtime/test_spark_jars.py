"""Fetching the Delta jars: what the resolver gives is kept once, and each failure is one sentence.

The resolver is a small program in the place of Maven's; the real one runs in `make spark-deps`.
"""

import pytest

from claims_assets.runtime.spark_jars import VERSION, artifact, fetch
from claims_assets.settings import SettingError

DELTA = f"{artifact()}-{VERSION}.jar"


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """`programs(mvn="...")`: a PATH with Java and these shell scripts."""
    folder = tmp_path / "bin"
    folder.mkdir()

    def install(**scripts):
        for name, lines in {"java": "", **scripts}.items():
            (folder / name).write_text(f"#!/bin/sh\n{lines}\n")
            (folder / name).chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")

    return install


def making(*jars):
    """A Maven that puts these jars where it is told."""
    named = " ".join(f'"$to/{jar}"' for jar in jars)
    return f'for a; do case $a in -DoutputDirectory=*) to=${{a#*=}};; esac; done; mkdir -p "$to"; touch {named}'


def test_jars_that_spark_ships_are_left_out_and_nothing_is_fetched_twice(programs, tmp_path):
    programs(mvn=making(DELTA, "delta-storage-4.4.0.jar", "scala-library-2.13.17.jar"))
    assert fetch(tmp_path / "jars")
    assert {p.name for p in (tmp_path / "jars").iterdir()} == {DELTA, "delta-storage-4.4.0.jar"}
    programs(mvn="exit 1")
    assert not fetch(tmp_path / "jars")


def test_jars_of_another_version_are_replaced(programs, tmp_path):
    (tmp_path / "jars").mkdir()
    (tmp_path / "jars" / f"{artifact()}-1.0.0.jar").touch()
    programs(mvn=making(DELTA))
    assert fetch(tmp_path / "jars")
    assert [p.name for p in (tmp_path / "jars").iterdir()] == [DELTA]


def test_what_maven_says_is_passed_on(programs, tmp_path):
    programs(mvn='echo "[ERROR] Unknown host"; exit 1')
    with pytest.raises(SettingError, match=r"Maven could not resolve .*check the network.*Unknown host"):
        fetch(tmp_path / "jars")
    assert not (tmp_path / "jars").exists()


def test_without_java_nothing_is_fetched(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SettingError, match="needs Java 17 or 21: install it first"):
        fetch(tmp_path / "jars")
