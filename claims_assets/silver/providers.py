"""Providers over time: one row per provider and first active day, with the NPI checked.

An NPI that fails its check digit stays and is counted: synthetic and de-identified extracts mostly fail it. Several
providers may share an NPI (locations of one organization).
"""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from claims_assets import columns as c
from claims_assets.contracts import Contract, rule
from claims_assets.silver.codes import normal_code, normal_id
from claims_assets.silver.demographics import zip5
from claims_assets.table import Whole, table

NPI_DIGITS = 10
NPI_PREFIX_SUM = 24
"""What the digits of 80840 (health, United States) before the NPI add to its Luhn sum; CMS NPI check digit rule."""
TEXTS = ("provider_name", "provider_type", "specialty", "address_line1", "city")


class Providers(Contract):
    """Providers over time: one row per provider and first active day."""

    provider_id: str = c.required("Provider id; claims name it.")
    active_from: c.Date = c.optional("First day of the version; NULL: since ever, as the feed gives no day.")
    active_to: c.Date = c.optional("Last day of the version (still in it); NULL: open.")
    is_current_record: bool = c.flag("The provider's latest version; each provider has exactly one.")
    provider_name: str = c.optional("Name.", expected=True)
    provider_type: str = c.optional("Type.", expected=True)
    specialty: str = c.optional("Specialty.", expected=True)
    npi: str = c.optional("National provider identifier, digits only.", expected=True)
    npi_is_valid: bool = c.flag("Ten digits, the first 1 or 2, with the right check digit; false if missing.")
    taxonomy_code: str = c.optional("Provider taxonomy code, upper case.")
    address_line1: str = c.optional("Street.")
    city: str = c.optional("City.")
    state: str = c.optional("State, upper case.")
    zip_code: str = c.optional("Five digits.", expected=True, str_matches=r"^[0-9]{5}$")

    class Config:
        unique = ["provider_id", "active_from"]
        metadata = {
            "rules": {
                "npi_check_digit_is_right": rule(
                    "npi is null or npi_is_valid", severity="warn", dimension="validity", about=["npi"]
                ),
                "active_days_are_ordered": rule(
                    "active_from <= active_to", severity="warn", about=["active_from", "active_to"]
                ),
            }
        }


@table(Providers, partitioned=False, phi="none", domain="providers")
def providers(bronze_providers: Whole) -> DataFrame:
    """The newest row for each provider and first active day; a version ends at the latest the day before the next."""
    return bronze_providers.transform(_clean).transform(_newest_row).transform(_as_versions)


def npi_is_valid(npi: Column) -> Column:
    """Whether a text of digits is an NPI; never NULL.

    The Luhn algorithm over 80840 and the NPI: from the right, every second digit counts twice, as the sum of the digits
    of its double; the total is a multiple of ten. Plain Luhn over the ten digits refuses every real NPI.
    """
    total = F.lit(NPI_PREFIX_SUM)
    for position in range(1, NPI_DIGITS + 1):
        digit = F.substring(npi, position, 1).try_cast("int")
        if position % 2:
            digit = digit * 2 - F.when(digit > 4, 9).otherwise(0)
        total = total + digit
    return F.coalesce(npi.rlike(r"^[12][0-9]{9}$") & (total % 10 == 0), F.lit(False))


def _clean(rows: DataFrame) -> DataFrame:
    npi = normal_id(F.regexp_replace("npi", "[^0-9]", ""))
    return rows.withColumns(
        {name: normal_id(F.col(name)) for name in ("provider_id", *TEXTS)}
        | {name: normal_code(F.col(name)) for name in ("taxonomy_code", "state")}
        | {"zip_code": zip5(F.col("zip_code")), "npi": npi, "npi_is_valid": npi_is_valid(npi)}
    )


def _newest_row(rows: DataFrame) -> DataFrame:
    newest = Window.partitionBy("provider_id", "active_from").orderBy(
        F.desc_nulls_last("received_month"), F.desc("source_file"), F.desc("source_line")
    )
    return rows.withColumn("_newest", F.row_number().over(newest)).where("_newest = 1").drop("_newest")


def _as_versions(rows: DataFrame) -> DataFrame:
    by_start = Window.partitionBy("provider_id").orderBy(F.asc_nulls_first("active_from"))
    following = F.lead("active_from").over(by_start)
    return rows.withColumns(
        {
            "active_to": F.least("active_to", F.date_sub(following, 1)),
            "is_current_record": F.lead(F.lit(1)).over(by_start).isNull(),
        }
    )
