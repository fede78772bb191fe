"""How members can be reached: phone, mail, email, portal; refusals and earlier contacts.

All values are plainly invented: reserved telephone numbers, example.org, streets that do not exist.
"""

from pathlib import Path

import numpy as np

from claims_assets.synthetic import text
from claims_assets.synthetic.arrays import NO_DAY, first_day, rows_of
from claims_assets.synthetic.population import LANGUAGES, Population
from claims_assets.synthetic.writers import file_name

CHANNELS = (("phone", 0.86), ("mail", 0.95), ("email", 0.38), ("portal", 0.22))
"""Channel, share of members who have it."""
OPTS_OUT = 0.03
CONTACTED = 0.18
OUTCOMES = ("reached", "left message", "no answer", "wrong number", "refused", "returned mail")


def write_contacts(out: Path, people: Population, rng: np.random.Generator) -> int:
    """One Parquet file: a row per member and channel."""
    import polars as pl

    block, n = people.block, people.block.members
    has = rng.random((n, len(CHANNELS))) < np.array([s for _, s in CHANNELS])
    member, channel = np.nonzero(has)
    count = len(member)
    number = member + block.first_member
    start, stop = int(first_day(block.first_month)), int(first_day(block.last_month + 1))
    refused, contacted = rng.random(count) < OPTS_OUT, rng.random(count) < CONTACTED
    day = rng.integers(start, stop, count)
    values = np.array([f"617-555-{i % 100 + 100:04d}" for i in range(100)])[number % 100]
    mail = [f"{i} Sample Street" for i in number.tolist()]
    address = [f"member{i}@example.org" for i in number.tolist()]
    value = np.select(
        [channel == 0, channel == 1, channel == 2],
        [values, np.array(mail), np.array(address)],
        default="portal",
    )
    frame = {
        "member_id": text.member_ids(number),
        "channel": text.words([c for c, _ in CHANNELS], channel),
        "value": pl.Series(value.tolist(), dtype=pl.String),
        "opt_out": text.words(("N", "Y"), refused),
        "opt_out_date": text.dates(np.where(refused, day, NO_DAY)),
        "last_contacted_at": text.dates(np.where(contacted, rng.integers(start, stop, count), NO_DAY)),
        "last_outcome": text.codes(("", *OUTCOMES), np.where(contacted, 1 + rng.integers(0, len(OUTCOMES), count), 0)),
        "preferred_language": text.words(LANGUAGES, people.language[member]),
    }
    table = pl.DataFrame({name: series.alias(name) for name, series in frame.items()})
    table.write_parquet(file_name(out / "member_contacts", "contacts", block, "parquet"))
    return rows_of({"member": member})
