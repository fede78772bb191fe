"""Attempts to reach members, as an outreach team reports them: those that `member_contacts` tells of, and earlier ones.

The last attempt of each member and channel is the last contact of `contacts.py`: same day, channel and outcome.
"""

from pathlib import Path

import numpy as np

from claims_assets.synthetic import text
from claims_assets.synthetic.arrays import NO_DAY, Array, Table, month_of_day, month_text, rows_of, take
from claims_assets.synthetic.contacts import CHANNELS, OUTCOMES
from claims_assets.synthetic.population import Block
from claims_assets.synthetic.writers import file_name, runs

EARLIER = (0.55, 0.25, 0.13, 0.07)
"""Share of last contacts with no, one, two, three attempts before."""
DAYS_BETWEEN = (3, 30)
IN_VAIN = {"phone": ("no answer", "left message"), "mail": ("returned mail", "left message")}
"""Outcomes of the attempts before, by channel; of the other channels a message was left."""
TELLS_LIST = 0.85
"""Share of attempts that name the list they came from: the one of the month before."""
REPORTED_LATER = 0.10
"""Share of attempts that are reported in the month after."""
DAY_OF_WORK = (9 * 3600, 18 * 3600)
"""Seconds of the day, UTC."""
CAMPAIGNS = ("catch-up", "flu season")
FLU_MONTHS = (9, 10, 11, 12, 1)


def attempts_of(contacts: Table, block: Block, rng: np.random.Generator) -> Table:
    """All attempts of one block in the order of their files; `list` and `received` are month offsets."""
    last = take(contacts, contacts["contacted"] != NO_DAY)
    before = rng.choice(len(EARLIER), rows_of(last), p=EARLIER)
    source = np.concatenate([np.arange(len(before)), *(np.flatnonzero(before >= k) for k in (1, 2, 3))])
    gaps = np.cumsum(rng.integers(*DAYS_BETWEEN, (len(before), len(EARLIER) - 1)), axis=1)
    back = np.concatenate([np.zeros(len(before), np.int64), *(gaps[before >= k, k - 1] for k in (1, 2, 3))])
    n = len(source)
    made: Table = {
        "member": last["member"][source], "channel": last["channel"][source], "day": last["contacted"][source] - back,
        "second": rng.integers(*DAY_OF_WORK, n),
        "outcome": np.where(back == 0, last["outcome"][source], _in_vain(last["channel"][source], rng)),
    }  # fmt: skip
    month = month_of_day(made["day"]) - block.first_month
    told = (rng.random(n) < TELLS_LIST) & (month > 0)
    made["list"] = np.where(told, month - 1, -1)
    made["received"] = np.minimum(month + (rng.random(n) < REPORTED_LATER), block.months - 1)
    made = take(made, month >= 0)
    return take(made, np.lexsort((made["channel"], made["member"], made["second"], made["day"], made["received"])))


def _in_vain(channel: Array, rng: np.random.Generator) -> Array:
    """An outcome of an attempt that was followed by another."""
    pick = rng.integers(0, 2, len(channel))
    words = [IN_VAIN.get(name, ("left message", "left message")) for name, _ in CHANNELS]
    return np.array([[OUTCOMES.index(word) for word in pair] for pair in words])[channel, pick]


def write_attempts(out: Path, attempts: Table, block: Block) -> int:
    """One CSV per received month."""
    import polars as pl

    for start, stop in runs(attempts["received"]):
        a = take(attempts, np.arange(start, stop))
        clock = a["day"] * 86_400 + a["second"]
        flu = np.isin(month_of_day(a["day"]) % 12 + 1, FLU_MONTHS)
        lists = ["", *(month_text(block.first_month + m) for m in range(block.months))]
        frame = {
            "member_id": text.member_ids(a["member"] + block.first_member),
            "contacted_at": pl.Series((clock * 1000).astype("datetime64[ms]")).dt.strftime("%Y-%m-%dT%H:%M:%S"),
            "channel": text.words([c for c, _ in CHANNELS], a["channel"]),
            "outcome": text.words(OUTCOMES, a["outcome"]),
            "list_month": text.codes(lists, a["list"] + 1),
            "campaign": text.words(CAMPAIGNS, flu),
        }
        month = month_text(block.first_month + int(a["received"][0]))
        path = file_name(out / "outreach_contacts", f"attempts_{month}", block, "csv")
        table = pl.DataFrame({name: series.alias(name) for name, series in frame.items()})
        path.write_text(table.write_csv(), encoding="utf-8", newline="")
    return rows_of(attempts)
