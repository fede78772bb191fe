"""Claim lines with when they counted: one row per version of a line, medical and pharmacy.

Here: codes in their clean form, repeated lines, what the chains mean for a line. Elsewhere: the chains themselves
(`bronze/claim_links.py`), what stands today (`silver/medical_claims.py`, `silver/pharmacy_claims.py`), clean forms and
the meaning of codes (`silver/codes.py`).
"""

from collections.abc import Callable

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from claims_assets import columns as c
from claims_assets.bronze.chains import CYCLE, ORIGINAL, UNKNOWN_ORIGINAL, VOID
from claims_assets.bronze.claim_links import CLAIM_FEEDS, INDICATORS, MEDICAL, PHARMACY, normal_indicator
from claims_assets.contracts import Contract, compiled, reject
from claims_assets.silver import codes
from claims_assets.table import Spans, table


class VersionColumns(Contract):
    """Columns that a line of either feed has in silver."""

    claim_id: str = c.claim_id()
    claim_line_number: c.Whole = c.claim_line_number()
    member_id: str = c.member_id()
    claim_month: str = c.claim_month()
    paid_date: c.Date = c.optional("Day the plan paid or decided.")
    adjustment_indicator: str = c.required("0 original (or any other value), 1 void, 4 replacement.", isin=INDICATORS)
    original_claim_id: str = c.optional("Claim that this one voids or replaces, as written.")
    root_claim_id: str = c.required("Claim at the top of the chain; the claim itself where it has none.")
    claim_status: str = c.optional("PAID, DENIED, PENDING or REVERSED; NULL counts as PAID.")
    ndc_code: str = c.optional("NDC, 11 digits where its form tells them.")
    allowed_amount: c.Money = c.amount("Allowed, USD.")
    paid_amount: c.Money = c.amount("Paid by the plan, USD; cumulative, a replacement states the whole amount.")
    known_from: str = c.known_from()
    received_month: str = c.received_month()
    source_file: str = c.source_file()
    source_line: c.Count = c.source_line()


def _diagnosis(position: int):
    return c.optional(f"Diagnosis {position}, ICD-9-CM or ICD-10-CM without dot.")


class MedicalColumns(VersionColumns):
    """Columns of a medical line in silver."""

    claim_date: c.Date = c.required("Date the claim carries.")
    service_from_date: c.Date = c.required("First day of service; its month is the claim month.")
    service_to_date: c.Date = c.optional("Last day of service; as written, also where it is before the first.")
    admit_date: c.Date = c.optional("Admission.")
    discharge_date: c.Date = c.optional("Discharge.")
    provider_id: str = c.optional("Provider id; joins `providers`.")
    claim_type: str = c.optional("IP, OP, ER, PROF, LTC, DENTAL; RX for a pharmacy fill.")
    diagnosis_code_1: str = _diagnosis(1)
    diagnosis_code_2: str = _diagnosis(2)
    diagnosis_code_3: str = _diagnosis(3)
    diagnosis_code_4: str = _diagnosis(4)
    diagnosis_code_5: str = _diagnosis(5)
    diagnosis_code_6: str = _diagnosis(6)
    diagnosis_code_7: str = _diagnosis(7)
    diagnosis_code_8: str = _diagnosis(8)
    diagnosis_code_9: str = _diagnosis(9)
    diagnosis_code_10: str = _diagnosis(10)
    diagnosis_code_11: str = _diagnosis(11)
    diagnosis_code_12: str = _diagnosis(12)
    procedure_code_1: str = c.optional("CPT or HCPCS.")
    procedure_code_2: str = c.optional("Second CPT or HCPCS.")
    procedure_modifier_1: str = c.optional("First modifier.")
    procedure_modifier_2: str = c.optional("Second modifier.")
    revenue_code: str = c.optional("Revenue code, 4 digits.")
    bill_type_code: str = c.optional("Type of bill, 4 characters with a leading zero.")
    place_of_service: str = c.optional("Place of service, 2 digits.")
    drg_code: str = c.optional("DRG, 3 digits; 4 for an APR-DRG with its severity.")
    billed_amount: c.Money = c.amount("Billed, USD.")
    member_liability: c.Money = c.amount("Owed by the member, USD.")
    service_units: c.Whole = c.optional("Units of service.")


class PharmacyColumns(VersionColumns):
    """Columns of a pharmacy fill in silver."""

    fill_date: c.Date = c.optional("Day of the fill; its month is the claim month.")
    pharmacy_id: str = c.optional("Pharmacy id.")
    prescriber_id: str = c.optional("Prescriber; joins `providers`.")
    drug_name: str = c.optional("Drug as written.")
    days_supply: c.Whole = c.optional("Days the fill lasts.")
    quantity: c.Quantity = c.optional("Quantity dispensed.")
    refill_number: c.Whole = c.optional("0 for the first fill.")
    member_copay: c.Money = c.amount("Owed by the member, USD.")
    generic_indicator: str = c.optional("Generic or brand, as written, upper case.")
    therapeutic_class: str = c.optional("Therapeutic class, as written, upper case.")


class ClaimVersions(MedicalColumns, PharmacyColumns):
    """Claim lines with when they counted: one row per version of a line, medical and pharmacy.

    A version counts as of month M when `known_from <= M`, M is before `cancelled_on` (or that is NULL), and it is not a
    void.
    """

    claim_feed: str = c.required("medical or pharmacy.", isin=CLAIM_FEEDS)
    cancelled_on: str = c.month("First month in which a later version of the chain was known; NULL: it stands.")
    cancelled_by: str = c.optional("Claim id of the version that stood last in that month.")

    class Config:
        unique = ["claim_feed", "claim_id", "claim_line_number", "adjustment_indicator", "claim_month"]


_CLEAN: dict[str, Callable[[Column], Column]] = {
    **dict.fromkeys(("claim_id", "member_id", "provider_id", "pharmacy_id", "prescriber_id"), codes.normal_id),
    **dict.fromkeys((f"diagnosis_code_{i}" for i in range(1, 13)), codes.normal_diagnosis),
    **dict.fromkeys((f"procedure_{kind}_{i}" for kind in ("code", "modifier") for i in (1, 2)), codes.normal_code),
    **dict.fromkeys(("claim_type", "claim_status"), codes.normal_code),
    **dict.fromkeys(("generic_indicator", "therapeutic_class"), codes.normal_code),
    "original_claim_id": codes.normal_id,
    "adjustment_indicator": normal_indicator,
    "revenue_code": codes.normal_revenue,
    "bill_type_code": codes.normal_bill_type,
    "drg_code": codes.normal_drg,
    "place_of_service": codes.normal_place,
    "ndc_code": codes.normal_ndc,
}
"""Column -> its clean form; the others stay as bronze typed them."""

_VERSION = ["claim_feed", "claim_id", "adjustment_indicator"]
_LANDED = ["claim_feed", "source_file", "source_line"]
_ARRIVAL = {"known_from", "received_month", "source_file", "source_line"}
"""Columns that say how a line came in, not what it says."""


@table(ClaimVersions, keeps_rows_of=["bronze_medical_claims", "bronze_pharmacy_claims"])
def claim_versions(
    bronze_medical_claims: DataFrame, bronze_pharmacy_claims: DataFrame, bronze_claim_links: Spans
) -> DataFrame:
    """Cleans the lines of both feeds, dates their cancellation, and sets aside what can't be counted.

    - Repeated lines (same feed, claim, line, indicator and month): the one paid last is kept; of several, the same one
      whatever the order of arrival; of equal ones the first that was known. So a correction sent under the old number
      counts from its own arrival on, and the line it repeats is in quarantine. Lines are compared within a claim month:
      the same line number in two months is two lines, or a month would depend on which others it is built with.
    - Chains that end in a cycle say nothing about what stands: their lines are set aside.
    - A void of a claim that no file holds takes nothing back and is set aside. A replacement of such a claim stays: it
      is a real cost, and the original may have been paid before the first file.
    - A void or replacement that the links do not know is newer than they are: set aside until they are rebuilt.
    """
    medical = _clean(bronze_medical_claims).withColumn("claim_feed", F.lit(MEDICAL))
    lines = medical.unionByName(_as_lines(_clean(bronze_pharmacy_claims)), allowMissingColumns=True)
    links = bronze_claim_links.select(*_VERSION, "root_claim_id", "cancelled_on", "cancelled_by", "chain_state")
    linked = lines.join(links, _VERSION, "left").join(_repeats(lines), _LANDED, "left")
    state = F.col("chain_state")
    return reject(
        linked.withColumn("root_claim_id", F.coalesce("root_claim_id", "claim_id")),
        {
            "line_is_not_a_repeat": F.col("_is_repeat"),
            "claim_chain_has_no_cycle": state == CYCLE,
            "voided_claim_is_known": (F.col("adjustment_indicator") == VOID) & (state == UNKNOWN_ORIGINAL),
            "adjustment_is_linked": (F.col("adjustment_indicator") != ORIGINAL) & state.isNull(),
        },
    ).drop("_is_repeat", "chain_state")


def _clean(claims: DataFrame) -> DataFrame:
    """The columns of the contract, in their clean form."""
    wanted = [n for n in claims.columns if n in compiled(ClaimVersions).columns]
    return claims.select(*[_CLEAN.get(n, _as_it_is)(F.col(n)).alias(n) for n in wanted])


def _as_it_is(column: Column) -> Column:
    return column


def _as_lines(fills: DataFrame) -> DataFrame:
    """Pharmacy fills in the columns of medical lines: one line a fill, served on the day of the fill."""
    day = F.col("fill_date")
    return fills.withColumns(
        {
            "claim_feed": F.lit(PHARMACY),
            "claim_line_number": F.lit(1),
            "claim_date": day,
            "service_from_date": day,
            "service_to_date": day,
            "claim_type": F.lit(codes.PHARMACY_TYPE),
            "provider_id": F.col("prescriber_id"),
        }
    )


def _repeats(lines: DataFrame) -> DataFrame:
    """Where the lines to set aside came from. Only keys that come twice are sorted: to sort all of them takes 10 s."""
    key = [*_VERSION, "claim_line_number", "claim_month"]
    twice = lines.groupBy(*key).agg(F.count("*").alias("_n")).where("_n > 1").select(*key)
    content = [F.coalesce(F.col(n).cast("string"), F.lit("")) for n in sorted(set(lines.columns) - _ARRIVAL)]
    order = [F.col("paid_date").desc_nulls_last(), F.xxhash64(*content), "known_from", "source_file", "source_line"]
    rank = F.row_number().over(Window.partitionBy(*key).orderBy(*order))
    ranked = lines.join(twice, key, "left_semi").withColumn("_rank", rank)
    return ranked.where("_rank > 1").select(*_LANDED, F.lit(True).alias("_is_repeat"))
