"""A plan of literal members, a folder of extracts beside an empty lake, and extracts of literal members in it."""

import pytest

import claims_assets.definitions  # noqa: F401  (declares the extracts)
from claims_assets.outreach.extract_folder import ExtractFolder
from claims_assets.outreach.extracts import EXTRACTS, write
from claims_assets_tests.outreach.made_targeting import MONTH, NOW, write_targeting
from claims_assets_tests.outreach.plans import Plan


@pytest.fixture
def folder(tmp_path):
    """An empty folder of extracts."""
    return ExtractFolder(folder=str(tmp_path / "extracts"), pseudonym_key="k" * 32)


@pytest.fixture
def extracted(lake, folder, spark):
    """`extracted(name, rows)`: metadata and the rows of the Parquet file of an extract of these members."""
    import pyarrow.parquet as pq

    def make(name, rows=None, month=MONTH):
        if rows is not None:
            write_targeting(lake, rows)
        extract = next(e for e in EXTRACTS.values() if e.name == name)
        told = write(extract, month, lake, folder, "run", NOW)
        return told, pq.read_table(folder.of_month(name, month) / f"{name}.parquet").to_pylist()

    return make


@pytest.fixture
def plan(rows):
    """`plan(months=[...], policy=[...])`: an empty plan to be filled."""
    return lambda **given: Plan(rows, **given)
