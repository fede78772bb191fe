"""Bronze providers: every row of the snapshot comes out typed or quarantined."""

import pytest

from claims_assets.bronze.providers import Providers, providers
from claims_assets.contracts import compiled

CONTRACT = compiled(Providers)


@pytest.fixture
def written(spark, lake):
    """Writes landed text rows as the asset does; gives the typed rows by line, and what was found."""

    def write(*given):
        names = list(CONTRACT.columns)
        lines = [{"source_file": "db", "source_line": str(i)} | row for i, row in enumerate(given)]
        values = [tuple(line.get(n) for n in names) for line in lines]
        landed = spark.createDataFrame(values, ", ".join(f"{n} string" for n in names))
        found = lake.write(providers(landed), "bronze", "providers", Providers, None, rows_expected=len(given))
        return {r.source_line: r for r in lake.read(spark, "bronze", "providers").collect()}, found

    return write


def test_an_absent_feed_is_an_empty_table(written):
    kept, found = written()
    assert kept == {}
    assert not found.blocked


@pytest.mark.requirement("R34")
def test_a_second_load_leaves_the_same_rows(written, lake, spark):
    """R34: a load replaces the table, it never adds the rows again."""
    row = {"provider_id": "P1", "npi": "1234567893", "active_from": "2020-01-01"}
    first, _ = written(row)
    second, _ = written(row)
    assert first == second


def test_a_malformed_npi_warns_and_a_missing_provider_id_is_quarantined(written):
    kept, found = written({"provider_id": "P1", "npi": "12345"}, {"npi": "1234567893"}, {"provider_id": "P2"})
    assert sorted(kept) == [0, 2]
    assert kept[0].npi == "12345"
    assert found.failed_by_rule() == {"npi_is_well_formed": 1, "provider_id_is_present": 1}
