"""Chronic conditions: who has them, since when, and which code the member's doctors use.

Conditions cluster through frailty and through each other (obesity before diabetes before kidney disease, and so on) and
persist once they have begun; some begin inside the window, so that trends exist.
"""

from dataclasses import dataclass

import numpy as np

from claims_assets.synthetic.arrays import Array
from claims_assets.synthetic.codes import CHILD_CODES, CONDITION_CODES, CONDITIONS, at
from claims_assets.synthetic.population import Population

NEVER = 10_000
NEW_IN_WINDOW = 0.22
"""Share of conditions that begin within the window."""
OTHER_CODE = 0.15
"""Share of records that show another code of the condition than the member's usual one."""
CODES = np.stack([at("dx", *CONDITION_CODES[c]) for c in CONDITIONS])
CHILD = {CONDITIONS.index(c): at("dx", *(codes * 2)) for c, codes in CHILD_CODES.items()}


@dataclass(frozen=True)
class Conditions:
    """`onset` (members, conditions) in month offsets, NEVER without; `severity` per member, mean about 1."""

    onset: Array
    variant: Array
    is_child: Array
    severity: Array

    def active(self, member: Array, month: Array) -> Array:
        """(rows, conditions): which conditions a member has in a month offset."""
        return self.onset[member] <= month[:, None]

    def has(self, name: str, months: int) -> Array:
        """(members, months) of one condition, as numbers 0 and 1."""
        return (self.onset[:, CONDITIONS.index(name)][:, None] <= np.arange(months)[None, :]).astype(np.float64)

    def codes(self, member: Array, rng: np.random.Generator) -> Array:
        """(rows, conditions): the diagnosis code each condition would show on each row's record."""
        variant = self.variant[member]
        other = rng.random(variant.shape) < OTHER_CODE
        variant = np.where(other, rng.integers(0, CODES.shape[1], variant.shape), variant)
        codes = CODES[np.arange(len(CONDITIONS))[None, :], variant]
        for number, child_codes in CHILD.items():
            codes[:, number] = np.where(self.is_child[member], child_codes[variant[:, number]], codes[:, number])
        return codes


def fall_ill(people: Population, rng: np.random.Generator) -> Conditions:
    """Draw the conditions of one block of members."""
    age = people.ages().mean(axis=1)
    f, smoker, obese = people.frailty, people.smoker * 1.0, people.bmi >= 30
    n = len(age)
    has: dict[str, Array] = {}

    def draw(name: str, logit: Array) -> None:
        has[name] = rng.random(n) < 1 / (1 + np.exp(-logit))

    adult = np.clip(age, 0, 85) - 45
    draw("obesity", np.where(obese, 0.4, -3.4) + 0.2 * f + np.where(age < 19, -0.8, 0))
    draw("diabetes", -2.35 + 0.055 * adult + 0.45 * f + 1.1 * has["obesity"] + np.where(age < 19, -2.5, 0))
    draw(
        "hypertension",
        -1.15 + 0.075 * adult + 0.40 * f + 0.8 * has["obesity"] + 0.8 * has["diabetes"] + np.where(age < 19, -3.0, 0),
    )
    draw("copd_asthma", -2.4 + 0.012 * adult + 0.45 * f + 1.2 * smoker + np.where(age < 19, 0.5, 0))
    draw("ckd", -4.6 + 0.055 * adult + 0.60 * f + 1.1 * has["diabetes"] + 0.9 * has["hypertension"])
    draw(
        "heart_failure",
        -5.2 + 0.060 * adult + 0.75 * f + 0.9 * has["hypertension"] + 0.9 * has["ckd"] + 0.6 * has["diabetes"],
    )
    draw(
        "mental_health",
        -1.45 + 0.50 * f + np.where(age < 6, -3.0, 0) + np.where(age >= 65, -0.4, 0) + 0.3 * people.female,
    )
    draw("cancer", -4.4 + 0.050 * adult + 0.30 * f + 0.5 * smoker)
    draw(
        "substance_use",
        -3.0 + 0.45 * f + 1.0 * smoker + 1.1 * has["mental_health"] + np.where((age < 17) | (age > 70), -3.5, 0),
    )
    held = np.stack([has[c] for c in CONDITIONS], axis=1)
    months = people.block.months
    new = rng.random(held.shape) < NEW_IN_WINDOW
    onset = np.where(held, np.where(new, rng.integers(0, months, held.shape), -1), NEVER)
    severity = np.exp(rng.normal(0.0, 0.55, n) + 0.25 * f - 0.18)
    return Conditions(onset, rng.integers(0, CODES.shape[1], held.shape), age < 18, severity)
