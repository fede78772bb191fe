"""What a step reads: the size of a commit, and gaps that must not count as months without claims."""

import dagster as dg
import pytest

from claims_assets import reading
from claims_assets.inputs import Input, Window
from claims_assets_tests.landed import LINES, build_months, land_lines


def test_a_lag_splits_and_guards_the_months_that_are_read(lake, spark_resource, tmp_path, monkeypatch):
    """With a lag of one month, March reads February alone: in the size of a commit, and in gaps."""
    lagged = Input("bronze_medical_claims", "bronze", "medical_claims", Window(1, lag=1))
    land_lines(tmp_path, *LINES)
    with dg.DagsterInstance.ephemeral() as instance:
        assert build_months(instance, lake, spark_resource, "2024-01", "2024-02").success
    monkeypatch.setattr(reading, "ROWS_PER_CHUNK", 2)
    # The rows of January and of February, one and two: the second commit begins with March.
    months = ["2024-01", "2024-02", "2024-03"]
    assert list(reading.chunks(lake, [lagged], months)) == [["2024-01", "2024-02"], ["2024-03"]]
    reading.refuse_gaps(lake, "gold.x", [lagged], ["2024-03"])
    with pytest.raises(dg.Failure, match=r"gold.x of 2024-04 needs bronze.medical_claims of 2024-03 to 2024-03"):
        reading.refuse_gaps(lake, "gold.x", [lagged], ["2024-04"])
