"""How members can be reached: phone, mail, email, portal; refusals, the last contact, guardians of minors.

Elsewhere: each attempt to reach a member (`attempts.py`).

All values are plainly invented: reserved telephone numbers, example.org, streets that do not exist.
"""

from pathlib import Path

import numpy as np

from claims_assets.synthetic import text
from claims_assets.synthetic.arrays import NO_DAY, Array, Table, first_day, rows_of
from claims_assets.synthetic.population import LANGUAGES, Population
from claims_assets.synthetic.writers import file_name

CHANNELS = (("phone", 0.86), ("mail", 0.95), ("email", 0.38), ("portal", 0.22))
"""Channel, share of members who have it."""
OPTS_OUT = 0.03
CONTACTED = 0.18
OUTCOMES = ("reached", "left message", "no answer", "wrong number", "refused", "returned mail")
ROLES = ("", "self", "guardian")
ADULT, MATURE = 18, 13
"""Years of age."""
GUARDIAN_OF_CHILD, GUARDIAN_OF_MATURE_MINOR, TELLS_SELF = 0.96, 0.80, 0.60
"""Share of minors whose channels are a guardian's; of adults whose feed says that a channel is their own."""


def contacts_of(people: Population, rng: np.random.Generator) -> Table:
    """A row per member and channel: the day of an opt-out and of the last contact (or NO_DAY), and its outcome."""
    block, n = people.block, people.block.members
    has = rng.random((n, len(CHANNELS))) < np.array([s for _, s in CHANNELS])
    member, channel = np.nonzero(has)
    count = len(member)
    start, stop = int(first_day(block.first_month)), int(first_day(block.last_month + 1))
    refused, contacted = rng.random(count) < OPTS_OUT, rng.random(count) < CONTACTED
    return {
        "member": member, "channel": channel,
        "opt_out": np.where(refused, rng.integers(start, stop, count), NO_DAY),
        "contacted": np.where(contacted, rng.integers(start, stop, count), NO_DAY),
        "outcome": rng.integers(0, len(OUTCOMES), count),
    }  # fmt: skip


def guardians(people: Population, rng: np.random.Generator) -> Array:
    """Position in ROLES of whose channels a member's are, by the age at the end of the window."""
    age = (int(first_day(people.block.last_month + 1)) - people.birth) / 365.25
    told = rng.random(people.block.members)
    of_minor = np.where(age < MATURE, told < GUARDIAN_OF_CHILD, told < GUARDIAN_OF_MATURE_MINOR)
    of_adult = np.where(told < TELLS_SELF, ROLES.index("self"), ROLES.index(""))
    return np.where(age < ADULT, np.where(of_minor, ROLES.index("guardian"), ROLES.index("self")), of_adult)


def write_contacts(out: Path, contacts: Table, people: Population, roles: Array) -> int:
    """One Parquet file: a row per member and channel."""
    import polars as pl

    block, member, channel = people.block, contacts["member"], contacts["channel"]
    number = member + block.first_member
    values = np.array([f"617-555-{i % 100 + 100:04d}" for i in range(100)])[number % 100]
    mail = [f"{i} Sample Street" for i in number.tolist()]
    address = [f"member{i}@example.org" for i in number.tolist()]
    value = np.select(
        [channel == 0, channel == 1, channel == 2],
        [values, np.array(mail), np.array(address)],
        default="portal",
    )
    contacted = contacts["contacted"] != NO_DAY
    frame = {
        "member_id": text.member_ids(number),
        "channel": text.words([c for c, _ in CHANNELS], channel),
        "value": pl.Series(value.tolist(), dtype=pl.String),
        "opt_out": text.words(("N", "Y"), contacts["opt_out"] != NO_DAY),
        "opt_out_date": text.dates(contacts["opt_out"]),
        "last_contacted_at": text.dates(contacts["contacted"]),
        "last_outcome": text.codes(("", *OUTCOMES), np.where(contacted, 1 + contacts["outcome"], 0)),
        "preferred_language": text.words(LANGUAGES, people.language[member]),
        "contact_role": text.codes(ROLES, roles[member]),
    }
    table = pl.DataFrame({name: series.alias(name) for name, series in frame.items()})
    table.write_parquet(file_name(out / "member_contacts", "contacts", block, "parquet"))
    return rows_of(contacts)
