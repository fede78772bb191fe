"""What the codes of a claim line mean, and how they are written: the one place for both.

Here: clean forms of ids and codes, and the definitions of emergency, inpatient, paid and standing lines, as Columns
over `silver.claim_versions` (its clean codes); a definition is never NULL. Elsewhere: whether a code has a legal shape
(bronze contracts), visits and stays made of several lines (`silver/encounters.py`).
"""

from pyspark.sql import Column
from pyspark.sql import functions as F

from claims_assets.bronze.chains import VOID
from claims_assets.bronze.claim_links import normal_indicator, unless_blank

EMERGENCY_TYPE, INPATIENT_TYPE, PHARMACY_TYPE = "ER", "IP", "RX"
EMERGENCY_REVENUE = ("0450", "0459")
"""First and last revenue code of the emergency room (NUBC 045x)."""
EMERGENCY_REVENUE_FEES = "0981"
"""Revenue code of professional fees of the emergency room (NUBC)."""
EMERGENCY_PROCEDURE_CODES = ("99281", "99282", "99283", "99284", "99285")
"""CPT, emergency department visits."""
EMERGENCY_PLACE = "23"
"""CMS place of service: emergency room, hospital."""
PAID = "PAID"
NDC_11 = r"^[0-9]{11}$"
"""NDC as it is billed: 5-4-2 without dashes (HIPAA code set, 45 CFR 162.1002)."""


def is_void() -> Column:
    """The line takes a claim back; it never counts itself."""
    return normal_indicator(F.col("adjustment_indicator")) == VOID


def is_emergency() -> Column:
    """Emergency department: by claim type, revenue code, procedure or place of service."""
    revenue = F.col("revenue_code")
    by_revenue = revenue.between(*EMERGENCY_REVENUE) | (revenue == EMERGENCY_REVENUE_FEES)
    by_procedure = [F.col(n).isin(*EMERGENCY_PROCEDURE_CODES) for n in ("procedure_code_1", "procedure_code_2")]
    by_place = F.col("place_of_service") == EMERGENCY_PLACE
    return _any(F.col("claim_type") == EMERGENCY_TYPE, by_revenue, *by_procedure, by_place)


def is_inpatient() -> Column:
    """Inpatient facility line, by claim type: a physician's bill for a stay is no stay."""
    return _any(F.col("claim_type") == INPATIENT_TYPE)


def is_paid() -> Column:
    """Adjudicated and paid; a feed without statuses sends only paid lines."""
    return F.coalesce(F.col("claim_status"), F.lit(PAID)) == PAID


def counts_as_cost() -> Column:
    """The line's amounts belong to cost and utilization, as long as its version stands."""
    return is_paid() & ~is_void()


def stands_today() -> Column:
    """No version has cancelled the line, and it is no void itself."""
    return F.col("cancelled_on").isNull() & ~is_void()


def normal_id(identifier: Column) -> Column:
    """Trimmed; blank is missing."""
    return unless_blank(F.trim(identifier))


def normal_code(code: Column) -> Column:
    """Upper case, trimmed; blank is missing."""
    return unless_blank(F.upper(F.trim(code)))


def normal_diagnosis(code: Column) -> Column:
    """ICD without its dot: `e11.9` is E119."""
    return unless_blank(F.upper(F.translate(code, ". ", "")))


def normal_revenue(code: Column) -> Column:
    """Four digits: 450 is 0450."""
    return _padded(normal_code(code), 4)


def normal_place(code: Column) -> Column:
    """Two digits: 1 is 01."""
    return _padded(normal_code(code), 2)


def normal_bill_type(code: Column) -> Column:
    """Four characters: 111 is 0111 (the leading zero is written on the form, not counted as a digit of the type)."""
    clean = normal_code(code)
    return F.when(F.length(clean) == 3, F.concat(F.lit("0"), clean)).otherwise(clean)


def normal_drg(code: Column) -> Column:
    """Three digits: 65 is 065. A fourth digit is the severity of an APR-DRG, so longer codes stay as they are."""
    clean = normal_code(code)
    return F.when(clean.rlike("^[0-9]{1,2}$"), F.lpad(clean, 3, "0")).otherwise(clean)


def normal_ndc(code: Column) -> Column:
    """Eleven digits (5-4-2) from the dashed forms 4-4-2, 5-3-2, 5-4-1 and 5-4-2.

    Undashed codes keep their digits as they are: which part lacks a zero can't be told from ten digits.
    """
    dashed = F.trim(code).rlike(r"^[0-9]{4,5}-[0-9]{3,4}-[0-9]{1,2}$")
    parts = [F.split_part(F.trim(code), F.lit("-"), F.lit(i)) for i in (1, 2, 3)]
    joined = F.concat(*[F.lpad(part, width, "0") for part, width in zip(parts, (5, 4, 2), strict=True)])
    return F.when(dashed, joined).otherwise(unless_blank(F.regexp_replace(code, "[^0-9]", "")))


def _padded(code: Column, width: int) -> Column:
    """Left-padded with zeros; a longer code is left alone, where lpad would cut it."""
    return F.when(F.length(code) < width, F.lpad(code, width, "0")).otherwise(code)


def _any(*conditions: Column) -> Column:
    found = F.lit(False)
    for condition in conditions:
        found = found | F.coalesce(condition, F.lit(False))
    return found
