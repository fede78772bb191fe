"""Childhood doses at four to six years: one visit that gives the last of four series.

Drawn apart from the other doses (`vaccines.py`), so that those stay the same.
"""

import numpy as np

from claims_assets.synthetic.arrays import Table, stack
from claims_assets.synthetic.enrolment import Enrolment
from claims_assets.synthetic.population import Population
from claims_assets.synthetic.products import vaccine
from claims_assets.synthetic.vaccines import CHILDHOOD_GIVEN, DOSE_DEFAULTS, with_traces

GIVEN_AT_FOUR = ("DTAP", "POLIO", "MMR", "VARICELLA")
"""Fifth, fourth, second and second dose (CDC, child immunization schedule: ages four to six years)."""
AGE = (1_461, 2_160)
"""Days of age at the visit, from and to: four years to nearly six."""
LEFT_OUT = 0.06
"""Share of the vaccines that a child who comes does not get."""


def booster_doses(people: Population, cover: Enrolment, rng: np.random.Generator) -> Table:
    """Doses of one block, in the form of `vaccines.doses_given`."""
    n = people.block.members
    comes = rng.random(n) < np.clip(CHILDHOOD_GIVEN + 0.05 * people.vaccine_habit, 0.2, 0.99)
    day = people.birth + rng.integers(*AGE, n)
    parts = []
    for name in GIVEN_AT_FOUR:
        who = np.flatnonzero(comes & (rng.random(n) >= LEFT_OUT))
        parts.append({"member": who, "day": day[who], "vaccine": np.full(len(who), vaccine(name))})
    return with_traces(stack(parts, DOSE_DEFAULTS), people, cover, rng)
