"""Code lists of the synthetic population: diagnoses, procedures, revenue codes, DRGs, drugs, vaccines.

Codes are bare, with labels of our own; none stands for an epidemiological claim. Every list starts with the empty code, so
that index 0 means "not given". Sources: domain reference sections 3.5 to 3.8 for code shapes and vaccine codes.
"""

from dataclasses import dataclass

import numpy as np

CONDITIONS = (
    "diabetes", "hypertension", "copd_asthma", "heart_failure", "ckd", "mental_health", "obesity", "cancer", "substance_use",
)  # fmt: skip
"""Chronic conditions; position = condition number."""

CONDITION_CODES: dict[str, tuple[str, ...]] = {
    "diabetes": ("E11.9", "E11.65", "E11.22", "E11.42", "E11.40", "E10.9", "E10.65", "E13.9"),
    "hypertension": ("I10", "I10", "I11.9", "I12.9", "I13.10", "I10", "I10", "I10"),
    "copd_asthma": ("J44.9", "J45.909", "J45.40", "J44.1", "J43.9", "J42", "J45.20", "J47.9"),
    "heart_failure": ("I50.9", "I50.22", "I50.32", "I11.0", "I50.42", "I13.0", "I50.23", "I50.9"),
    "ckd": ("N18.30", "N18.31", "N18.9", "N18.2", "N18.4", "N18.5", "N18.6", "N18.32"),
    "mental_health": ("F32.9", "F41.1", "F33.1", "F41.9", "F31.9", "F43.10", "F20.9", "F25.9"),
    "obesity": ("E66.9", "E66.01", "E66.9", "E66.01", "E66.3", "E66.2", "E66.9", "E66.01"),
    "cancer": ("C50.911", "C34.90", "C18.9", "C61", "C91.10", "C4A.9", "C79.51", "C82.90"),
    "substance_use": ("F10.20", "F11.20", "F17.210", "F12.20", "F14.20", "F19.20", "F11.10", "F10.10"),
}
"""Eight variants each (repeats are weights); a member keeps one and now and then shows another."""
CHILD_CODES = {"copd_asthma": ("J45.909", "J45.20", "J45.30", "J45.40"), "mental_health": ("F90.2", "F84.0", "F41.9", "F90.0")}
"""What the same condition is called in a child."""

ACUTE = {
    "respiratory": ("J06.9", "J20.9", "J02.9", "J18.9", "H66.90", "J01.90", "R05.9", "U07.1"),
    "flu": ("J10.1", "J11.1", "J10.00"),
    "ed": ("R07.9", "R10.9", "S93.401A", "S61.219A", "R51.9", "N39.0", "K52.9", "M54.50", "R55", "L03.115", "S09.90XA", "R11.2"),
    "admission": ("A41.9", "J18.9", "I21.4", "K35.80", "N17.9", "J96.01", "I63.9", "K85.90", "L03.116", "K92.2"),
    "birth": ("O80", "O34.211", "O70.1", "O48.0"),
    "newborn": ("Z38.00", "Z38.01", "P07.18", "P59.9"),
    "office": ("M54.50", "J06.9", "R10.9", "L30.9", "K21.9", "E78.5", "G89.29", "N39.0", "R53.83", "H10.9", "J30.9", "E03.9"),
    "check_up": ("Z00.00", "Z00.01"),
    "child_check_up": ("Z00.129", "Z00.121"),
    "outpatient": ("M17.11", "K21.9", "R93.5", "Z12.31", "G47.33", "M25.561", "K80.20", "H26.9", "R07.89", "N20.0"),
    "dental": ("Z01.20", "K02.9", "K05.10"),
    "long_term_care": ("G30.9", "F03.90", "I69.354", "G20", "R54"),
    "chemotherapy": ("Z51.11",),
    "dialysis": ("N18.6",),
    "vaccine": ("Z23",),
    "prenatal": ("Z34.90", "O09.90"),
}
"""Reason of a visit -> codes it may carry first."""

DIAGNOSES = ("", *dict.fromkeys(c for group in (*CONDITION_CODES.values(), *CHILD_CODES.values(), *ACUTE.values()) for c in group))
PROCEDURES = (
    "", "99281", "99282", "99283", "99284", "99285", "99202", "99203", "99212", "99213", "99214", "99215", "99391", "99392",
    "99393", "99394", "99395", "99396", "99397", "99221", "99222", "99223", "99231", "99232", "99233", "99238", "99239",
    "80053", "85025", "83036", "80061", "81003", "84443", "87804", "87880", "36415", "71046", "70450", "74177", "73610", "93000",
    "90834", "90837", "90791", "90853", "H0004", "H2015", "D0120", "D0140", "D1110", "D2391", "D7140", "D0274",
    "45378", "43239", "29881", "66984", "77067", "70551", "93306", "97110", "95810", "96413", "J9271", "J9035", "90935", "90999",
    "59400", "59510", "99460", "S5125", "T1019", "S5170", "T2003", "99308", "99309", "A0429", "J1885", "96372",
    "90471", "90472", "G0008", "G0009", "90686", "90662", "90674", "90688", "90660", "90715", "90714", "90750", "90677",
    "90732", "90746", "90739", "90651", "90707", "90716", "90700", "90713", "90648", "90670", "90633", "90681", "90744", "90679",
)  # fmt: skip
MODIFIERS = ("", "25", "26", "59", "TC", "GT", "LT", "RT")
REVENUE = ("", "0120", "0250", "0300", "0320", "0360", "0450", "0510", "0636", "0821", "0100", "0170", "0720", "0730", "0420")
BILL_TYPES = ("", "0111", "0112", "0113", "0114", "0131", "0211", "0721", "0851")
PLACES = ("", "11", "21", "22", "23", "31", "65", "02", "12", "81", "20", "32")
DRGS = ("", "871", "194", "291", "190", "638", "683", "885", "280", "065", "343", "603", "378", "807", "788", "795", "791", "847", "897", "392")
CLAIM_TYPES = ("IP", "OP", "ER", "PROF", "LTC", "DENTAL")
STATUSES = ("PAID", "DENIED", "PENDING", "REVERSED")

_POSITIONS = {
    "dx": {c: i for i, c in enumerate(DIAGNOSES)},
    "proc": {c: i for i, c in enumerate(PROCEDURES)},
    "mod": {c: i for i, c in enumerate(MODIFIERS)},
    "rev": {c: i for i, c in enumerate(REVENUE)},
    "bill": {c: i for i, c in enumerate(BILL_TYPES)},
    "place": {c: i for i, c in enumerate(PLACES)},
    "drg": {c: i for i, c in enumerate(DRGS)},
    "type": {c: i for i, c in enumerate(CLAIM_TYPES)},
    "status": {c: i for i, c in enumerate(STATUSES)},
}


def at(kind: str, *codes: str) -> np.ndarray:
    """Positions of codes in the list of one kind: dx, proc, mod, rev, bill, place, drg, type, status."""
    return np.array([_POSITIONS[kind][code] for code in codes], dtype=np.int16)


def one(kind: str, code: str) -> int:
    """Position of one code."""
    return _POSITIONS[kind][code]


@dataclass(frozen=True)
class Drug:
    """One product. `condition` is a chronic condition, or a reason named in pharmacy.py."""

    ndc: str
    name: str
    therapeutic_class: str
    generic: bool
    condition: str
    taken_by: float
    """Share of members with the condition who take it."""
    price: float
    """USD a fill, median."""
    days: int = 30
    quantity: int = 30


DRUGS = (
    Drug("00093105801", "METFORMIN HCL 500 MG TAB", "ANTIDIABETIC", True, "diabetes", 0.75, 9.0, 30, 60),
    Drug("00088222033", "INSULIN GLARGINE 100 U/ML", "INSULIN", False, "diabetes", 0.28, 285.0, 30, 10),
    Drug("00169413212", "SEMAGLUTIDE 1 MG PEN", "GLP-1 AGONIST", False, "diabetes", 0.12, 890.0, 28, 3),
    Drug("68180098003", "LISINOPRIL 20 MG TAB", "ACE INHIBITOR", True, "hypertension", 0.62, 6.0),
    Drug("00093720710", "AMLODIPINE 10 MG TAB", "CALCIUM CHANNEL BLOCKER", True, "hypertension", 0.42, 7.0, 90, 90),
    Drug("00378018810", "HYDROCHLOROTHIAZIDE 25 MG", "DIURETIC", True, "hypertension", 0.25, 5.0, 90, 90),
    Drug("00378395077", "ATORVASTATIN 40 MG TAB", "STATIN", True, "hypertension", 0.40, 9.0),
    Drug("00173068220", "ALBUTEROL HFA INHALER", "BRONCHODILATOR", True, "copd_asthma", 0.78, 42.0, 25, 18),
    Drug("00173071600", "FLUTICASONE/SALMETEROL", "INHALED STEROID", False, "copd_asthma", 0.35, 265.0, 30, 60),
    Drug("00597007541", "TIOTROPIUM INHALER", "ANTICHOLINERGIC", False, "copd_asthma", 0.15, 430.0),
    Drug("00054429725", "FUROSEMIDE 40 MG TAB", "DIURETIC", True, "heart_failure", 0.72, 6.0),
    Drug("00378346901", "CARVEDILOL 12.5 MG TAB", "BETA BLOCKER", True, "heart_failure", 0.66, 8.0, 30, 60),
    Drug("00078065920", "SACUBITRIL/VALSARTAN", "ARNI", False, "heart_failure", 0.25, 585.0, 30, 60),
    Drug("00955105005", "SEVELAMER 800 MG TAB", "PHOSPHATE BINDER", True, "ckd", 0.22, 115.0, 30, 180),
    Drug("16729016917", "SERTRALINE 100 MG TAB", "SSRI", True, "mental_health", 0.50, 8.0),
    Drug("65862037505", "ESCITALOPRAM 10 MG TAB", "SSRI", True, "mental_health", 0.25, 8.0),
    Drug("00093784656", "ARIPIPRAZOLE 10 MG TAB", "ANTIPSYCHOTIC", True, "mental_health", 0.16, 28.0),
    Drug("50458056201", "PALIPERIDONE LAI", "ANTIPSYCHOTIC", False, "mental_health", 0.03, 1950.0, 30, 1),
    Drug("00781108901", "ALPRAZOLAM 1 MG TAB", "BENZODIAZEPINE", True, "mental_health", 0.13, 8.0, 30, 60),
    Drug("12496120803", "BUPRENORPHINE/NALOXONE", "OPIOID ANTAGONIST", True, "substance_use", 0.34, 105.0, 28, 56),
    Drug("00406012301", "OXYCODONE/APAP 5-325", "OPIOID ANALGESIC", True, "pain", 1.00, 22.0, 15, 60),
    Drug("57664050113", "TRAMADOL 50 MG TAB", "OPIOID ANALGESIC", True, "pain", 0.45, 11.0, 15, 60),
    Drug("65162027150", "GABAPENTIN 300 MG CAP", "ANTICONVULSANT", True, "pain", 0.50, 13.0, 30, 90),
    Drug("00555077702", "AMPHETAMINE SALTS 20 MG", "STIMULANT", True, "attention", 1.00, 34.0),
    Drug("00555012602", "METHYLPHENIDATE ER 36 MG", "STIMULANT", True, "attention", 0.40, 95.0),
    Drug("00015307560", "LENALIDOMIDE 25 MG CAP", "ANTINEOPLASTIC", False, "cancer", 0.07, 12500.0, 28, 21),
    Drug("00378600701", "ANASTROZOLE 1 MG TAB", "ANTINEOPLASTIC", True, "cancer", 0.30, 12.0),
    Drug("00074433906", "ADALIMUMAB 40 MG PEN", "IMMUNOSUPPRESSANT", False, "autoimmune", 1.00, 5400.0, 28, 2),
    Drug("61958180101", "ANTIRETROVIRAL COMBINATION", "ANTIRETROVIRAL", False, "hiv", 1.00, 3300.0),
    Drug("00093226401", "AMOXICILLIN 500 MG CAP", "ANTIBIOTIC", True, "infection", 0.55, 7.0, 10, 30),
    Drug("00781150206", "AZITHROMYCIN 250 MG PACK", "ANTIBIOTIC", True, "infection", 0.30, 9.0, 5, 6),
    Drug("00004080285", "OSELTAMIVIR 75 MG CAP", "ANTIVIRAL", False, "infection", 0.05, 95.0, 5, 10),
    Drug("00054001725", "PREDNISONE 20 MG TAB", "CORTICOSTEROID", True, "infection", 0.10, 6.0, 5, 10),
    Drug("00555904558", "ORAL CONTRACEPTIVE PACK", "CONTRACEPTIVE", True, "contraception", 1.00, 17.0, 28, 28),
    Drug("00093715698", "OMEPRAZOLE 20 MG CAP", "PROTON PUMP INHIBITOR", True, "reflux", 1.00, 9.0),
    Drug("00378180510", "LEVOTHYROXINE 50 MCG TAB", "THYROID HORMONE", True, "thyroid", 1.00, 9.0, 90, 90),
    Drug("00573016420", "CETIRIZINE 10 MG TAB", "ANTIHISTAMINE", True, "allergy", 1.00, 6.0),
)


@dataclass(frozen=True)
class Vaccine:
    """One vaccine product: how it shows in claims (CPT), registry (CVX) and pharmacy (NDC)."""

    name: str
    cpt: str
    cvx: str
    ndc: str
    price: float


VACCINES = (
    Vaccine("INFLUENZA", "90686", "150", "49281042250", 21.0),
    Vaccine("INFLUENZA HIGH DOSE", "90662", "135", "49281012365", 74.0),
    Vaccine("INFLUENZA CELL", "90674", "171", "70461032303", 31.0),
    Vaccine("INFLUENZA MDV", "90688", "158", "33332042210", 19.0),
    Vaccine("INFLUENZA NASAL", "90660", "111", "66019030910", 24.0),
    Vaccine("TDAP", "90715", "115", "58160084252", 44.0),
    Vaccine("TD", "90714", "113", "49281021515", 32.0),
    Vaccine("ZOSTER RECOMBINANT", "90750", "187", "58160081912", 178.0),
    Vaccine("PNEUMOCOCCAL 20", "90677", "216", "00005200010", 255.0),
    Vaccine("PNEUMOCOCCAL 23", "90732", "33", "00006483703", 118.0),
    Vaccine("HEPATITIS B", "90746", "43", "58160082152", 66.0),
    Vaccine("HEPATITIS B CPG", "90739", "189", "43528000305", 130.0),
    Vaccine("HPV 9", "90651", "165", "00006412102", 265.0),
    Vaccine("MMR", "90707", "03", "00006468100", 88.0),
    Vaccine("VARICELLA", "90716", "21", "00006482700", 152.0),
    Vaccine("DTAP", "90700", "20", "58160081052", 32.0),
    Vaccine("POLIO", "90713", "10", "49281086010", 39.0),
    Vaccine("HIB", "90648", "48", "49281054503", 17.0),
    Vaccine("PNEUMOCOCCAL 13", "90670", "133", "00005197102", 210.0),
    Vaccine("HEPATITIS A", "90633", "83", "58160082552", 36.0),
    Vaccine("ROTAVIRUS", "90681", "119", "58160085452", 125.0),
    Vaccine("HEPATITIS B CHILD", "90744", "08", "58160082052", 27.0),
    Vaccine("RSV", "90679", "303", "58160084811", 290.0),
)
"""Registry files show unspecified influenza (CVX 88, 140) for a part of the doses; see vaccines.py."""
FLU_REGISTRY_CODES = ("150", "140", "135", "171", "185", "88")


def vaccine(name: str) -> int:
    """Position of a vaccine by name."""
    return [v.name for v in VACCINES].index(name)
