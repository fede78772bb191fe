"""Cases of children and adolescents; the expectations come from the named publications, not from the code."""

from claims_assets_tests.features.vaccine_case import BEST, DATES, FLU, HPV, Case

FLU_CHILD = "MMWR 2025;74:500 (two doses under 9 unless two before 1 July)"
TDAP = "ACIP child and adolescent schedule 2025 (Tdap at 11 to 12 years)"
CHILD = "ACIP child and adolescent schedule 2025"
CATCH_UP = "ACIP catch-up schedule 2025"
ROTAVIRUS = "MMWR 2009;58 RR-2 (first dose before 15 weeks, last before 8 months)"

CHILDREN = [
    Case("influenza", "2024-05-15", "2024-10", None, FLU),
    Case("influenza", "2024-05-15", "2024-11", ("due", 0, "2024-11-15"), FLU),
    Case("influenza", "2024-08-31", "2025-02", None, DATES),
    Case("influenza", "2024-08-31", "2025-03", ("due", 0, "2025-03-01"), DATES),
    Case("influenza", "2022-10-01", "2024-10", ("due", 1, "2024-10-29"), FLU_CHILD, ("2024-10-01 CVX:150 r",)),
    Case(
        "influenza", "2022-10-01", "2024-10", ("complete", 2, "2025-09-01"), FLU_CHILD,
        ("2024-10-01 CVX:150 r", "2024-10-29 CPT:90686 m"),
    ),
    Case(
        "influenza", "2022-10-01", "2024-10", ("complete", 2, "2025-09-01"), f"{FLU_CHILD}; {BEST}",
        ("2024-10-01 CVX:150 r", "2024-10-25 CPT:90686 m"),
    ),
    Case(
        "influenza", "2022-10-01", "2024-10", ("due", 1, "2024-10-29"), f"{FLU_CHILD}; {BEST}",
        ("2024-10-01 CVX:150 r", "2024-10-24 CPT:90686 m"), refused=("m1: under_minimum_interval",),
    ),
    Case(
        "influenza", "2020-01-01", "2024-10", ("complete", 3, "2025-09-01"), FLU_CHILD,
        ("2022-10-01 CVX:150 r", "2022-11-01 CVX:150 r", "2024-10-01 CVX:150 r"),
    ),
    Case("influenza", "2015-10-31", "2024-10", ("complete", 1, "2025-09-01"), FLU_CHILD, ("2024-10-01 CVX:150 r",)),
    Case("td_tdap", "2014-03-10", "2025-02", None, TDAP),
    Case("td_tdap", "2014-03-10", "2025-03", ("due", 0, "2025-03-10"), TDAP, since="2014-03-10"),
    Case(
        "td_tdap", "2014-03-10", "2025-06", ("due", 0, "2025-03-10"), TDAP, ("2025-05-01 CPT:90714 m",),
        refused=("m0: product_does_not_count",),
    ),
    Case("td_tdap", "2014-03-10", "2025-06", ("complete", 1, None), TDAP, ("2025-05-01 CPT:90715 m",)),
    Case("mmr", "2024-02-29", "2025-02", None, DATES),
    Case("mmr", "2024-02-29", "2025-03", ("due", 0, "2025-03-01"), DATES),
    Case("mmr", "2023-02-28", "2024-03", ("not_yet", 1, "2027-02-28"), BEST, ("2024-02-24 CVX:03 r",)),
    Case(
        "mmr", "2023-02-28", "2024-03", ("due", 0, "2024-02-28"), BEST, ("2024-02-23 CVX:03 r",),
        refused=("r0: under_minimum_age",),
    ),
    Case("mmr", "2019-02-28", "2024-03", ("complete", 2, None), CHILD, ("2020-03-01 CVX:94 r", "2023-03-01 CVX:94 r")),
    Case("varicella", "2023-02-28", "2024-06", ("not_yet", 1, "2027-02-28"), CHILD, ("2024-03-01 CPT:90710 m",)),
    Case("dtap", "2024-01-15", "2024-02", ("not_yet", 0, "2024-03-15"), CHILD),
    Case("dtap", "2024-01-15", "2024-03", ("due", 0, "2024-03-15"), CHILD),
    Case("dtap", "2024-01-15", "2024-04", ("overdue", 0, "2024-03-15"), CHILD),
    Case(
        "dtap", "2024-01-15", "2024-12", ("not_yet", 3, "2025-04-15"), CHILD,
        ("2024-03-15 CVX:120 r", "2024-05-15 CPT:90698 m", "2024-07-15 CVX:20 r"),
    ),
    Case(
        "dtap", "2018-01-15", "2024-02", ("complete", 4, None), CATCH_UP,
        ("2018-03-15 CVX:20 r", "2018-05-15 CVX:20 r", "2018-07-15 CVX:20 r", "2022-02-15 CVX:20 r"),
    ),
    Case(
        "dtap", "2018-01-15", "2024-02", ("complete", 5, None), CHILD,
        (
            "2018-03-15 CVX:20 r", "2018-05-15 CVX:20 r", "2018-07-15 CVX:20 r", "2019-05-15 CVX:20 r",
            "2022-02-15 CVX:20 r",
        ),
    ),
    Case(
        "dtap", "2024-01-15", "2024-04", ("overdue", 0, "2024-03-15"), CHILD, ("2024-02-20 CVX:20 r",),
        refused=("r0: under_minimum_age",),
    ),
    Case(
        "dtap", "2024-01-15", "2024-04", ("overdue",
        0, "2024-03-15"), "R4: a dose before birth is kept with its reason",
        ("2023-12-01 CVX:20 r",), refused=("r0: before_birth",),
    ),
    Case(
        "dtap", "2024-01-15", "2024-06", ("contraindicated", 1, None), BEST, ("2024-03-15 CVX:20 r",),
        ("vaccine_encephalopathy",)
    ),
    Case(
        "polio", "2024-01-15", "2024-12", ("not_yet", 3, "2028-01-15"), CHILD,
        ("2024-03-15 CVX:120 r", "2024-05-15 CVX:10 r", "2024-07-15 CPT:90723 m")
    ),
    Case("hib", "2024-01-15", "2024-06", ("overdue", 1, "2024-05-15"), CHILD, ("2024-03-15 CVX:120 r",)),
    Case(
        "hib", "2024-01-15", "2025-04", ("due", 2, "2025-04-15"), CATCH_UP,
        ("2024-03-15 CVX:48 r", "2024-05-15 CVX:48 r")
    ),
    Case(
        "hib", "2024-01-15", "2025-02", ("complete", 3, None), CHILD,
        ("2024-03-15 CVX:49 r", "2024-05-15 CPT:90647 m", "2025-01-15 CVX:48 r"),
    ),
    Case(
        "rotavirus", "2024-01-15", "2024-05", ("complete", 2, None), ROTAVIRUS,
        ("2024-03-15 CVX:119 r", "2024-05-15 CPT:90681 m")
    ),
    Case("rotavirus", "2024-01-15", "2024-05", ("due", 1, "2024-05-15"), ROTAVIRUS, ("2024-03-15 CVX:116 r",)),
    Case("rotavirus", "2024-01-15", "2024-05", None, ROTAVIRUS),
    Case(
        "rotavirus", "2024-01-15", "2024-03", ("contraindicated", 0, None), "MMWR 2011;60:1427", (),
        ("intussusception",)
    ),
    Case("rotavirus", "2024-01-15", "2024-09", None, ROTAVIRUS, ("2024-03-15 CVX:116 r",)),
    Case("hepatitis_a", "2023-01-15", "2024-02", ("not_yet", 1, "2024-07-20"), CHILD, ("2024-01-20 CVX:83 r",)),
    Case("hepatitis_b", "2024-01-15", "2024-01", ("not_yet", 1, "2024-02-15"), CHILD, ("2024-01-15 CVX:08 r",)),
    Case("hepatitis_b", "2024-01-15", "2024-02", ("due", 1, "2024-02-15"), CHILD, ("2024-01-15 CVX:08 r",)),
    Case(
        "hepatitis_b", "2024-01-15", "2024-08", ("complete", 3, None), CHILD,
        ("2024-01-15 CVX:08 r", "2024-03-15 CVX:110 r", "2024-07-15 CVX:110 r"),
    ),
    Case(
        "pneumococcal", "2024-01-15", "2025-02", ("complete", 4, None), CHILD,
        ("2024-03-15 CVX:215 r", "2024-05-15 CVX:216 r", "2024-07-15 CPT:90670 m", "2025-01-15 CVX:216 r"),
    ),
    Case("pneumococcal", "2024-01-15", "2024-03", ("due", 0, "2024-03-15"), CHILD),
    Case("pneumococcal", "2022-01-15", "2024-02", ("complete", 1, None), CATCH_UP, ("2024-01-20 CVX:216 r",)),
    Case("hpv", "2012-06-30", "2024-06", ("not_yet", 1, "2024-12-01"), HPV, ("2024-06-01 CVX:165 r",)),
]  # fmt: skip
