"""Clean forms of codes."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyspark.sql import functions as F

from claims_assets.silver import codes

FORMS = {
    "normal_diagnosis": {
        "U07.1": "U071", "E119": "E119", "e11.9": "E119", " C4A ": "C4A", "Z3A": "Z3A", "m1a.00x0": "M1A00X0",
        "250.00": "25000", "V58.61": "V5861", "E849.0": "E8490", "": None, " . ": None, None: None,
    },
    "normal_ndc": {
        "0002-1433-80": "00002143380", "60575-112-01": "60575011201", "12345-6789-1": "12345678901",
        "12345-6789-01": "12345678901", "0002143380": "0002143380", "00002143380": "00002143380",
        "aspirin": None, "": None, None: None,
    },
    "normal_revenue": {"450": "0450", "0450": "0450", " 981": "0981", "": None, None: None},
    "normal_place": {"1": "01", "11": "11", "": None, None: None},
    "normal_bill_type": {
        "111": "0111", "0111": "0111", "89a": "089A", " 131 ": "0131", "1": "1", "01111": "01111", "": None, None: None,
    },
    "normal_drg": {"1": "001", "65": "065", "065": "065", "470": "470", "1401": "1401", "X": "X", "": None, None: None},
}  # fmt: skip
"""Function -> code as written -> its clean form."""


def applied(spark, name, written):
    frame = spark.createDataFrame([(i, w) for i, w in enumerate(written)], "i int, written string")
    found = frame.select("i", getattr(codes, name)(F.col("written")).alias("clean")).orderBy("i")
    return [r.clean for r in found.collect()]


@pytest.mark.parametrize("name", FORMS)
def test_a_code_has_one_clean_form_however_it_is_written(spark, name):
    assert dict(zip(FORMS[name], applied(spark, name, FORMS[name]), strict=True)) == FORMS[name]


@settings(max_examples=4)
@given(written=st.lists(st.text("0123456789ABXabx.- ", max_size=14), min_size=40, max_size=60))
@pytest.mark.parametrize("name", FORMS)
def test_a_clean_form_is_its_own_clean_form(spark, name, written):
    once = applied(spark, name, written)
    assert applied(spark, name, once) == once
