"""What came of an attempt, however it is written."""

import pytest

from claims_assets.outreach.contact_outcomes import OTHER, OUTCOMES, REACHED, contact_outcome, is_reached
from claims_assets.synthetic.contacts import OUTCOMES as WRITTEN


@pytest.fixture
def read(spark):
    from pyspark.sql import functions as F

    def read(*written):
        frame = spark.createDataFrame([(i, w) for i, w in enumerate(written)], "i int, w string")
        found = frame.select("i", contact_outcome(F.col("w")).alias("o"), is_reached(F.col("w")).alias("r")).collect()
        return [(row.o, row.r) for row in sorted(found)]

    return read


def test_the_words_of_the_contract_are_read_however_they_are_written(read):
    assert [o for o, _ in read(*OUTCOMES)] == list(OUTCOMES)
    assert read(" Left Message ", "NO-ANSWER", "wrong_number", "Opt. Out") == [
        ("left_message", False),
        ("no_answer", False),
        ("wrong_number", False),
        ("opt_out", True),
    ]


def test_common_other_words_are_known_and_all_else_is_other(read):
    assert read("Voicemail", "declined", "Appointment made", "carrier pigeon", "", None) == [
        ("left_message", False),
        ("refused", True),
        ("appointment", True),
        (OTHER, False),
        (OTHER, False),
        (OTHER, False),
    ]


def test_the_synthetic_words_are_all_read(read):
    found = [o for o, _ in read(*WRITTEN)]
    assert OTHER not in found
    assert set(found) & set(REACHED) == {"reached", "refused"}
