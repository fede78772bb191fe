"""Cases of adults; the expectations come from the named publications, not from the code."""

from claims_assets_tests.features.vaccine_case import BEST, DATES, FLU, HPV, Case

RZV, LIVE = "CVX:187", "CPT:90736"
ZOSTER = "MMWR 2018;67:103 (RZV from 50, two doses, two to six months apart); AIS-E: at least 28 days apart"
ZOSTER_RISK = "MMWR 2022;71:80 (RZV from 19 in the immunocompromised)"
TD = "ACIP adult schedule 2025 (Td or Tdap every ten years)"
TDAP_PREGNANT = "MMWR 2013;62:131 (Tdap in every pregnancy)"
PCV_50 = "MMWR 2025;74:1 (from 50 since 2024-10-23)"
PCV = "MMWR 2022;71:109 and 2025;74:1 (PCV20 or PCV21, or PCV15 and a year later PPSV23)"
PCV_BEFORE = "MMWR 2025;74:1 and CDC pneumococcal timing 2024 (after PPSV23 or PCV13)"
HEPB = "MMWR 2022;71:477 (19 to 59; two doses of the two-dose product, else three)"
RSV = "MMWR 2024;73:696 (75 and older, 60 to 74 at risk), CDC addendum 2025-06-25 (50 to 59 at risk), CDSi 4.65"
MMR = "MMWR 2013;62 RR-4 (born 1957 or later; not in pregnancy or severe immunodeficiency)"
VARICELLA = "MMWR 2007;56 RR-4 (two doses four weeks apart; birth before 1980)"
COVID = "CDC 2025-10-06 (individual decision from 6 months)"
WEAK = "docs/vaccines.md (administration codes)"
UNSEEN = "docs/vaccines.md (no_evidence)"

ADULT = [
    Case("zoster", "1975-06-15", "2025-05", None, ZOSTER),
    Case("zoster", "1975-05-31", "2025-05", ("due", 0, "2025-05-31"), ZOSTER),
    Case("zoster", "1972-03-10", "2024-06", ("overdue", 0, "2022-03-10"), ZOSTER),
    Case("zoster", "1972-03-10", "2023-02", ("due", 0, "2022-03-10"), ZOSTER),
    Case("zoster", "1972-03-10", "2024-02", ("not_yet", 1, "2024-03-10"), ZOSTER, (f"2024-01-10 {RZV} r",)),
    Case("zoster", "1972-03-10", "2024-03", ("due", 1, "2024-03-10"), ZOSTER, (f"2024-01-10 {RZV} r",)),
    Case("zoster", "1972-03-10", "2024-07", ("overdue", 1, "2024-03-10"), ZOSTER, ("2024-01-10 CPT:90750 m",)),
    Case(
        "zoster", "1972-03-10", "2024-02", ("complete", 2, None), ZOSTER,
        (f"2024-01-10 {RZV} r", f"2024-02-07 {RZV} r"),
    ),
    Case(
        "zoster", "1972-03-10", "2024-02", ("not_yet", 1, "2024-03-10"), ZOSTER,
        (f"2024-01-10 {RZV} r", f"2024-02-06 {RZV} r"), refused=("r1: under_minimum_interval",),
    ),
    Case(
        "zoster", "1950-01-01", "2024-06", ("overdue", 0, "2017-10-25"), "MIPS 493: the live vaccine does not count",
        (f"2012-05-01 {LIVE} m",), refused=("m0: product_does_not_count",),
    ),
    Case(
        "zoster", "1950-01-01", "2024-06", ("complete", 2, None), ZOSTER,
        (f"2012-05-01 {LIVE} m", f"2019-05-01 {RZV} r", "2019-08-01 NDC:58160081912 p"),
    ),
    Case(
        "zoster", "1960-05-03", "2024-06", ("no_evidence", 0, "2017-10-25"), UNSEEN, since="2024-01-01",
        reason="may_be_elsewhere",
    ),
    Case("zoster", "1960-05-03", "2024-06", ("no_evidence", 0, "2017-10-25"), UNSEEN, since=None),
    Case("zoster", "1994-01-01", "2024-06", ("due", 0, None), ZOSTER_RISK, conditions=("transplant",)),
    Case("zoster", "1994-01-01", "2024-06", None, ZOSTER_RISK),
    Case("zoster", "1994-01-01", "2021-12", None, ZOSTER_RISK, conditions=("transplant",)),
    Case(
        "zoster", "1972-03-10", "2024-01", ("not_yet", 1, "2024-03-10"), "R4: one dose, three sources",
        (f"2024-01-10 {RZV} r", "2024-01-11 CPT:90750 m", "2024-01-12 NDC:58160081912 p"),
    ),
    Case("influenza", "1980-01-01", "2024-07", ("not_yet", 0, "2024-09-01"), FLU),
    Case("influenza", "1980-01-01", "2024-08", ("not_yet", 0, "2024-09-01"), FLU),
    Case("influenza", "1980-01-01", "2024-09", ("due", 0, "2024-09-01"), FLU),
    Case("influenza", "1980-01-01", "2024-10", ("due", 0, "2024-09-01"), FLU),
    Case("influenza", "1980-01-01", "2024-11", ("overdue", 0, "2024-09-01"), FLU),
    Case("influenza", "1980-01-01", "2025-06", ("overdue", 0, "2024-09-01"), FLU),
    Case("influenza", "1980-01-01", "2024-07", ("complete", 1, "2025-09-01"), FLU, ("2024-07-01 CVX:140 r",)),
    Case("influenza", "1980-01-01", "2024-07", ("not_yet", 0, "2024-09-01"), FLU, ("2024-06-30 CVX:140 r",)),
    Case("influenza", "1980-01-01", "2025-06", ("complete", 1, "2025-09-01"), FLU, ("2025-06-30 CPT:90662 m",)),
    Case("influenza", "1980-01-01", "2025-07", ("not_yet", 0, "2025-09-01"), FLU, ("2025-06-30 CPT:90662 m",)),
    Case(
        "influenza", "1980-01-01", "2024-12", ("complete", 1, "2025-09-01"), WEAK,
        ("2024-12-05 HCPCS:G0008 m",), weak=True
    ),
    Case(
        "influenza", "1980-01-01", "2024-12", ("complete", 1, "2025-09-01"), WEAK,
        ("2024-12-05 HCPCS:G0008 m", "2024-12-03 NDC:49281012065 p"),
    ),
    Case("influenza", "1980-01-01", "2025-01", ("no_evidence", 0, "2024-09-01"), UNSEEN, since="2024-12-01"),
    Case("influenza", "1980-01-01", "2025-01", ("overdue", 0, "2024-09-01"), UNSEEN, since="2024-07-01"),
    Case(
        "influenza", "1980-01-01", "2024-11", ("overdue", 0, "2024-09-01"), "R4: a refusal is kept, and is no dose",
        ("2024-10-02 CVX:140 r not_given",), refused=("r0: not_given",),
    ),
    Case(
        "influenza", "1980-01-01", "2024-11", ("overdue", 0, "2024-09-01"), "R4: a denied claim is no dose",
        ("2024-10-02 CPT:90686 m not_paid",), refused=("m0: not_paid",),
    ),
    Case(
        "influenza", "1980-01-01", "2024-10", ("contraindicated", 0, None), BEST, ("2023-10-05 CPT:90686 m",),
        reactions=("2023-10-05",), reason="vaccine_anaphylaxis",
    ),
    Case(
        "zoster", "1972-03-10", "2024-10", ("overdue", 0, "2022-03-10"), BEST, reactions=("2023-10-05",),
        other_doses=("2023-10-05",),
    ),
    Case(
        "zoster", "1972-03-10", "2024-10", ("discuss", 0, "2022-03-10"), BEST, reactions=("2023-10-05",),
        reason="vaccine_anaphylaxis",
    ),
    Case("td_tdap", "1980-01-01", "2024-11", ("complete", 1, "2024-12-15"), TD, ("2014-12-15 CPT:90715 m",)),
    Case("td_tdap", "1980-01-01", "2024-12", ("due", 1, "2024-12-15"), TD, ("2014-12-15 CPT:90715 m",)),
    Case("td_tdap", "1980-01-01", "2025-12", ("overdue", 1, "2024-12-15"), TD, ("2014-12-15 CPT:90715 m",)),
    Case(
        "td_tdap", "1980-01-01", "2025-12", ("complete", 2, "2031-03-01"), TD,
        ("2010-12-15 CPT:90715 m", "2021-03-01 CVX:113 r"),
    ),
    Case("td_tdap", "1980-01-01", "2022-02", ("complete", 1, "2022-03-01"), DATES, ("2012-02-29 CVX:115 r",)),
    Case("td_tdap", "1980-01-01", "2022-03", ("due", 1, "2022-03-01"), DATES, ("2012-02-29 CVX:115 r",)),
    Case("td_tdap", "1980-01-01", "2024-06", ("no_evidence", 0, "2006-12-15"), UNSEEN),
    Case("td_tdap", "1980-01-01", "2025-01", ("overdue", 0, "2006-12-15"), UNSEEN),
    Case("td_tdap", "1999-01-01", "2024-06", ("discuss", 0, None), TDAP_PREGNANT, conditions=("pregnancy",)),
    Case(
        "td_tdap", "1999-01-01", "2024-06", ("complete", 1, "2025-02-01"), TDAP_PREGNANT, ("2024-05-01 CVX:115 r",),
        ("pregnancy",), rule="td_tdap_pregnancy",
    ),
    Case("pneumococcal", "1960-06-01", "2024-09", None, PCV_50),
    Case("pneumococcal", "1960-06-01", "2024-10", ("due", 0, "2024-10-23"), PCV_50, rule="pneumococcal_50"),
    Case("pneumococcal", "1974-10-31", "2024-10", ("due", 0, "2024-10-31"), PCV_50),
    Case("pneumococcal", "1955-06-01", "2024-09", ("overdue", 0, "2022-01-28"), PCV, rule="pneumococcal_65"),
    Case("pneumococcal", "1955-06-01", "2024-09", ("complete", 1, None), PCV, ("2022-03-01 CPT:90677 m",)),
    Case("pneumococcal", "1955-06-01", "2024-12", ("complete", 1, None), PCV, ("2024-11-01 CPT:90684 m",)),
    Case("pneumococcal", "1954-06-01", "2024-06", ("not_yet", 1, "2025-01-10"), PCV, ("2024-01-10 CVX:215 r",)),
    Case(
        "pneumococcal", "1954-06-01", "2025-01", ("complete", 2, None), PCV,
        ("2024-01-10 CVX:215 r", "2025-01-10 CVX:33 r"),
    ),
    Case(
        "pneumococcal", "1954-06-01", "2024-03", ("not_yet", 1, "2025-01-10"), PCV,
        ("2024-01-10 CVX:215 r", "2024-03-06 CVX:33 r"), refused=("r1: under_minimum_interval",),
    ),
    Case(
        "pneumococcal", "1954-06-01", "2024-03", ("complete", 2, None), PCV,
        ("2024-01-10 CVX:215 r", "2024-03-06 CVX:33 r"), ("hematologic_malignancy",),
    ),
    Case("pneumococcal", "1954-06-01", "2024-06", ("overdue", 1, "2019-05-01"), PCV_BEFORE, ("2018-05-01 CVX:33 r",)),
    Case(
        "pneumococcal", "1954-06-01", "2024-06", ("complete", 2, None), PCV_BEFORE,
        ("2018-05-01 CVX:33 r", "2022-06-01 CVX:215 r"),
    ),
    Case(
        "pneumococcal", "1950-06-01", "2024-06", ("complete", 2, None), PCV_BEFORE,
        ("2016-05-01 CVX:133 r", "2023-06-01 CVX:216 r"),
    ),
    Case(
        "pneumococcal", "1948-06-01", "2024-06", ("complete", 2, None), PCV_BEFORE,
        ("2016-05-01 CVX:133 r", "2018-06-01 CPT:90732 m"),
    ),
    Case(
        "pneumococcal", "1950-06-01", "2024-06", ("overdue", 1, "2013-05-01"), PCV_BEFORE,
        ("2010-05-01 CVX:133 r", "2012-05-01 CVX:33 r"),
    ),
    Case("pneumococcal", "1994-06-01", "2024-06", ("due", 0, None), PCV, conditions=("has_diabetes",)),
    Case("pneumococcal", "1994-06-01", "2024-06", ("due", 0, None), PCV, conditions=("asplenia",)),
    Case(
        "pneumococcal", "1994-06-01", "2024-06", ("no_evidence", 0, None), UNSEEN, (),
        ("cochlear_implant",), "2023-01-01"
    ),
    Case("pneumococcal", "1994-06-01", "2024-06", None, PCV),
    Case(
        "pneumococcal", "1954-06-01", "2024-06", ("discuss", 0, "2022-01-28"), WEAK, ("2024-05-01 HCPCS:G0009 m",),
        reason="product_unknown", refused=("m0: product_unknown",),
    ),
    Case(
        "pneumococcal", "1954-06-01", "2024-06", ("discuss", 0, "2022-01-28"), "CDC CVX code set: 109 is unspecified",
        ("2020-05-01 CVX:109 r",), reason="product_unknown",
    ),
    Case("hepatitis_b", "1984-03-01", "2024-06", ("no_evidence", 0, "2022-04-01"), UNSEEN),
    Case(
        "hepatitis_b", "1984-03-01", "2024-02", ("complete", 2, None), HEPB,
        ("2024-01-10 CPT:90739 m", "2024-02-07 CPT:90739 m"),
    ),
    Case(
        "hepatitis_b", "1984-03-01", "2024-07", ("complete", 3, None), HEPB,
        ("2024-01-10 CVX:43 r", "2024-02-10 CVX:43 r", "2024-07-10 CVX:43 r"),
    ),
    Case(
        "hepatitis_b", "1984-03-01", "2024-04", ("not_yet", 2, "2024-07-10"), HEPB,
        ("2024-01-10 CVX:43 r", "2024-02-10 CVX:43 r", "2024-04-10 CVX:43 r"), refused=("r2: under_minimum_interval",),
    ),
    Case(
        "hepatitis_b", "1984-03-01", "2024-07", ("due", 2, "2024-07-10"), HEPB,
        ("2024-01-10 CVX:189 r", "2024-02-10 CVX:43 r"),
    ),
    Case("hepatitis_b", "1960-03-01", "2024-06", ("discuss", 0, "2022-04-01"), HEPB, reason="shared_decision"),
    Case("hepatitis_b", "1960-03-01", "2024-06", ("no_evidence", 0, None), HEPB, conditions=("hepatitis_c",)),
    Case("hpv", "2004-05-20", "2024-06", ("overdue", 0, "2019-08-16"), HPV, rule="hpv"),
    Case("hpv", "1997-07-01", "2024-06", ("no_evidence", 0, "2019-08-16"), HPV, rule="hpv"),
    Case("hpv", "1997-06-30", "2024-06", ("discuss", 0, "2024-06-30"), HPV, reason="shared_decision"),
    Case("hpv", "1978-06-30", "2024-06", None, HPV),
    Case("hpv", "2013-06-30", "2024-06", ("due", 0, "2024-06-30"), HPV),
    Case("hpv", "2013-07-01", "2024-06", None, HPV),
    Case("hpv", "2004-05-20", "2024-06", ("complete", 2, None), HPV, ("2018-06-01 CVX:165 r", "2018-12-01 CVX:165 r")),
    Case(
        "hpv", "2004-05-20", "2020-01", ("overdue", 2, "2019-02-01"), HPV,
        ("2018-06-01 CVX:165 r", "2018-10-01 CVX:165 r"),
    ),
    Case(
        "hpv", "2004-05-20", "2020-01", ("not_yet", 2, "2020-04-01"), HPV,
        ("2019-06-01 CVX:165 r", "2019-12-01 CPT:90651 m"),
    ),
    Case(
        "hpv", "2004-05-20", "2019-10", ("due", 1, "2019-07-20"), "MMWR 2016;65:1405: on the 15th birthday it is three",
        ("2019-05-20 CVX:165 r",),
    ),
    Case(
        "hpv", "2004-05-20", "2024-06", ("overdue",
        2, "2019-04-01"), "MMWR 2016;65:1405: three in the immunocompromised",
        ("2018-06-01 CVX:165 r", "2018-12-01 CVX:165 r"), ("immunocompromised",),
    ),
    Case("rsv", "1949-06-30", "2024-06", ("due", 0, "2024-06-30"), RSV, rule="rsv_75"),
    Case("rsv", "1954-06-30", "2024-05", ("discuss", 0, "2023-06-21"), "MMWR 2023;72:793 (shared decision from 60)"),
    Case("rsv", "1954-06-30", "2024-06", None, RSV),
    Case("rsv", "1954-06-30", "2024-06", ("due", 0, None), RSV, conditions=("charlson_congestive_heart_failure",)),
    Case("rsv", "1970-01-01", "2025-05", None, RSV, conditions=("charlson_chronic_pulmonary_disease",)),
    Case("rsv", "1970-01-01", "2025-06", ("due", 0, None), RSV, conditions=("charlson_chronic_pulmonary_disease",)),
    Case("rsv", "1945-01-01", "2026-10", ("complete", 1, None), RSV, ("2023-10-01 CVX:303 r",)),
    Case("mmr", "1956-12-31", "2024-06", None, MMR),
    Case("mmr", "1957-01-01", "2024-06", ("no_evidence", 0, "2013-06-14"), MMR),
    Case("mmr", "1990-01-01", "2024-06", ("complete", 1, None), MMR, ("2001-05-05 CVX:94 r",)),
    Case("mmr", "1999-01-01", "2024-06", ("contraindicated", 0, None), MMR, (), ("pregnancy",), reason="pregnancy"),
    Case("mmr", "1999-01-01", "2024-06", ("complete", 1, None), MMR, ("2001-05-05 CVX:03 r",), ("pregnancy",)),
    Case("mmr", "1999-01-01", "2024-06", ("contraindicated", 0, None), MMR, (), ("transplant",)),
    Case("mmr", "1999-01-01", "2024-06", ("discuss", 0, "2018-01-01"), MMR, (), ("hiv",)),
    Case("varicella", "1979-12-31", "2024-06", None, VARICELLA),
    Case("varicella", "1980-01-01", "2024-06", ("no_evidence", 0, "2007-06-22"), VARICELLA),
    Case("varicella", "1990-01-01", "2024-02", ("due", 1, "2024-02-07"), VARICELLA, ("2024-01-10 CVX:21 r",)),
    Case(
        "varicella", "1990-01-01", "2024-02", ("contraindicated", 1, None), VARICELLA, ("2024-01-10 CVX:21 r",),
        ("immunosuppressed",)
    ),
    Case("covid_19", "1980-01-01", "2025-10", ("discuss", 0, "2025-09-01"), COVID, reason="shared_decision"),
    Case("covid_19", "1980-01-01", "2025-10", ("complete", 1, "2026-09-01"), COVID, ("2025-09-20 CPT:91320 m",)),
    Case(
        "covid_19", "1980-01-01", "2025-10", ("complete", 1, "2026-09-01"), WEAK, ("2025-09-20 CPT:90480 m",), weak=True
    ),
]  # fmt: skip
