"""How often members seek care: one monthly rate per kind of visit, member and month.

Rates follow age, chronic conditions, frailty, the member's own habit, the season, and a slowly moving state that gives
trends. What a visit looks like as claims is in `medical.py`.
"""

from dataclasses import dataclass

import numpy as np

from claims_assets.synthetic.arrays import Array, month_of_day
from claims_assets.synthetic.conditions import Conditions
from claims_assets.synthetic.enrolment import Enrolment
from claims_assets.synthetic.population import AIDS, Population

SEASON = np.array((1.55, 1.5, 1.25, 1.0, 0.9, 0.75, 0.65, 0.7, 0.9, 1.05, 1.2, 1.45))
"""Respiratory illness by calendar month."""
STATE_SPREAD, STATE_MEMORY = 0.65, 0.75
"""Standard deviation and quarter-to-quarter correlation of the state of health (log scale)."""
DAYS_A_MONTH = 30.4
DIALYSIS_OF_CKD = 0.07
"""Share of members with kidney disease who are on dialysis."""
SURELY = 600.0
"""A rate so high that an event happens even on a single covered day; medical.py keeps one."""
NEW_MOTHER = 0.065
"""Yearly births per woman aged 17 to 41."""
ADMISSION_FACTORS = {
    "heart_failure": 2.6, "ckd": 1.5, "copd_asthma": 1.45, "cancer": 1.7, "diabetes": 1.25, "mental_health": 1.45,
    "substance_use": 1.6,
}  # fmt: skip
EMERGENCY_FACTORS = {
    "heart_failure": 1.5, "copd_asthma": 1.5, "mental_health": 1.5, "substance_use": 1.9, "diabetes": 1.15,
    "ckd": 1.2, "cancer": 1.2,
}  # fmt: skip


@dataclass(frozen=True)
class Setting:
    """What the rates depend on, (members, months) or a shape that spreads to it."""

    people: Population
    ill: Conditions
    ages: Array
    band: Array
    state: Array
    chronic: Array
    """Number of chronic conditions begun."""
    frail: Array
    severity: Array
    season: Array

    def by_age(self, *values: float) -> Array:
        """A value per age band: 0-1, 2-5, 6-18, 19-44, 45-64, 65-79, 80 and more."""
        return np.array(values)[self.band]

    def has(self, condition: str) -> Array:
        """1 where the condition has begun."""
        return self.ill.has(condition, self.ages.shape[1])

    def raised(self, factors: dict[str, float]) -> Array:
        """Product of the factors of the conditions a member has."""
        return np.prod([1 + (f - 1) * self.has(c) for c, f in factors.items()], axis=0)


def visit_rates(people: Population, ill: Conditions, cover: Enrolment, rng: np.random.Generator) -> dict[str, Array]:
    """Expected visits per month by kind, each (members, months); a part of a month counts as its part of days."""
    s = _setting(people, ill, rng)
    rates = {**_illness(s), **_routine(s), **_lasting_care(s), **_births(s)}
    share = np.where(cover.covered, (cover.last - cover.first + 1) / DAYS_A_MONTH, 0.0)
    return {kind: rate * share for kind, rate in rates.items()}


def _setting(people: Population, ill: Conditions, rng: np.random.Generator) -> Setting:
    ages = people.ages()
    months = np.arange(ages.shape[1])
    return Setting(
        people=people,
        ill=ill,
        ages=ages,
        band=np.digitize(ages, (2, 6, 19, 45, 65, 80)),
        state=_state(rng, *ages.shape),
        chronic=(ill.onset[:, None, :] <= months[None, :, None]).sum(axis=2),
        frail=np.exp(0.45 * people.frailty - 0.1)[:, None],
        severity=ill.severity[:, None],
        season=SEASON[(people.block.first_month + months) % 12][None, :],
    )


def _illness(s: Setting) -> dict[str, Array]:
    """What befalls people: emergencies, hospital stays, infections, ambulance rides."""
    habit = s.people.habit[:, None]
    emergency = s.by_age(0.072, 0.052, 0.028, 0.064, 0.049, 0.036, 0.040)
    admission = s.by_age(0.0028, 0.0015, 0.0013, 0.0050, 0.0078, 0.0090, 0.0105)
    respiratory = s.by_age(0.20, 0.14, 0.07, 0.05, 0.05, 0.05, 0.05)
    flu = s.by_age(0.010, 0.009, 0.006, 0.004, 0.004, 0.004, 0.004)
    return {
        "emergency": emergency * habit * s.raised(EMERGENCY_FACTORS) * s.state**0.8,
        "admission": admission * s.frail**0.6 * s.severity**0.7 * s.raised(ADMISSION_FACTORS) * s.state**1.4,
        "respiratory": respiratory * s.season * (1 + 0.6 * s.has("copd_asthma")),
        "flu": flu * np.where(s.season > 1.2, s.season**2, 0.1),
        "ambulance": s.by_age(0.001, 0.001, 0.001, 0.003, 0.006, 0.010, 0.015) * s.frail * s.state,
    }


def _routine(s: Setting) -> dict[str, Array]:
    """What people go to: practices, clinics, dentists, therapists."""
    foster = (s.people.aid[:, 0] == AIDS.index("FOSTER"))[:, None] & (s.ages < 19)
    office = s.by_age(0.08, 0.09, 0.10, 0.18, 0.24, 0.30, 0.32)
    outpatient = s.by_age(0.020, 0.016, 0.018, 0.054, 0.080, 0.080, 0.075)
    therapy = s.by_age(0.0, 0.08, 0.42, 0.45, 0.34, 0.10, 0.08) * np.where(foster, 1.6, 1.0)
    return {
        "office": office * (1 + 0.40 * s.chronic) * s.frail**0.5 * s.state**0.4,
        "check_up": s.by_age(0.42, 0.10, 0.062, 0.033, 0.040, 0.05, 0.05),
        "outpatient": outpatient * (1 + 0.25 * s.chronic) * s.frail**0.6 * s.state**0.7,
        "behavioral": s.has("mental_health") * therapy * s.severity**0.5,
        "dental": s.by_age(0.01, 0.08, 0.10, 0.05, 0.045, 0.03, 0.03),
    }


def _lasting_care(s: Setting) -> dict[str, Array]:
    """What goes on month after month: long-term care, dialysis, cancer treatment."""
    people, months = s.people, s.ages.shape[1]
    at_home = people.ltss & ~people.nursing_home
    on_dialysis = (people.pcp_choice * 997 % 1) < DIALYSIS_OF_CKD
    return {
        "long_term_care": np.repeat(people.nursing_home[:, None] * 1.0, months, axis=1),
        "home_care": np.repeat(at_home[:, None] * 1.1, months, axis=1),
        "chemotherapy": s.has("cancer") * np.where(s.state > 1.2, 0.26, 0.010) * s.severity,
        "dialysis": s.has("ckd") * on_dialysis[:, None] * 0.95,
    }


def _births(s: Setting) -> dict[str, Array]:
    """Mothers and the newborn; a newborn's stay is certain in the month of birth."""
    people = s.people
    mother = people.female[:, None] & (s.ages >= 17) & (s.ages < 42)
    month = people.block.first_month + np.arange(s.ages.shape[1])
    born_now = month[None, :] == month_of_day(people.birth)[:, None]
    return {"prenatal": mother * 0.030, "birth": mother * NEW_MOTHER / 12, "newborn": born_now * SURELY}


def _state(rng: np.random.Generator, n: int, months: int) -> Array:
    """A positive, slowly moving multiplier around 1: a member gets worse or better over quarters."""
    quarters = months // 3 + 1
    noise = rng.normal(0, 1, (n, quarters))
    level = noise.copy()
    for q in range(1, quarters):
        level[:, q] = STATE_MEMORY * level[:, q - 1] + np.sqrt(1 - STATE_MEMORY**2) * noise[:, q]
    return np.exp(STATE_SPREAD * level - STATE_SPREAD**2 / 2)[:, np.arange(months) // 3]
