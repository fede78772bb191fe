"""`bills(...)`: write rows of the small table, and what was found."""

import pytest
from pyspark.sql import functions as F

from claims_assets.contracts import compiled, reject
from claims_assets_tests.monitoring.bills import MONTH, ROWS, TAKEN_BACK, Bills


@pytest.fixture
def bills(lake, spark):
    def write(*rows, months=(MONTH,)):
        schema = ", ".join(f"{n} string" for n in compiled(Bills).columns)
        frame = spark.createDataFrame(list(rows or ROWS), schema)
        frame = reject(frame, {"bill_is_not_taken_back": F.col("bill_id") == TAKEN_BACK})
        return lake.write(frame, "bronze", "bills", Bills, list(months))

    return write
