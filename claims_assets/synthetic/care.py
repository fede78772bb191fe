"""What care looks like as claims: why someone comes and which claims follow (`VISITS`), and their lines (`CLAIMS`).

Amounts are medians in USD chosen to give the totals of a Medicaid plan; they are no fee schedule. The code that turns
visits into claims is in `medical.py`, how often people come in `visits.py`.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Visit:
    """Why: pool of first diagnoses, chance that a chronic condition comes first, chance that each one is recorded."""

    reason: str
    chronic: float
    recorded: float
    claims: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Line:
    """One line of a claim: procedure choices, revenue code, median USD, spread, chance, most units."""

    procedures: tuple[str, ...]
    revenue: str
    usd: float
    spread: float
    chance: float = 1.0
    units: int = 1


@dataclass(frozen=True)
class Claim:
    """How a claim looks. `dual` scales amounts of members whom Medicare pays first."""

    type: str
    provider: str
    place: str
    bill: str
    lines: tuple[Line, ...]
    drgs: tuple[str, ...] = ()
    dual: float = 0.35
    severity: float = 0.35
    """Power of the member's severity in the amounts."""


VISITS = {
    "emergency": Visit("ed", 0.22, 0.35, (("emergency_facility", 1.0), ("emergency_doctor", 0.75))),
    "admission": Visit(
        "admission", 0.50, 0.85, (("inpatient", 1.0), ("inpatient_doctor", 0.90), ("inpatient_consult", 0.5))
    ),
    "respiratory": Visit("respiratory", 0.10, 0.20, (("office", 1.0), ("rapid_test", 0.25))),
    "flu": Visit("flu", 0.0, 0.20, (("office", 1.0), ("rapid_test", 0.8))),
    "office": Visit("office", 0.62, 0.42, (("office", 1.0), ("laboratory", 0.30))),
    "check_up": Visit("check_up", 0.0, 0.35, (("check_up", 1.0), ("laboratory", 0.25))),
    "outpatient": Visit("outpatient", 0.25, 0.40, (("outpatient", 1.0), ("imaging_doctor", 0.35))),
    "behavioral": Visit("office", 1.0, 0.15, (("behavioral", 1.0),)),
    "dental": Visit("dental", 0.0, 0.0, (("dental", 1.0),)),
    "prenatal": Visit("prenatal", 0.0, 0.10, (("office", 1.0), ("laboratory", 0.3))),
    "birth": Visit("birth", 0.0, 0.40, (("birth", 1.0), ("birth_doctor", 1.0))),
    "newborn": Visit("newborn", 0.0, 0.0, (("newborn", 1.0), ("newborn_doctor", 0.9))),
    "long_term_care": Visit("long_term_care", 0.20, 0.60, (("nursing", 1.0), ("nursing_doctor", 0.3))),
    "home_care": Visit("long_term_care", 0.60, 0.30, (("home", 1.0),)),
    "chemotherapy": Visit("chemotherapy", 0.0, 0.90, (("infusion", 1.0),)),
    "dialysis": Visit("dialysis", 0.0, 0.70, (("dialysis", 1.0),)),
    "ambulance": Visit("ed", 0.3, 0.10, (("ambulance", 1.0),)),
}
CLAIMS = {
    "emergency_facility": Claim(
        "ER",
        "hospital",
        "23",
        "0131",
        (
            Line(("99281", "99282", "99283", "99283", "99284", "99284", "99285"), "0450", 400, 0.55),
            Line(("80053", "85025", "81003"), "0300", 34, 0.5, 0.50, 3),
            Line(("J1885", "96372"), "0250", 45, 0.6, 0.25),
            Line(("71046", "70450", "73610", "74177"), "0320", 190, 0.6, 0.30),
        ),
    ),
    "emergency_doctor": Claim(
        "PROF", "emergency", "23", "", (Line(("99283", "99284", "99284", "99285"), "", 105, 0.35),)
    ),
    "inpatient": Claim(
        "IP",
        "hospital",
        "21",
        "0111",
        (
            Line(("",), "0120", 14600, 0.88, 1.0, -1),
            Line(("",), "0250", 900, 0.9, 0.7),
            Line(("",), "0300", 650, 0.6, 0.6),
            Line(("",), "0360", 5200, 0.6, 0.16),
            Line(("99285",), "0450", 480, 0.4, 0.5),
        ),
        ("871", "194", "291", "190", "638", "683", "885", "280", "065", "343", "603", "378", "897", "392"),
        severity=0.6,
    ),
    "inpatient_doctor": Claim(
        "PROF",
        "specialist",
        "21",
        "",
        (
            Line(("99222", "99223", "99221"), "", 150, 0.3),
            Line(("99232", "99233", "99231"), "", 88, 0.3, 0.9, -2),
            Line(("99238", "99239"), "", 92, 0.3, 0.8),
        ),
    ),
    "inpatient_consult": Claim(
        "PROF", "specialist", "21", "", (Line(("93306", "45378", "43239", "70551", "29881"), "", 330, 0.8),)
    ),
    "office": Claim(
        "PROF",
        "primary",
        "11",
        "",
        (
            Line(("99212", "99213", "99213", "99214", "99214", "99203"), "", 84, 0.28),
            Line(("36415", "81003", "96372", "93000"), "", 18, 0.5, 0.34),
        ),
    ),
    "check_up": Claim("PROF", "primary", "11", "", (Line(("99395", "99396"), "", 112, 0.22),)),
    "rapid_test": Claim("PROF", "laboratory", "81", "", (Line(("87804", "87880"), "", 19, 0.3),)),
    "laboratory": Claim(
        "PROF",
        "laboratory",
        "81",
        "",
        (
            Line(("80053", "83036", "80061"), "", 14, 0.5),
            Line(("85025", "84443"), "", 12, 0.4, 0.6),
            Line(("36415",), "", 4, 0.2, 0.5),
        ),
    ),
    "outpatient": Claim(
        "OP",
        "hospital",
        "22",
        "0131",
        (
            Line(("45378", "43239", "77067", "70551", "93306", "97110", "95810", "29881", "66984"), "0510", 600, 1.15),
            Line(("80053", "85025"), "0300", 38, 0.6, 0.25),
            Line(("J1885",), "0636", 120, 1.2, 0.2, 4),
        ),
    ),
    "imaging_doctor": Claim("PROF", "specialist", "22", "", (Line(("77067", "70551", "74177", "93306"), "", 85, 0.6),)),
    "behavioral": Claim(
        "PROF",
        "behavioral",
        "11",
        "",
        (Line(("90834", "90837", "90791", "90853", "H0004", "H2015"), "", 95, 0.30),),
        dual=0.8,
    ),
    "dental": Claim(
        "DENTAL",
        "dentist",
        "11",
        "",
        (Line(("D0120", "D0140", "D1110"), "", 52, 0.3), Line(("D0274", "D2391", "D7140"), "", 95, 0.5, 0.55)),
        dual=1.0,
    ),
    "birth": Claim(
        "IP",
        "hospital",
        "21",
        "0111",
        (Line(("",), "0120", 3900, 0.30, 1.0, -1), Line(("",), "0720", 1800, 0.35), Line(("",), "0250", 240, 0.6, 0.8)),
        ("807", "788"),
    ),
    "birth_doctor": Claim("PROF", "specialist", "21", "", (Line(("59400", "59400", "59510"), "", 1900, 0.2),)),
    "newborn": Claim(
        "IP", "hospital", "21", "0111", (Line(("",), "0170", 1150, 0.65, 1.0, -1),), ("795", "795", "795", "791")
    ),
    "newborn_doctor": Claim("PROF", "primary", "21", "", (Line(("99460",), "", 88, 0.2),)),
    "nursing": Claim("LTC", "nursing", "31", "0211", (Line(("",), "0100", 4900, 0.18, 1.0, -3),), dual=1.0),
    "nursing_doctor": Claim("PROF", "primary", "32", "", (Line(("99308", "99309"), "", 70, 0.2),)),
    "home": Claim(
        "PROF",
        "home",
        "12",
        "",
        (
            Line(("T1019", "S5125"), "", 560, 0.55, 1.0, 60),
            Line(("S5170",), "", 150, 0.4, 0.4, 20),
            Line(("T2003",), "", 60, 0.5, 0.3, 4),
        ),
        dual=1.0,
        severity=1.3,
    ),
    "infusion": Claim(
        "OP",
        "hospital",
        "22",
        "0131",
        (Line(("96413",), "0510", 320, 0.3), Line(("J9271", "J9035"), "0636", 5600, 0.75, 0.8, 200)),
    ),
    "dialysis": Claim(
        "OP",
        "dialysis",
        "65",
        "0721",
        (Line(("90999",), "0821", 2700, 0.2, 1.0, 13), Line(("90935",), "0821", 240, 0.3, 0.4)),
        dual=0.45,
    ),
    "ambulance": Claim("PROF", "emergency", "02", "", (Line(("A0429",), "", 290, 0.3),)),
}
STAYS = {"admission": (3.6, 0.75, 75), "birth": (2.4, 0.25, 7), "newborn": (2.3, 0.45, 40)}
"""Median, spread and longest length of stay, days."""
