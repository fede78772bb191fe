"""The kind of service that a claim line is: fourteen categories, each line in exactly one.

The first rule that fits decides, in the order of `service_category`. Lines of an inpatient claim are all inpatient;
the lines of any other claim may fall in different categories, as an ambulance and a wheelchair on one bill should.
Bare codes with labels of our own. Elsewhere: what makes a line emergency, inpatient or paid (`silver/codes.py`).

Sources of the codes: type of bill and revenue code, NUBC UB-04 (types as listed in public CMS manuals); place of
service, CMS; procedure codes, the section ranges of CPT (AMA) and HCPCS level II (CMS). The order and the grouping
follow the public service categories of tuva-health/tuva, with the home and community care of Medicaid added.
"""

from pyspark.sql import Column
from pyspark.sql import functions as F

from claims_assets.bronze.claim_links import PHARMACY as PHARMACY_FEED
from claims_assets.silver.codes import PHARMACY_TYPE, is_emergency, is_inpatient

INPATIENT = "inpatient"
EMERGENCY = "emergency"
LONG_TERM_CARE = "long_term_care"
HOME_AND_COMMUNITY_CARE = "home_and_community_care"
DENTAL = "dental"
TRANSPORTATION = "transportation"
EQUIPMENT_AND_SUPPLIES = "equipment_and_supplies"
LABORATORY_IMAGING = "laboratory_imaging"
BEHAVIORAL_HEALTH = "behavioral_health"
OUTPATIENT_FACILITY = "outpatient_facility"
OFFICE_VISIT = "office_visit"
OTHER_PROFESSIONAL = "other_professional"
PHARMACY = "pharmacy"
OTHER = "other"

SERVICE_CATEGORIES = (
    INPATIENT, EMERGENCY, LONG_TERM_CARE, HOME_AND_COMMUNITY_CARE, DENTAL, TRANSPORTATION, EQUIPMENT_AND_SUPPLIES,
    LABORATORY_IMAGING, BEHAVIORAL_HEALTH, OUTPATIENT_FACILITY, OFFICE_VISIT, OTHER_PROFESSIONAL, PHARMACY, OTHER,
)  # fmt: skip

CLAIM_TYPES = ("IP", "OP", "ER", "PROF", "LTC", "DENTAL", "RX")
"""Types of the landing contract. Any other, or none, is no statement: then the type of bill decides."""

INPATIENT_BILLS = "^0?(11|12|41)"
"""Hospital inpatient, and religious non-medical hospital (UB-04 type of bill)."""
LONG_TERM_CARE_BILLS = "^0?(18|2[1238]|6[56]|86)"
"""Swing bed, skilled nursing, intermediate care, residential facility."""
HOME_BILLS = "^0?(3[234]|8[12])"
"""Home health and hospice at home or in a unit of its own."""
OUTPATIENT_BILLS = "^0?(13|14|43|7[1-79]|83|85)"
"""Hospital outpatient, clinics (rural, federally qualified, dialysis, community mental health), surgery, critical
access."""

HOME_CARE_CODES = (
    "^(S51[0-9]{2}|T100[0-5]|T1019|T102[0-2]|T103[01]|T201[2-9]|T20[23][0-9]|T204[0-68]"
    "|S912[2-4]|G015[1-9]|G016[0-4]|G0299|G0300)"
)
"""HCPCS: home care and day care, private duty nursing and respite, personal care, nursing at home, waiver and hospice
services, and the visits of home health agencies."""
DENTAL_CODES = "^D[0-9]{4}"
"""HCPCS section D (CDT)."""
TRANSPORT_CODES = "^(A0[0-9]{3}|T200[1-7]|T2049|S0209|S0215)"
"""HCPCS: ambulance and other transport, attendants and waiting time."""
TRANSPORT_REVENUE = "^054"
"""Ambulance (NUBC)."""
TRANSPORT_PLACES = ("41", "42")
"""CMS place of service: ambulance, land; air or water."""
EQUIPMENT_CODES = "^([BEKLV][0-9]{4}|A4[2-9]|A[5-8]|A9[0-49])"
"""HCPCS: supplies (A4206-A9999 without the radiopharmaceuticals A95-A98), tube feeding (B), durable equipment (E, K),
braces and prostheses (L), glasses and hearing aids (V)."""
LABORATORY_IMAGING_CODES = "^([78][0-9]{3}[0-9UMT]|0[0-9]{3}[UM]|P[2379][0-9]{3}|R0[0-9]{3}|A9[5-8]|G0027|G0202)"
"""CPT 7xxxx imaging, 8xxxx laboratory, proprietary laboratory analyses (U) and algorithms (M); HCPCS pathology (P),
portable imaging (R), radiopharmaceuticals."""
LABORATORY_IMAGING_REVENUE = "^0(3[01245]|40|61)"
"""Laboratory and pathology, diagnostic radiology, nuclear medicine, CT, other imaging, magnetic resonance (NUBC)."""
INDEPENDENT_LABORATORY = "81"
"""CMS place of service."""
BEHAVIORAL_CODES = "^(907[89][0-9]|908[0-9]{2}|H0[0-9]{3}|H20[0-9]{2})"
"""CPT psychiatry, HCPCS section H without prenatal care (H1)."""
BEHAVIORAL_PLACES = ("51", "52", "53", "55", "56", "57", "58")
"""CMS place of service: psychiatric facilities, community mental health, substance use treatment."""
VISIT_CODES = "^(9920[2-5]|9921[1-5]|9924[1-5]|9938[1-7]|9939[1-7]|920[01][0-9]|T1015|G0402|G0438|G0439)"
"""CPT office visits, consultations, preventive visits, eye examinations; HCPCS clinic encounter and wellness visits."""


def service_category() -> Column:
    """One of SERVICE_CATEGORIES, never NULL, over the columns of `silver.claim_versions`.

    The procedure is the line's first one. A code that tells what was done (transport, equipment, laboratory, behavioral
    health) goes before the setting it was done in, but never takes a line out of an inpatient or emergency claim.
    """
    procedure, revenue, place = F.col("procedure_code_1"), F.col("revenue_code"), F.col("place_of_service")
    kind = F.col("claim_type")
    bill = F.when(F.coalesce(kind.isin(*CLAIM_TYPES), F.lit(False)), F.lit("")).otherwise(F.col("bill_type_code"))
    rules = {
        PHARMACY: (F.col("claim_feed") == PHARMACY_FEED) | (kind == PHARMACY_TYPE),
        INPATIENT: is_inpatient() | bill.rlike(INPATIENT_BILLS),
        EMERGENCY: is_emergency(),
        LONG_TERM_CARE: (kind == "LTC") | bill.rlike(LONG_TERM_CARE_BILLS),
        DENTAL: (kind == "DENTAL") | procedure.rlike(DENTAL_CODES),
        TRANSPORTATION: procedure.rlike(TRANSPORT_CODES)
        | revenue.rlike(TRANSPORT_REVENUE)
        | place.isin(*TRANSPORT_PLACES),
        HOME_AND_COMMUNITY_CARE: procedure.rlike(HOME_CARE_CODES) | F.col("bill_type_code").rlike(HOME_BILLS),
        LABORATORY_IMAGING: procedure.rlike(LABORATORY_IMAGING_CODES)
        | revenue.rlike(LABORATORY_IMAGING_REVENUE)
        | (place == INDEPENDENT_LABORATORY),
        EQUIPMENT_AND_SUPPLIES: procedure.rlike(EQUIPMENT_CODES),
        BEHAVIORAL_HEALTH: procedure.rlike(BEHAVIORAL_CODES) | place.isin(*BEHAVIORAL_PLACES),
        OUTPATIENT_FACILITY: (kind == "OP") | bill.rlike(OUTPATIENT_BILLS),
        OFFICE_VISIT: procedure.rlike(VISIT_CODES),
        OTHER_PROFESSIONAL: kind == "PROF",
    }
    (first, fits), *others = rules.items()
    category = F.when(fits, F.lit(first))
    for name, condition in others:
        category = category.when(condition, F.lit(name))
    return category.otherwise(F.lit(OTHER))
