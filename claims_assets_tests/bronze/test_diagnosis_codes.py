"""The list of diagnosis codes as a table of the lake."""

from claims_assets.bronze.diagnosis_codes import DiagnosisCodes, diagnosis_codes
from claims_assets.runtime.spark import EmbeddedSpark
from claims_assets.sources.code_sets import diagnosis_code_list
from claims_assets_tests.conftest import TEST_MEMORY


def test_the_whole_list_is_written_and_keeps_its_contract(spark, lake):
    frame = diagnosis_codes(EmbeddedSpark(memory_limit=TEST_MEMORY))
    found = lake.write(frame, "bronze", "diagnosis_codes", DiagnosisCodes, None)
    assert (found.rows_kept, found.failed_by_rule(), found.blocked) == (diagnosis_code_list().num_rows, {}, [])
    covid = lake.read(spark, "bronze", "diagnosis_codes").where("code in ('U071', '001', 'A047')")
    assert sorted(tuple(r) for r in covid.fillna(0).collect()) == [
        ("001", "ICD-9-CM", False, 0, 2015),
        ("A047", "ICD-10-CM", False, 2019, 0),
        ("A047", "ICD-10-CM", True, 2016, 2018),
        ("U071", "ICD-10-CM", True, 2020, 0),
    ]
