"""The diagnosis codes that claims are checked against: one row per code and run of fiscal years.

Here: the shipped list as a table, so that claims are joined to it. Elsewhere: the list itself and its loader
(`sources/code_sets.py`), its sources and how to refresh it (docs/code_sets.md), the check (`silver/claim_findings.py`).
"""

from dagster_pyspark import LazyPySparkResource
from pyspark.sql import DataFrame

from claims_assets import columns as c
from claims_assets.contracts import Contract
from claims_assets.sources.code_sets import DIAGNOSIS_SYSTEMS, diagnosis_code_list, fingerprint
from claims_assets.table import table


class DiagnosisCodes(Contract):
    """ICD-9-CM and ICD-10-CM diagnosis codes: one row per code and run of fiscal years in which it had one standing.

    A code that was split later has two rows: billable until then, a heading from then on. A fiscal year begins on
    October 1 of the year before; codes that began or ended within one count for all of it.
    """

    code: str = c.required("Code without its dot.", str_matches=r"^[0-9A-Z]{3,7}$")
    code_system: str = c.required("ICD-9-CM or ICD-10-CM.", isin=DIAGNOSIS_SYSTEMS)
    is_billable: bool = c.flag("Complete enough for a claim; false: a heading that has longer codes below it.")
    first_fiscal_year: c.Whole = c.optional("First fiscal year; NULL: as far back as the list reaches.")
    last_fiscal_year: c.Whole = c.optional("Last fiscal year; NULL: still in force.")

    class Config:
        unique = ["code_system", "code", "first_fiscal_year"]


@table(
    DiagnosisCodes,
    partitioned=False,
    phi="none",
    quarantine_limit=0.0,
    resources=["spark"],
    code_version=fingerprint("diagnosis_codes.csv.gz"),
)
def diagnosis_codes(spark: LazyPySparkResource) -> DataFrame:
    """The list as it ships; a line that breaks the contract stops the commit, as the list is ours to mend."""
    return spark.spark_session.createDataFrame(diagnosis_code_list())
