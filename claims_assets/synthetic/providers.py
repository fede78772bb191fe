"""The providers of the plan: kinds, addresses, NPIs, prices, habits; one list for all blocks of members.

A small share bills in ways that stand out (`unusual`), so that fraud scores have something to find.
"""

from dataclasses import dataclass

import numpy as np

from claims_assets.synthetic.arrays import Array, first_day
from claims_assets.synthetic.population import COUNTIES
from claims_assets.synthetic.rates import share

MEMBERS_PER_PROVIDER = 12
FEWEST = 150
UNUSUAL = 0.015
"""Share of providers with three-fold charges, the highest visit level and doubled units."""
CAPITATED_PRIMARY = 0.30
"""Share of primary-care practices paid by capitation; only they send 0.00 encounters."""
KINDS = (
    ("primary", "INDIVIDUAL", "Family Medicine", "207Q00000X", 0.32),
    ("specialist", "INDIVIDUAL", "Cardiology", "207RC0000X", 0.22),
    ("behavioral", "INDIVIDUAL", "Clinical Psychology", "103TC0700X", 0.10),
    ("dentist", "INDIVIDUAL", "General Dentistry", "1223G0001X", 0.08),
    ("emergency", "INDIVIDUAL", "Emergency Medicine", "207P00000X", 0.06),
    ("hospital", "FACILITY", "General Acute Care Hospital", "282N00000X", 0.05),
    ("laboratory", "FACILITY", "Clinical Laboratory", "291U00000X", 0.02),
    ("nursing", "FACILITY", "Skilled Nursing Facility", "314000000X", 0.03),
    ("home", "FACILITY", "Home Health Agency", "251E00000X", 0.03),
    ("dialysis", "FACILITY", "End-Stage Renal Disease Clinic", "261QE0700X", 0.01),
    ("pharmacy", "FACILITY", "Community Pharmacy", "3336C0003X", 0.08),
)
"""Kind, provider type, specialty, NUCC taxonomy code, share."""
SPECIALTIES = (
    ("Cardiology", "207RC0000X"), ("Endocrinology", "207RE0101X"), ("Pulmonology", "207RP1001X"),
    ("Oncology", "207RX0202X"), ("Obstetrics & Gynecology", "207V00000X"), ("Orthopedic Surgery", "207X00000X"),
    ("Nephrology", "207RN0300X"), ("Neurology", "2084N0400X"),
)  # fmt: skip
TOWNS = ("Boston", "Worcester", "Springfield", "Fall River", "Lawrence", "Cambridge", "Brockton", "Hyannis")
FAMILY_NAMES = (
    "Alder",
    "Birch",
    "Cedar",
    "Dogwood",
    "Elm",
    "Fir",
    "Hawthorn",
    "Juniper",
    "Larch",
    "Maple",
    "Oak",
    "Rowan",
    "Willow",
)


@dataclass(frozen=True)
class Providers:
    """One value per provider; `ranges` gives the positions of each kind."""

    ranges: dict[str, tuple[int, int]]
    county: Array
    price: Array
    undotted: Array
    unusual: Array
    capitated: Array
    npi: list[str]
    good_npi: Array
    seed_values: Array

    def choose(self, rng: np.random.Generator, kind: str, usual: Array, loyalty: float = 0.8) -> Array:
        """A provider of a kind for each row: mostly the member's usual one (`usual` is uniform per member)."""
        low, high = self.ranges[kind]
        pick = np.where(rng.random(len(usual)) < loyalty, usual, rng.random(len(usual)))
        return low + np.minimum((pick * (high - low)).astype(np.int64), high - low - 1)


def enlist(members: int, seed: int, dirt: float) -> Providers:
    """Make the provider list for a population of a size."""
    rng = np.random.default_rng([seed, *b"providers"])
    wanted = max(FEWEST, members // MEMBERS_PER_PROVIDER)
    counts = [max(2, round(wanted * kind_share)) for *_, kind_share in KINDS]
    edges = np.cumsum([0, *counts])
    n = int(edges[-1])
    ranges = {kind[0]: (int(edges[i]), int(edges[i + 1])) for i, kind in enumerate(KINDS)}
    capitated = np.zeros(n, bool)
    low, high = ranges["primary"]
    capitated[low : low + round((high - low) * CAPITATED_PRIMARY)] = True
    bad = rng.permutation(n) < round(share("bad_npi", dirt) * n)
    npi = [npi_of(int(x), good=not wrong) for x, wrong in zip(_bases(rng, n), bad, strict=True)]
    return Providers(
        ranges, rng.integers(0, len(COUNTIES), n), np.exp(rng.normal(0, 0.18, n)),
        rng.random(n) < share("undotted_diagnosis", dirt),
        rng.permutation(n) < max(1, round(UNUSUAL * n)), capitated, npi, ~bad, rng.integers(0, 10_000, n),
    )  # fmt: skip


def _bases(rng: np.random.Generator, n: int) -> Array:
    """Distinct nine-digit numbers that begin with 1."""
    return 100_000_000 + rng.permutation(n) * 7_919 + rng.integers(0, 7_919, n)


def npi_of(base: int, *, good: bool = True) -> str:
    """The NPI of nine digits: check digit by Luhn over 80840 and the digits; a wrong one where not `good`."""
    total = 24 + sum(_doubled(int(d)) if i % 2 == 0 else int(d) for i, d in enumerate(str(base)))
    digit = -total % 10
    return f"{base}{digit if good else (digit + 1) % 10}"


def _doubled(digit: int) -> int:
    return 2 * digit - 9 * (digit > 4)


def provider_rows(providers: Providers, first_month: int) -> list[dict[str, str]]:
    """Rows of the PostgreSQL table `providers`, all values as text."""
    rows = []
    for kind, provider_type, specialty, taxonomy, _ in KINDS:
        for i in range(*providers.ranges[kind]):
            value = int(providers.seed_values[i])
            title, code = SPECIALTIES[value % len(SPECIALTIES)] if kind == "specialist" else (specialty, taxonomy)
            rows.append(_row(providers, i, value, provider_type, title, code, first_month))
    return rows


def _row(
    providers: Providers,
    i: int,
    value: int,
    provider_type: str,
    specialty: str,
    taxonomy: str,
    first_month: int,
) -> dict[str, str]:
    county = int(providers.county[i])
    name = FAMILY_NAMES[value % len(FAMILY_NAMES)]
    active_from = int(first_day(first_month - 12 - value % 120))
    left = first_day(first_month + 6 + value % 30) - 1 if value % 29 == 0 else None
    return {
        "provider_id": provider_id(i),
        "provider_name": f"{name} {specialty} {i}" if provider_type == "FACILITY" else f"Dr {name} {i}",
        "provider_type": provider_type,
        "specialty": specialty,
        "npi": providers.npi[i],
        "taxonomy_code": taxonomy,
        "address_line1": f"{1 + value % 900} {FAMILY_NAMES[value // 13 % len(FAMILY_NAMES)]} Street",
        "city": TOWNS[county],
        "state": "MA",
        "zip_code": f"{COUNTIES[county][1]}{1 + value % 8}",
        "active_from": str(np.datetime64(active_from, "D")),
        "active_to": "" if left is None else str(np.datetime64(int(left), "D")),
    }


def provider_id(i: int) -> str:
    """The plan's id of the provider at a position."""
    return f"PR{i + 1:06d}"
