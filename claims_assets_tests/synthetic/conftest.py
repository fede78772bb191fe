"""Small populations, written once for all tests here, and readers that share no code with the generator's writers."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import fastavro
import pyarrow.parquet as pq
import pytest

from claims_assets.synthetic import Summary, generate
from claims_assets.synthetic.blocks import Life, live
from claims_assets.synthetic.population import Block
from claims_assets.synthetic.providers import enlist

Row = dict[str, str | None]
MONTHS, END = 24, "2024-12"


@dataclass(frozen=True)
class Landing:
    """A written population and its summary."""

    path: Path
    summary: Summary

    @cached_property
    def medical(self) -> list[Row]:
        """All records of the claim files with `file`, the name after 'claims_'."""
        return [row for path in self.files("medical_claims") for row in _avro(path)]

    def files(self, feed: str) -> list[Path]:
        return sorted((self.path / feed).iterdir())

    def csv(self, feed: str) -> Iterator[tuple[Path, list[str], list[str]]]:
        """File, header and fields of each line, broken ones included."""
        for path in self.files(feed):
            with path.open(encoding="utf-8", newline="") as file:
                lines = csv.reader(file)
                header = next(lines)
                yield from ((path, header, fields) for fields in lines)

    def rows(self, feed: str) -> list[Row]:
        """Well-formed CSV records with `file`, the month in the file's name."""
        return [
            {**dict(zip(header, fields, strict=True)), "file": path.stem.split("_")[1]}
            for path, header, fields in self.csv(feed)
            if len(fields) == len(header)
        ]

    def parquet(self, feed: str) -> list[Row]:
        return [row for path in self.files(feed) for row in pq.read_table(path).to_pylist()]


def _avro(path: Path) -> Iterator[Row]:
    with path.open("rb") as file:
        for row in fastavro.reader(file):
            assert isinstance(row, dict)
            yield {**row, "file": path.stem.removeprefix("claims_")}


@pytest.fixture(scope="session")
def landing(tmp_path_factory: pytest.TempPathFactory) -> Landing:
    """1,200 members over two years, with dirt."""
    out = tmp_path_factory.mktemp("dirty") / "landing"
    return Landing(out, generate(out, members=1200, months=MONTHS, end=END, seed=11))


@pytest.fixture(scope="session")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Landing:
    """300 members over two years, without dirt."""
    out = tmp_path_factory.mktemp("clean") / "landing"
    return Landing(out, generate(out, members=300, months=MONTHS, end=END, seed=11, dirt=0.0))


@pytest.fixture(scope="session")
def extract(tmp_path_factory: pytest.TempPathFactory) -> Landing:
    """400 members of the third-party profile over the change of code sets in October 2015."""
    out = tmp_path_factory.mktemp("third_party") / "landing"
    return Landing(out, generate(out, members=400, months=24, end="2016-12", seed=3, profile="third_party"))


@pytest.fixture(scope="session")
def life() -> Life:
    """What happened to 5,000 members in four years, before any file."""
    block = Block(0, 1, 5000, 2021 * 12, 48)
    return live(block, enlist(5000, 7, 0.0), 7, 0.0)
