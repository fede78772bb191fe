"""Code lists of the synthetic population: diagnoses, procedures, revenue codes, DRGs. Drugs and vaccines: products.py.

Codes are bare, without descriptions; how often they occur is no epidemiological claim. Every list that may be empty in
a claim starts with the empty code, so that position 0 means "not given".
"""

import numpy as np

CONDITIONS = (
    "diabetes", "hypertension", "copd_asthma", "heart_failure", "ckd", "mental_health", "obesity", "cancer",
    "substance_use",
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
CHILD_CODES = {
    "copd_asthma": ("J45.909", "J45.20", "J45.30", "J45.40"),
    "mental_health": ("F90.2", "F84.0", "F41.9", "F90.0"),
}
"""What the same condition is called in a child."""

ACUTE = {
    "respiratory": ("J06.9", "J20.9", "J02.9", "J18.9", "H66.90", "J01.90", "R05.9", "U07.1"),
    "flu": ("J10.1", "J11.1", "J10.00"),
    "ed": (
        "R07.9",
        "R10.9",
        "S93.401A",
        "S61.219A",
        "R51.9",
        "N39.0",
        "K52.9",
        "M54.50",
        "R55",
        "L03.115",
        "S09.90XA",
        "R11.2",
    ),
    "admission": (
        "A41.9",
        "J18.9",
        "I21.4",
        "K35.80",
        "N17.9",
        "J96.01",
        "I63.9",
        "K85.90",
        "L03.116",
        "K92.2",
    ),
    "birth": ("O80", "O34.211", "O70.1", "O48.0"),
    "newborn": ("Z38.00", "Z38.01", "P07.18", "P59.9"),
    "office": (
        "M54.50",
        "J06.9",
        "R10.9",
        "L30.9",
        "K21.9",
        "E78.5",
        "G89.29",
        "N39.0",
        "R53.83",
        "H10.9",
        "J30.9",
        "E03.9",
    ),
    "check_up": ("Z00.00", "Z00.01"),
    "child_check_up": ("Z00.129", "Z00.121"),
    "outpatient": (
        "M17.11",
        "K21.9",
        "R93.5",
        "Z12.31",
        "G47.33",
        "M25.561",
        "K80.20",
        "H26.9",
        "R07.89",
        "N20.0",
    ),
    "dental": ("Z01.20", "K02.9", "K05.10"),
    "long_term_care": ("G30.9", "F03.90", "I69.354", "G20", "R54"),
    "chemotherapy": ("Z51.11",),
    "dialysis": ("N18.6",),
    "vaccine": ("Z23",),
    "prenatal": ("Z34.90", "O09.90"),
}
"""Reason of a visit -> codes it may carry first."""

DIAGNOSES = (
    "",
    *dict.fromkeys(c for group in (*CONDITION_CODES.values(), *CHILD_CODES.values(), *ACUTE.values()) for c in group),
)
PROCEDURES = (
    "", "99281", "99282", "99283", "99284", "99285", "99202", "99203", "99212", "99213", "99214", "99215", "99391",
    "99392", "99393", "99394", "99395", "99396", "99397", "99221", "99222", "99223", "99231", "99232", "99233",
    "99238", "99239", "80053", "85025", "83036", "80061", "81003", "84443", "87804", "87880", "36415", "71046",
    "70450", "74177", "73610", "93000", "90834", "90837", "90791", "90853", "H0004", "H2015", "D0120", "D0140",
    "D1110", "D2391", "D7140", "D0274", "45378", "43239", "29881", "66984", "77067", "70551", "93306", "97110",
    "95810", "96413", "J9271", "J9035", "90935", "90999", "59400", "59510", "99460", "S5125", "T1019", "S5170",
    "T2003", "99308", "99309", "A0429", "J1885", "96372", "90471", "90472", "G0008", "G0009", "90686", "90662",
    "90674", "90688", "90660", "90715", "90714", "90750", "90677", "90732", "90746", "90739", "90651", "90707",
    "90716", "90700", "90713", "90648", "90670", "90633", "90681", "90744", "90679", "Q5001", "Q5003",
)  # fmt: skip
MODIFIERS = ("", "25", "26", "59", "TC", "GT", "LT", "RT")
REVENUE = (
    "",
    "0120",
    "0250",
    "0300",
    "0320",
    "0360",
    "0450",
    "0510",
    "0636",
    "0821",
    "0100",
    "0170",
    "0720",
    "0730",
    "0420",
    "0651",
)
BILL_TYPES = ("", "0111", "0112", "0113", "0114", "0131", "0211", "0721", "0851", "0811", "0812", "0813", "0814")
PLACES = ("", "11", "21", "22", "23", "31", "65", "02", "12", "81", "20", "32")
DRGS = (
    "",
    "871",
    "194",
    "291",
    "190",
    "638",
    "683",
    "885",
    "280",
    "065",
    "343",
    "603",
    "378",
    "807",
    "788",
    "795",
    "791",
    "847",
    "897",
    "392",
)
INJECTED = ("", "00006302601", "50242006001", "00409379501")
"""NDC of drugs given by a hospital or practice, on the line of their HCPCS code."""
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
