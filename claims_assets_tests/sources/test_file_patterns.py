"""Which names a pattern of the mapping takes in, where no folder is listed: those that a listing would give."""

from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claims_assets.sources.auto_loader import matches

FOLDERS = st.lists(st.sampled_from(["2024", "a", "b.d"]), max_size=3)
FILES = st.sampled_from(["a", "a.csv", "b.csv.gz", "c.avro", ".hidden"])
PARTS = st.lists(st.sampled_from(["**", "*", "a", "?", "2*", "b.d"]), max_size=3)
LAST = st.sampled_from(["*", "*.csv", "*.csv*", "[ab]*", "a", "?.avro"])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(FOLDERS, FILES), max_size=8), PARTS, LAST)
def test_a_name_matches_where_a_listing_finds_it(names, folders, last):
    with TemporaryDirectory() as root:
        for parents, name in names:
            place = Path(root, *parents)
            if not any(p.is_file() for p in (place, *place.parents)) and not (place / name).is_dir():
                place.mkdir(parents=True, exist_ok=True)
                (place / name).touch()
        pattern = "/".join([*folders, last])
        files = {p.relative_to(root).as_posix() for p in Path(root).rglob("*") if p.is_file()}
        listed = {p.relative_to(root).as_posix() for p in Path(root).glob(pattern) if p.is_file()}
    assert {f for f in files if matches(PurePosixPath(f), pattern)} == listed


@pytest.mark.parametrize(
    ("pattern", "taken"), [("**/*", True), ("**/*.csv", True), ("*.csv", False), ("2024/*/c.csv", True), ("*/c", False)]
)
def test_folders_count(pattern, taken):
    assert matches(PurePosixPath("2024/01/c.csv"), pattern) is taken
