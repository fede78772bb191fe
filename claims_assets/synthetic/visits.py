"""How often members seek care: one monthly rate per kind of visit, member and month.

Rates follow age, chronic conditions, frailty, the member's own habit, the season, and a slowly moving state that gives
trends. What a visit looks like as claims is in `medical.py`.
"""

import numpy as np

from claims_assets.synthetic.arrays import Array
from claims_assets.synthetic.conditions import Conditions
from claims_assets.synthetic.enrolment import Enrolment
from claims_assets.synthetic.population import AIDS, Population

SEASON = np.array((1.55, 1.5, 1.25, 1.0, 0.9, 0.75, 0.65, 0.7, 0.9, 1.05, 1.2, 1.45))
"""Respiratory illness by calendar month."""
STATE_SPREAD, STATE_MEMORY = 0.55, 0.85
"""Standard deviation and quarter-to-quarter correlation of the state of health (log scale)."""
NEW_MOTHER = 0.065
"""Yearly births per woman aged 17 to 41."""
ADMISSION_FACTORS = {
    "heart_failure": 2.6, "ckd": 1.5, "copd_asthma": 1.45, "cancer": 1.7, "diabetes": 1.25, "mental_health": 1.45, "substance_use": 1.6,
}  # fmt: skip
EMERGENCY_FACTORS = {
    "heart_failure": 1.5, "copd_asthma": 1.5, "mental_health": 1.5, "substance_use": 1.9, "diabetes": 1.15, "ckd": 1.2, "cancer": 1.2,
}  # fmt: skip


def visit_rates(people: Population, ill: Conditions, cover: Enrolment, rng: np.random.Generator) -> dict[str, Array]:
    """Expected visits per covered month by kind, each (members, months)."""
    n, months = cover.covered.shape
    ages = people.ages()
    band = np.digitize(ages, (2, 6, 19, 45, 65, 80))
    state = _state(rng, n, months)
    chronic = (ill.onset[:, None, :] <= np.arange(months)[None, :, None]).sum(axis=2)
    share = np.where(cover.covered, (cover.last - cover.first + 1) / 30.4, 0.0)
    frail = np.exp(0.45 * people.frailty - 0.1)[:, None]
    season = SEASON[(people.block.first_month + np.arange(months)) % 12][None, :]

    def by_age(*values: float) -> Array:
        return np.array(values)[band]

    def factors(table: dict[str, float]) -> Array:
        return np.prod([1 + (f - 1) * ill.has(c, months) for c, f in table.items()], axis=0)

    woman = people.female[:, None] & (ages >= 17) & (ages < 42)
    habit, sev = people.habit[:, None], ill.severity[:, None]
    mind, cancer = ill.has("mental_health", months), ill.has("cancer", months)
    rates = {
        "emergency": by_age(0.042, 0.030, 0.016, 0.036, 0.027, 0.022, 0.026) * habit * factors(EMERGENCY_FACTORS) * state**0.8,
        "admission": by_age(0.0015, 0.0008, 0.0006, 0.0021, 0.0034, 0.0048, 0.0062) * frail * sev * factors(ADMISSION_FACTORS) * state**1.4,
        "respiratory": by_age(0.16, 0.11, 0.05, 0.04, 0.04, 0.04, 0.04) * season * (1 + 0.6 * ill.has("copd_asthma", months)),
        "flu": by_age(0.010, 0.009, 0.006, 0.004, 0.004, 0.004, 0.004) * np.where(season > 1.2, season**2, 0.1),
        "office": by_age(0.05, 0.05, 0.06, 0.115, 0.15, 0.18, 0.19) * (1 + 0.40 * chronic) * frail**0.5 * state**0.4,
        "check_up": by_age(0.42, 0.10, 0.062, 0.033, 0.040, 0.05, 0.05),
        "outpatient": by_age(0.015, 0.012, 0.012, 0.036, 0.055, 0.055, 0.050) * (1 + 0.25 * chronic) * frail**0.6 * state**0.7,
        "behavioral": mind * by_age(0.0, 0.05, 0.24, 0.26, 0.20, 0.06, 0.05) * sev**0.5,
        "dental": by_age(0.01, 0.07, 0.085, 0.042, 0.035, 0.02, 0.02),
        "prenatal": woman * 0.030,
        "birth": woman * NEW_MOTHER / 12,
        "long_term_care": np.repeat(people.nursing_home[:, None], months, 1) * 1.0,
        "home_care": np.repeat((people.ltss & ~people.nursing_home)[:, None], months, 1) * 1.1,
        "chemotherapy": cancer * np.where(state > 1.15, 0.20, 0.012) * sev,
        "dialysis": ill.has("ckd", months) * ((people.pcp_choice * 997 % 1) < 0.07)[:, None] * 0.95,
        "ambulance": by_age(0.001, 0.001, 0.001, 0.003, 0.006, 0.010, 0.015) * frail * state,
    }
    first = (np.arange(months)[None, :] + people.block.first_month) == _birth_month(people)[:, None]
    rates["newborn"] = np.where(first & cover.covered, 30.0, 0.0)
    foster = (people.aid[:, 0] == AIDS.index("FOSTER"))[:, None] & (ages < 19)
    rates["behavioral"] = rates["behavioral"] * np.where(foster, 1.6, 1.0)
    return {kind: rate * share for kind, rate in rates.items()}


def _birth_month(people: Population) -> Array:
    from claims_assets.synthetic.arrays import month_of_day

    return month_of_day(people.birth)


def _state(rng: np.random.Generator, n: int, months: int) -> Array:
    """A positive, slowly moving multiplier around 1: a member gets worse or better over quarters."""
    quarters = months // 3 + 1
    noise = rng.normal(0, 1, (n, quarters))
    level = noise.copy()
    for q in range(1, quarters):
        level[:, q] = STATE_MEMORY * level[:, q - 1] + np.sqrt(1 - STATE_MEMORY**2) * noise[:, q]
    return np.exp(STATE_SPREAD * level - STATE_SPREAD**2 / 2)[:, np.arange(months) // 3]
