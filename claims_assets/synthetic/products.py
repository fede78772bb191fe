"""Drugs and vaccines of the synthetic population: codes, names, prices, and who takes them.

The NDCs have the right shape and are test data: do not look prices or packages up by them.
"""

from dataclasses import dataclass


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
    Drug("00169413212", "SEMAGLUTIDE 1 MG PEN", "GLP-1 AGONIST", False, "diabetes", 0.24, 890.0, 28, 3),
    Drug("68180098003", "LISINOPRIL 20 MG TAB", "ACE INHIBITOR", True, "hypertension", 0.62, 6.0),
    Drug(
        "00093720710",
        "AMLODIPINE 10 MG TAB",
        "CALCIUM CHANNEL BLOCKER",
        True,
        "hypertension",
        0.42,
        7.0,
        90,
        90,
    ),
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
    Drug("50111043401", "TRAZODONE 50 MG TAB", "ANTIDEPRESSANT", True, "mental_health", 0.22, 7.0),
    Drug(
        "12496120803",
        "BUPRENORPHINE/NALOXONE",
        "OPIOID ANTAGONIST",
        True,
        "substance_use",
        0.34,
        105.0,
        28,
        56,
    ),
    Drug("00406012301", "OXYCODONE/APAP 5-325", "OPIOID ANALGESIC", True, "pain", 1.00, 22.0, 15, 60),
    Drug("57664050113", "TRAMADOL 50 MG TAB", "OPIOID ANALGESIC", True, "pain", 0.45, 11.0, 15, 60),
    Drug("65162027150", "GABAPENTIN 300 MG CAP", "ANTICONVULSANT", True, "pain", 0.50, 13.0, 30, 90),
    Drug("00555077702", "AMPHETAMINE SALTS 20 MG", "STIMULANT", True, "attention", 1.00, 34.0),
    Drug("00555012602", "METHYLPHENIDATE ER 36 MG", "STIMULANT", True, "attention", 0.40, 95.0),
    Drug("00015307560", "LENALIDOMIDE 25 MG CAP", "ANTINEOPLASTIC", False, "cancer", 0.15, 12500.0, 28, 21),
    Drug("00378600701", "ANASTROZOLE 1 MG TAB", "ANTINEOPLASTIC", True, "cancer", 0.30, 12.0),
    Drug("00074433906", "ADALIMUMAB 40 MG PEN", "IMMUNOSUPPRESSANT", False, "autoimmune", 1.00, 5400.0, 28, 2),
    Drug("51167033101", "RARE DISEASE MODULATOR", "ORPHAN DRUG", False, "rare", 1.00, 15800.0, 28, 84),
    Drug("61958180101", "ANTIRETROVIRAL COMBINATION", "ANTIRETROVIRAL", False, "hiv", 1.00, 3300.0),
    Drug("00093226401", "AMOXICILLIN 500 MG CAP", "ANTIBIOTIC", True, "infection", 0.55, 7.0, 10, 30),
    Drug("00781150206", "AZITHROMYCIN 250 MG PACK", "ANTIBIOTIC", True, "infection", 0.30, 9.0, 5, 6),
    Drug("00004080285", "OSELTAMIVIR 75 MG CAP", "ANTIVIRAL", False, "infection", 0.05, 95.0, 5, 10),
    Drug("00054001725", "PREDNISONE 20 MG TAB", "CORTICOSTEROID", True, "infection", 0.10, 6.0, 5, 10),
    Drug("00555904558", "ORAL CONTRACEPTIVE PACK", "CONTRACEPTIVE", True, "contraception", 1.00, 17.0, 28, 28),
    Drug("00093715698", "OMEPRAZOLE 20 MG CAP", "PROTON PUMP INHIBITOR", True, "reflux", 1.00, 9.0),
    Drug("00378180510", "LEVOTHYROXINE 50 MCG TAB", "THYROID HORMONE", True, "thyroid", 1.00, 9.0, 90, 90),
    Drug(
        "61958220101",
        "SOFOSBUVIR/VELPATASVIR",
        "HEPATITIS C ANTIVIRAL",
        False,
        "hepatitis_c",
        1.00,
        7900.0,
        28,
        28,
    ),
    Drug("00904582460", "CHOLECALCIFEROL 1000 UNIT", "VITAMIN", True, "vitamins", 1.00, 5.0),
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
