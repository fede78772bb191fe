"""The comparison sees what it must see, and accepts only what the list names."""

import re

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from claims_assets_tests.parity.__main__ import report
from claims_assets_tests.parity.compare import Compared, compare

ROWS = {"id": ["a", "b", "b"], "score": [0.1, 0.2, None]}


@pytest.fixture
def lakes(tmp_path):
    """`lakes(first, second)`: both hold gold.scores with these columns; the differences of that table."""

    def build(first, second, accepted=()):
        for lake, columns in (("first", first), ("second", second)):
            if columns is not None:
                write_deltalake(tmp_path / lake / "gold" / "scores", pa.table(columns), mode="overwrite")
        (found,) = compare(tmp_path / "first", tmp_path / "second", dict.fromkeys(accepted, "for the test"))
        return found

    return build


def test_the_same_rows_in_another_order_are_the_same(lakes):
    found = lakes(ROWS, {name: values[::-1] for name, values in ROWS.items()})
    assert (found.table, found.rows, found.differences) == ("gold.scores", 3, ())


@pytest.mark.parametrize(
    ("second", "said"),
    [
        (ROWS | {"score": [0.1, 0.2 + 1e-16, None]}, "1 rows only in the first, 1 only in the .*differing: score"),
        (ROWS | {"score": [0.1, 0.2, 0.0]}, "differing: score"),
        ({"id": ["a", "b"], "score": [0.1, 0.2]}, "1 rows only in the first, 0 only in the second"),
        ({"id": ["b", "a", "b"], "score": [0.1, 0.2, None]}, "no single column"),
        (ROWS | {"score": pa.array([0.1, 0.2, None], pa.float32())}, "gold.scores has other columns: score"),
        ({"score": ROWS["score"], "id": ROWS["id"]}, "gold.scores has other columns: their order"),
        (None, "gold.scores does not exist in .*second"),
    ],
)  # fmt: skip
def test_each_difference_is_seen(lakes, second, said):
    (difference,) = lakes(ROWS, second).differences
    assert re.search(said, difference)


def test_a_listed_column_may_differ_and_no_other(lakes):
    second = ROWS | {"score": [0.3, 0.2, None]}
    assert lakes(ROWS, second, [("gold.scores", "score")]).differences == ()
    assert lakes(ROWS, second, [("gold.scores", "id")]).differences != ()


def test_no_value_of_a_row_is_said(lakes):
    (difference,) = lakes(ROWS, ROWS | {"id": ["secret", "b", "b"]}).differences
    assert "secret" not in difference


def test_the_last_line_counts_and_the_code_fails_on_a_difference(capsys):
    same, other = Compared("gold.a", 1_200, ()), Compared("gold.b", 3, ("gold.b has other columns: x.",))
    assert report([same]) == 0
    assert capsys.readouterr().out == "parity: 1 tables, 1,200 rows, 0 differ\n"
    assert report([same, other]) == 1
    assert capsys.readouterr().out == "gold.b has other columns: x.\nparity: 2 tables, 1,203 rows, 1 differ\n"


def test_nothing_compared_is_no_success():
    assert report([]) == 1
