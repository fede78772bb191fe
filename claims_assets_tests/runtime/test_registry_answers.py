"""Kept answers are those that the database would give: whatever is committed is asked for again."""

import sqlite3
import subprocess
import sys

import pytest

from claims_assets.runtime.registry_answers import FOLDER, Answers
from claims_assets_tests.models.artifacts import artifact
from claims_assets_tests.models.registry import empty_registry

QUESTION = ("versions", "a model")


@pytest.fixture
def database(tmp_path):
    path = tmp_path / "mlflow.db"
    commit(path, "create table t (n int)")
    return path


def commit(path, statement):
    db = sqlite3.connect(path)
    db.execute(statement)
    db.commit()
    db.close()


def rows(path):
    db = sqlite3.connect(path)
    found = db.execute("select n from t").fetchall()
    db.close()
    return found


def never():
    raise AssertionError("it was asked")


def test_an_answer_is_kept_for_its_question(database):
    assert Answers(database).of(QUESTION, lambda: {"a": [1]}) == {"a": [1]}
    assert Answers(database).of(QUESTION, never) == {"a": [1]}
    assert Answers(database).of(("versions", "another"), lambda: []) == []


def test_whatever_is_committed_is_asked_for_again(database):
    asked = []
    for n in range(3):
        asked.append(Answers(database).of(QUESTION, lambda: len(rows(database))))
        commit(database, f"insert into t values ({n})")
    commit(database, "update t set n = 7 where n = 2")
    asked.append(Answers(database).of(QUESTION, lambda: sorted(n for (n,) in rows(database))))
    assert asked == [0, 1, 2, [0, 1, 7]]


@pytest.mark.parametrize("suffix", ["-journal", "-wal"])
def test_nothing_is_kept_while_a_commit_may_be_under_way(database, suffix):
    database.with_name(database.name + suffix).touch()
    assert Answers(database).of(QUESTION, lambda: 1) == 1
    assert Answers(database).of(QUESTION, lambda: 2) == 2


def test_an_answer_that_the_question_itself_outdates_is_not_kept(database):
    Answers(database).of(QUESTION, lambda: commit(database, "insert into t values (1)"))
    assert Answers(database).of(QUESTION, lambda: "again") == "again"


def test_a_damaged_answer_is_asked_for_again(database):
    Answers(database).of(QUESTION, lambda: 1)
    (kept,) = (database.parent / FOLDER).iterdir()
    kept.write_text("{")
    assert Answers(database).of(QUESTION, lambda: 2) == 2
    assert Answers(database).of(QUESTION, never) == 2


def test_without_a_database_nothing_is_made(tmp_path):
    assert Answers(tmp_path / "mlflow.db").of(QUESTION, lambda: None) is None
    assert list(tmp_path.iterdir()) == []


def test_a_known_registry_is_read_without_mlflow(tmp_path, tmp_path_factory):
    """In a process of its own, as this one has imported it."""
    tracking = empty_registry(tmp_path / "mlflow", tmp_path_factory)
    with tracking.run("a run", {}) as run:
        known = tracking.register(run, "a_model", artifact(), {"as_of_month": "2025-06"})
    before = (tracking.versions("a_model"), tracking.results(known), tracking.load("a_model", 1).to_bytes())
    program = (
        "import sys\n"
        "from claims_assets.runtime.tracking import Tracking\n"
        f"tracking = Tracking(uri={tracking.uri!r}, artifacts={tracking.artifacts!r})\n"
        "versions = tracking.versions('a_model')\n"
        "print((versions, tracking.results(versions[0]), tracking.load('a_model', 1).to_bytes()))\n"
        "assert 'mlflow' not in sys.modules\n"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr
    assert told.stdout.strip() == repr(before)
