"""Bronze eligibility: every landed row comes out typed or quarantined."""

import pytest

from claims_assets.bronze.member_eligibility import MemberEligibility, member_eligibility
from claims_assets.contracts import compiled

CONTRACT = compiled(MemberEligibility)


@pytest.fixture
def written(spark, lake):
    """Writes landed text rows as the asset does; gives the typed rows by line, and what was found."""

    def write(*given):
        names = [*[n for n in CONTRACT.columns if n != "speaks_from"], "_rescued_data", "_raw", "file_key"]
        lines = [{"source_file": "a.csv", "source_line": str(i)} | row for i, row in enumerate(given)]
        values = [tuple(line.get(n) for n in names) for line in lines]
        landed = spark.createDataFrame(values, ", ".join(f"{n} string" for n in names))
        frame = member_eligibility(landed)
        found = lake.write(frame, "bronze", "member_eligibility", MemberEligibility, None, rows_expected=len(given))
        kept = lake.read(spark, "bronze", "member_eligibility").collect()
        return {r.source_line: r for r in kept}, found

    return write


def test_an_empty_feed_is_an_empty_table_with_all_columns(written, lake, spark):
    kept, found = written()
    assert kept == {}
    assert not found.blocked
    assert lake.read(spark, "bronze", "member_eligibility").columns == list(CONTRACT.columns)


def test_yes_and_no_are_read_as_feeds_write_them_and_other_words_warn(written):
    words = {"Y": True, " yes ": True, "1": True, "true": True, "T": True, "on": True}
    words |= {"N": False, "no": False, "0": False, "FALSE": False, "f": False, "off": False}
    words |= {"maybe": None, "U": None, None: None}
    base = {"member_id": "M1", "effective_date": "2024-01-01"}
    kept, found = written(*[base | {"dual_eligible": w, "smoker": w} for w in words])
    assert [kept[i].dual_eligible for i in range(len(words))] == list(words.values())
    assert [kept[i].smoker for i in range(len(words))] == list(words.values())
    assert found.rows_quarantined == 0
    assert found.failed_by_rule() == {"dual_eligible_is_readable": 2, "smoker_is_readable": 2}


def test_a_missing_member_or_effective_date_is_quarantined(written):
    kept, found = written(
        {"member_id": "M1", "effective_date": "2024-01-01"},
        {"effective_date": "2024-01-01"},
        {"member_id": "M1"},
        {"member_id": "M1", "effective_date": "soon"},
    )
    assert list(kept) == [0]
    assert found.rows_quarantined == 3


def test_optional_values_that_can_not_be_read_warn(written):
    kept, found = written(
        {"member_id": "M1", "effective_date": "2024-01-01", "term_date": "never", "birth_date": "?", "bmi": "heavy"}
    )
    assert (kept[0].term_date, kept[0].birth_date, kept[0].bmi) == (None, None, None)
    assert set(found.failed_by_rule()) == {"term_date_is_readable", "birth_date_is_readable", "bmi_is_readable"}
    assert found.rows_quarantined == 0


def test_unknown_words_and_disordered_dates_warn_and_stay(written):
    base = {"member_id": "M1", "effective_date": "2024-01-01"}
    kept, found = written(
        base | {"race": "black/african-american", "ethnicity": "Not Hispanic", "gender": "female", "zip_code": "02139"},
        base | {"race": "Martian", "ethnicity": "perhaps", "gender": "Q", "zip_code": "021"},
        base | {"term_date": "2023-12-31", "birth_date": "2024-05-01", "death_date": "2024-04-01", "bmi": "3"},
    )
    assert len(kept) == 3
    assert found.failed_by_rule() == {
        "birth_is_before_death": 1,
        "bmi_is_in_range": 1,
        "eligibility_dates_are_ordered": 1,
        "ethnicity_is_well_formed": 1,
        "gender_is_well_formed": 1,
        "race_is_well_formed": 1,
        "zip_code_is_well_formed": 1,
    }


def test_leading_zeros_survive(written):
    kept, _ = written(
        {"member_id": "00012", "effective_date": "2024-01-01", "zip_code": "00601", "household_id": "007"}
    )
    assert (kept[0].member_id, kept[0].zip_code, kept[0].household_id) == ("00012", "00601", "007")
