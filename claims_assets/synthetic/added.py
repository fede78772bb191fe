"""Claims that joined the generator later: hospice and the doses at four to six years.

They are added when all other claims have met their fate, with ids and random streams of their own, so that whoever
compares files of two versions finds the old claims unchanged. They are paid as sent, and carry no dirt.
"""

import numpy as np

from claims_assets.synthetic.adjustments import BLOCK_SPACE, Claims, select
from claims_assets.synthetic.arrays import Table, rows_of, stream
from claims_assets.synthetic.blocks import Life
from claims_assets.synthetic.dirt import PLAIN, UNDOTTED
from claims_assets.synthetic.hospice import hospice_claims
from claims_assets.synthetic.medical import join
from claims_assets.synthetic.providers import Providers
from claims_assets.synthetic.vaccines import vaccine_claims

IDS_FROM = BLOCK_SPACE // 2
"""First id of an added claim within its block, far above the originals of 10,000 members."""


def with_added(claims: Table, lines: Table, life: Life, boosters: Table, providers: Providers, seed: int) -> Claims:
    """All claims, and the added ones that are received within the window."""
    people, block = life.people, life.people.block
    made = [
        vaccine_claims(boosters, people, providers, stream(seed, block.number, "booster claims")),
        hospice_claims(people, life.cover, providers, stream(seed, block.number, "hospice")),
    ]
    more, more_lines = join(made)
    order = np.lexsort((more["member"], more["from_day"], more["paid_day"]))
    more, more_lines = select((more, more_lines), order[more["received"][order] < block.months])
    more["id"] = block.number * BLOCK_SPACE + IDS_FROM + np.arange(rows_of(more), dtype=np.int64)
    more["style"] = np.where(providers.undotted[more["provider"]], UNDOTTED, PLAIN).astype(np.int8)
    _late_like_the_others(more, claims)
    return join([(claims, lines), (more, more_lines)])


def _late_like_the_others(more: Table, claims: Table) -> None:
    """A batch is late as a whole: what belongs to the month of a late file is in that file (in place)."""
    for batch in np.unique(claims["late"][claims["late"] > 0]):
        mine = more["received"] == batch - 1
        more["received"][mine] = claims["received"][claims["late"] == batch][0]
        more["late"][mine] = batch
