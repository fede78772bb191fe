"""One block of members from people to files: the order of the steps, and the counts they report."""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from claims_assets.synthetic import adjustments
from claims_assets.synthetic.arrays import Table, rows_of, stream, take
from claims_assets.synthetic.conditions import Conditions, fall_ill
from claims_assets.synthetic.enrolment import Enrolment, enrol
from claims_assets.synthetic.interim import bill_in_two
from claims_assets.synthetic.medical import join, medical_claims
from claims_assets.synthetic.pharmacy import pharmacy_fills
from claims_assets.synthetic.population import Block, Population, populate
from claims_assets.synthetic.providers import Providers
from claims_assets.synthetic.vaccines import doses_given, vaccine_claims
from claims_assets.synthetic.visits import visit_rates


@dataclass(frozen=True)
class Life:
    """Everything that truly happened to one block of members: no dirt, no files."""

    people: Population
    ill: Conditions
    cover: Enrolment
    doses: Table
    claims: Table
    lines: Table
    fills: Table


def live(block: Block, providers: Providers, seed: int, scale: float) -> Life:
    """Simulate one block; claims and fills that would be received after the last month are left out."""

    def rng(concern: str) -> np.random.Generator:
        return stream(seed, block.number, concern)

    people = populate(block, rng("population"))
    cover = enrol(people, rng("enrolment"), scale)
    ill = fall_ill(people, rng("conditions"))
    rates = visit_rates(people, ill, cover, rng("visits"))
    doses = doses_given(people, ill, cover, rng("vaccines"))
    made = [
        medical_claims(people, ill, cover, rates, providers, rng("medical")),
        vaccine_claims(doses, people, providers, rng("doses")),
    ]
    claims, lines = number(*bill_in_two(*join(made), block.first_month, rng("interim")), block)
    fills = pharmacy_fills(people, ill, cover, rates, doses, providers, rng("pharmacy"))
    fills = take(fills, fills["received"] < block.months)
    fills["id"] = block.number * adjustments.BLOCK_SPACE + np.arange(rows_of(fills))
    return Life(people, ill, cover, doses, claims, lines, fills)


def number(claims: Table, lines: Table, block: Block) -> tuple[Table, Table]:
    """Claims received within the window, in order of payment, with ids."""
    order = np.lexsort((claims["member"], claims["from_day"], claims["paid_day"]))
    order = order[claims["received"][order] < block.months]
    claims, lines = adjustments.select((claims, lines), order)
    claims["id"] = block.number * adjustments.BLOCK_SPACE + np.arange(rows_of(claims), dtype=np.int64)
    return claims, lines


def facts(life: Life) -> Counter[str]:
    """Sizes of the population itself."""
    ever = int(life.cover.covered.any(axis=1).sum())
    return Counter(
        members=life.people.block.members, covered_members=ever, member_months=int(life.cover.covered.sum()),
        spans=rows_of(life.cover.spans), gaps=life.cover.gaps, doses=rows_of(life.doses),
        deaths=int((life.people.death >= 0).sum()), original_claims=rows_of(life.claims),
        original_fills=rows_of(life.fills),
    )  # fmt: skip
