"""Claim lines with when they counted: one row per version of a line, medical and pharmacy.

Here: codes in their clean form, what chains and lines of the same number mean for a line. Elsewhere: the chains
themselves (`bronze/claim_links.py`), lines of the same number (`silver/line_versions.py`), what stands today
(`silver/medical_claims.py`, `silver/pharmacy_claims.py`), clean forms and the meaning of codes (`silver/codes.py`).
"""

from collections.abc import Callable

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from claims_assets import columns as c
from claims_assets.bronze.chains import CYCLE, ORIGINAL, UNKNOWN_ORIGINAL, VOID
from claims_assets.bronze.claim_links import (
    CLAIM_FEEDS,
    INDICATORS,
    MEDICAL,
    PHARMACY,
    acting_indicator,
    stated_amount,
)
from claims_assets.contracts import Contract, compiled, reject, rejection
from claims_assets.silver import codes
from claims_assets.silver.line_versions import GIVEN, KEY, PLACE, REASONS, settled
from claims_assets.table import Known, Spans, table


class VersionColumns(Contract):
    """Columns that a line of either feed has in silver."""

    claim_id: str = c.claim_id()
    claim_line_number: c.Whole = c.claim_line_number()
    member_id: str = c.member_id()
    claim_month: str = c.claim_month()
    paid_date: c.Date = c.optional("Day the plan paid or decided.")
    adjustment_indicator: str = c.required(
        "0 original (or any other value), 1 void (also told by name and negative amount), 4 replacement.",
        isin=INDICATORS,
    )
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
    void. A line that takes another of its number back is no void: the two cancel each other.
    """

    claim_feed: str = c.required("medical or pharmacy.", isin=CLAIM_FEEDS)
    version_number: c.Whole = c.required("Of the lines with the same key: 1, 2, .. by the day they were paid.", ge=1)
    cancelled_on: str = c.month("First month in which a later version, or a reversal, was known; NULL: it stands.")
    cancelled_by: str = c.optional("Claim id of the version that stood last in that month.")

    class Config:
        unique = [*KEY, "version_number"]
        metadata = {
            "rules": {
                **dict.fromkeys(REASONS, rejection()),
                "claim_chain_has_no_cycle": rejection(dimension="consistency"),
                "voided_claim_is_known": rejection(about=["original_claim_id"]),
                "adjustment_is_linked": rejection(),
            }
        }


_CLEAN: dict[str, Callable[[Column], Column]] = {
    **dict.fromkeys(("claim_id", "member_id", "provider_id", "pharmacy_id", "prescriber_id"), codes.normal_id),
    **dict.fromkeys((f"diagnosis_code_{i}" for i in range(1, 13)), codes.normal_diagnosis),
    **dict.fromkeys((f"procedure_{kind}_{i}" for kind in ("code", "modifier") for i in (1, 2)), codes.normal_code),
    **dict.fromkeys(("claim_type", "claim_status"), codes.normal_code),
    **dict.fromkeys(("generic_indicator", "therapeutic_class"), codes.normal_code),
    "original_claim_id": codes.normal_id,
    "revenue_code": codes.normal_revenue,
    "bill_type_code": codes.normal_bill_type,
    "drg_code": codes.normal_drg,
    "place_of_service": codes.normal_place,
    "ndc_code": codes.normal_ndc,
}
"""Column -> its clean form; the others stay as bronze typed them."""

_VERSION = ["claim_feed", "claim_id", "adjustment_indicator"]
_LANDED = ["claim_feed", "source_file", PLACE]
_ARRIVAL = {"known_from", "received_month", "source_file", "source_line"}
"""Columns that say how a line came in, not what it says."""
PARTS = 64
"""Groups in which repeated lines leave the engine, each all lines of its claims: a month of a state has a million."""
_SETTLED = (
    "claim_feed string, source_file string, source_line bigint,"
    " version_number int, counts_from string, line_cancelled_on string, reason string"
)


@table(
    ClaimVersions,
    keeps_rows_of=["bronze_medical_claims", "bronze_pharmacy_claims"],
    known=Known(since=("known_from",), until="cancelled_on", later=("cancelled_by",)),
)
def claim_versions(
    bronze_medical_claims: DataFrame, bronze_pharmacy_claims: DataFrame, bronze_claim_links: Spans
) -> DataFrame:
    """Cleans the lines of both feeds, dates their cancellation, and sets aside what can't be counted.

    - Lines with the same feed, claim, line, indicator and month repeat, correct or take back one another: see
      `line_versions.settle`. What is corrected or taken back stays, with the month in which that became known.
    - Lines are compared within a claim month: the same line number in two months is two lines, or a month would depend
      on which others it is built with.
    - Chains that end in a cycle say nothing about what stands: their lines are set aside.
    - A void of a claim that no file holds takes nothing back and is set aside. A replacement of such a claim stays: it
      is a real cost, and the original may have been paid before the first file.
    - A void or replacement that the links do not know is newer than they are: set aside until they are rebuilt.
    """
    medical = _clean(bronze_medical_claims).withColumn("claim_feed", F.lit(MEDICAL))
    lines = medical.unionByName(_as_lines(_clean(bronze_pharmacy_claims)), allowMissingColumns=True)
    links = bronze_claim_links.select(*_VERSION, "root_claim_id", "cancelled_on", "cancelled_by", "chain_state")
    # The few answers come first: one engine makes its hash table of the first side of a join.
    linked = _settled(lines).join(lines.join(links, _VERSION, "left"), _LANDED, "right")
    state, reason = F.col("chain_state"), F.col("reason")
    return reject(
        linked.withColumns(
            {
                "root_claim_id": F.coalesce("root_claim_id", "claim_id"),
                "version_number": F.coalesce("version_number", F.lit(1)),
                "known_from": F.coalesce("counts_from", "known_from"),
                **_cancelled(),
            }
        ),
        {
            **{name: reason == name for name in REASONS},
            "claim_chain_has_no_cycle": state == CYCLE,
            "voided_claim_is_known": (F.col("adjustment_indicator") == VOID) & (state == UNKNOWN_ORIGINAL),
            "adjustment_is_linked": (F.col("adjustment_indicator") != ORIGINAL) & state.isNull(),
        },
    ).drop("chain_state", "counts_from", "line_cancelled_on", "reason")


def _cancelled() -> dict[str, Column]:
    """By the chain or by a line of the same number, whichever was known first."""
    by_chain, by_line = F.col("cancelled_on"), F.col("line_cancelled_on")
    line_first = F.coalesce(by_line < by_chain, by_line.isNotNull())
    return {
        "cancelled_on": F.when(line_first, by_line).otherwise(by_chain),
        "cancelled_by": F.when(line_first, F.col("claim_id")).otherwise(F.col("cancelled_by")),
    }


def _clean(claims: DataFrame) -> DataFrame:
    """The columns of the contract, in their clean form."""
    wanted = [n for n in claims.columns if n in compiled(ClaimVersions).columns]
    clean = claims.withColumn("adjustment_indicator", acting_indicator())
    return clean.select(*[_CLEAN.get(n, _as_it_is)(F.col(n)).alias(n) for n in wanted])


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


def _settled(lines: DataFrame) -> DataFrame:
    """Answers for the lines whose key comes more than once; only these are hashed and leave the engine."""
    more = lines.groupBy(*KEY).agg(F.count("*").alias("_n")).where("_n > 1").select(*KEY)
    content = [F.coalesce(F.col(n).cast("string"), F.lit("")) for n in sorted(set(lines.columns) - _ARRIVAL)]
    derived = {"amount": stated_amount(), "content": F.xxhash64(*content)}
    texts = [F.col(n).cast("string").alias(n) for n in dict.fromkeys([*KEY, *GIVEN])]
    handed = lines.join(more, list(KEY), "left_semi").withColumns(derived).select(*texts, PLACE)
    part = F.pmod(F.xxhash64("claim_id"), F.lit(PARTS)).alias("part")
    return handed.groupBy(part).applyInPandas(settled, _SETTLED)
