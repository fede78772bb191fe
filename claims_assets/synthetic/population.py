"""Who the members are: age, sex, race and ethnicity, household and address, aid, frailty, habits, death.

One call makes one block of members. Nothing here depends on claims; coverage is in `enrolment.py`, illness in
`conditions.py`. Shares are chosen to look like a Medicaid plan and are no estimate of any real population.
"""

from dataclasses import dataclass

import numpy as np

from claims_assets.synthetic.arrays import NO_DAY, Array, first_day

AGE_BANDS = ((0, 18, 0.40), (19, 64, 0.45), (65, 92, 0.15))
"""First and last age at mid-window, share of members."""
MEMBERS_PER_HOUSEHOLD = 2.4
RACES = ("white", "black", "hispanic", "asian", "native", "pacific", "two", "unknown")
RACE_SHARES = (0.37, 0.22, 0.26, 0.06, 0.015, 0.008, 0.032, 0.035)
RACE_LABELS = {
    "white": ("White", "WHITE", "White", "Caucasian"),
    "black": ("Black or African American", "BLACK", "Black", "Black or African American"),
    "hispanic": ("Hispanic", "HISPANIC", "White", "Other Race"),
    "asian": ("Asian", "ASIAN", "asian", "Asian"),
    "native": (
        "American Indian or Alaska Native",
        "NATIVE AMERICAN",
        "American Indian or Alaska Native",
        "AI/AN",
    ),
    "pacific": (
        "Native Hawaiian or Pacific Islander",
        "PACIFIC ISLANDER",
        "Native Hawaiian or Pacific Islander",
        "NHPI",
    ),
    "two": ("Two or More Races", "MULTIRACIAL", "Two or more races", "Multiple"),
    "unknown": ("Unknown", "", "UNKNOWN", "Declined"),
}
"""As real feeds write them: four variants each."""
ETHNICITY_LABELS = (
    ("Not Hispanic or Latino", "NOT HISPANIC", "Non-Hispanic", ""),
    ("Hispanic or Latino", "HISPANIC", "Hispanic", "HISPANIC"),
)
COUNTIES = (
    ("Suffolk", "0211", 0.24), ("Worcester", "0160", 0.16), ("Hampden", "0110", 0.15), ("Bristol", "0274", 0.12),
    ("Essex", "0184", 0.12), ("MIDDLESEX", "0213", 0.10), ("Plymouth", "0230", 0.07), ("Barnstable", "0260", 0.04),
)  # fmt: skip
"""County as written, first four ZIP digits, share of households."""
LANGUAGES = ("en", "es", "pt", "zh", "ht", "vi")
AIDS = ("TANF", "CHIP", "SSI", "FOSTER", "EXPANSION", "PREGNANT", "AGED")
AID_CATEGORY = ("FAMILY", "CHILD", "DISABLED", "CHILD", "ADULT", "FAMILY", "AGED")
"""The coarser eligibility category of each aid."""
CHILD_AIDS, ADULT_AIDS, ELDER_AIDS = (
    ("TANF", "CHIP", "SSI", "FOSTER"),
    ("EXPANSION", "TANF", "SSI", "PREGNANT"),
    ("AGED", "SSI"),
)
YEARLY_DEATHS_AT_80 = 0.055
DEATHS_DOUBLE_EVERY = 8.0
"""Years of age; a Gompertz law."""


@dataclass(frozen=True)
class Block:
    """Which members and months one call makes."""

    number: int
    first_member: int
    members: int
    first_month: int
    months: int

    @property
    def last_month(self) -> int:
        return self.first_month + self.months - 1


@dataclass(frozen=True)
class Population:
    """One value per member, except where a shape is given."""

    block: Block
    birth: Array
    death: Array
    """Day of death within the window, or NO_DAY."""
    female: Array
    race: Array
    label: Array
    """Which of the four spellings the member's source system uses."""
    household: Array
    county: Array
    zip_digit: Array
    language: Array
    aid: Array
    """(members, 3): aid as a child, as an adult to 64, from 65."""
    dual: Array
    ltss: Array
    nursing_home: Array
    smoker: Array
    bmi: Array
    frailty: Array
    habit: Array
    """Multiplier of emergency visits, mean about 1."""
    vaccine_habit: Array
    pcp_choice: Array
    """Uniform number that picks the member's usual providers."""

    def ages(self) -> Array:
        """Age in years at the first of each month, (members, months)."""
        days = first_day(np.arange(self.block.first_month, self.block.first_month + self.block.months))
        return (days[None, :] - self.birth[:, None]) / 365.25


def populate(block: Block, rng: np.random.Generator) -> Population:
    """Make the members of one block."""
    n = block.members
    birth = _births(block, rng)
    age = (first_day(block.first_month + block.months // 2) - birth) / 365.25
    female = rng.random(n) < np.where((age > 18) & (age < 65), 0.58, 0.51)
    frailty = rng.normal(0.0, 1.0, n)
    aid = _aids(rng, n, female, frailty)
    disabled, elder = aid[np.arange(n), np.digitize(age, (19, 65))] == AIDS.index("SSI"), age >= 65
    dual = rng.random(n) < np.where(elder, 0.85, np.where(disabled & (age >= 19), 0.35, 0.0))
    ltss = rng.random(n) < np.clip(
        np.where(elder, 0.22, np.where(disabled, 0.14, 0.004)) * np.exp(0.5 * frailty), 0, 0.9
    )
    bmi = np.clip(rng.normal(np.where(age < 19, 20.5, 29.5), np.where(age < 19, 4.5, 6.5)), 13, 62)
    return Population(
        block=block, birth=birth, death=_deaths(block, birth, frailty, rng), female=female,
        **_households(rng, n), aid=aid, dual=dual, ltss=ltss,
        nursing_home=ltss & (rng.random(n) < np.where(elder, 0.20, 0.04)),
        smoker=(rng.random(n) < 0.26) & (age >= 19), bmi=np.round(bmi, 1), frailty=frailty,
        habit=np.exp(rng.normal(0, 1.0, n) + 0.25 * frailty - 0.55), vaccine_habit=rng.normal(0, 1.5, n),
        pcp_choice=rng.random(n),
    )  # fmt: skip


def _births(block: Block, rng: np.random.Generator) -> Array:
    band = rng.choice(len(AGE_BANDS), block.members, p=[share for *_, share in AGE_BANDS])
    low, high = (np.array([b[i] for b in AGE_BANDS])[band] for i in (0, 1))
    skew = np.where(
        band == 2,
        rng.beta(1.1, 2.2, block.members),
        np.where(band == 1, rng.beta(1.0, 1.25, block.members), rng.random(block.members)),
    )
    # Children younger than half the window are born inside it.
    age = low + skew * (high + 1 - low)
    middle = int(first_day(block.first_month + block.months // 2))
    return np.rint(middle - age * 365.25).astype(np.int64)


def _deaths(block: Block, birth: Array, frailty: Array, rng: np.random.Generator) -> Array:
    start, stop = int(first_day(block.first_month)), int(first_day(block.last_month + 1))
    age = (start - birth) / 365.25
    yearly = YEARLY_DEATHS_AT_80 * 2 ** ((np.maximum(age, 15) - 80) / DEATHS_DOUBLE_EVERY) * np.exp(0.6 * frailty)
    day = start + rng.exponential(365.25 / np.minimum(yearly, 2.0)).astype(np.int64)
    return np.where((day < stop) & (day > birth), day, NO_DAY)


def _aids(rng: np.random.Generator, n: int, female: Array, frailty: Array) -> Array:
    disabled = rng.random(n) < np.clip(0.09 * np.exp(0.6 * frailty), 0, 0.6)
    child = np.array([AIDS.index(a) for a in CHILD_AIDS])[rng.choice(4, n, p=(0.56, 0.38, 0.02, 0.04))]
    adult = np.array([AIDS.index(a) for a in ADULT_AIDS])[rng.choice(4, n, p=(0.62, 0.30, 0.03, 0.05))]
    adult = np.where(~female & (adult == AIDS.index("PREGNANT")), AIDS.index("EXPANSION"), adult)
    elder = np.array([AIDS.index(a) for a in ELDER_AIDS])[rng.choice(2, n, p=(0.72, 0.28))]
    ssi = AIDS.index("SSI")
    return np.stack([np.where(disabled, ssi, child), np.where(disabled, ssi, adult), elder], axis=1)


def _households(rng: np.random.Generator, n: int) -> dict[str, Array]:
    """Members of a household share address, language and mostly race."""
    count = max(1, round(n / MEMBERS_PER_HOUSEHOLD))
    household = rng.integers(0, count, n)
    race = rng.choice(len(RACES), count, p=np.array(RACE_SHARES) / sum(RACE_SHARES))
    shares = np.array([s for *_, s in COUNTIES])
    foreign = {2: ("es", 0.45), 3: ("zh", 0.35)}
    language = np.where(rng.random(count) < 0.05, rng.integers(1, len(LANGUAGES), count), 0)
    for group, (name, probability) in foreign.items():
        language = np.where((race == group) & (rng.random(count) < probability), LANGUAGES.index(name), language)
    county, digit = rng.choice(len(COUNTIES), count, p=shares / shares.sum()), rng.integers(1, 9, count)
    return {
        "race": race[household],
        "label": rng.choice(4, n, p=(0.55, 0.25, 0.12, 0.08)),
        "household": household,
        "county": county[household],
        "zip_digit": digit[household],
        "language": language[household],
    }
