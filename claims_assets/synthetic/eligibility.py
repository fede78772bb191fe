"""The eligibility files: a full one for the first month, then monthly files of new and changed spans.

A record is a span as the payer knew it in that month; the same effective date sent again replaces what was said before.
"""

from pathlib import Path

import numpy as np

from claims_assets.synthetic import text
from claims_assets.synthetic.adjustments import Counts
from claims_assets.synthetic.arrays import NO_DAY, Array, Table, month_text, rows_of, share_of, stack, take
from claims_assets.synthetic.enrolment import Enrolment
from claims_assets.synthetic.population import (
    AID_CATEGORY,
    AIDS,
    COUNTIES,
    ETHNICITY_LABELS,
    LANGUAGES,
    RACE_LABELS,
    RACES,
    Population,
)
from claims_assets.synthetic.rates import share
from claims_assets.synthetic.writers import file_name, write_csv

GENDERS = ("F", "M", "Female", "MALE", "F", "M", "U", "U")
"""Four spellings of each sex in turn; the last ones are unknown."""
ZIP_PLUS_4 = 2
"""The source system (spelling) that sends nine-digit ZIP codes."""
SMOKER_KNOWN, BMI_KNOWN = 0.60, 0.45
"""Shares of members of whom the feed knows it (smoking: adults only)."""


def eligibility_records(
    people: Population, cover: Enrolment, rng: np.random.Generator, dirt: float
) -> tuple[Table, Counts]:
    """All records of one block with `file` (month offset), in file order."""
    months, spans = people.block.months, cover.spans
    known_at_once = (spans["stop"] != NO_DAY) & (spans["known_stop"] <= np.maximum(spans["known_start"], 0))
    opening = {**spans, "file": np.maximum(spans["known_start"], 0), "closed": known_at_once}
    ending = take(
        {**spans, "file": spans["known_stop"], "closed": np.ones(rows_of(spans), bool)},
        (spans["stop"] != NO_DAY) & ~known_at_once,
    )
    defaults = {name: np.zeros(1, column.dtype)[0] for name, column in opening.items()}
    records = stack([opening, ending], defaults)
    records = take(records, records["file"] < months)
    records = take(records, np.lexsort((records["start"], records["member"], records["file"])))
    records["junk_birth"] = np.zeros(rows_of(records), bool)
    junk = share_of(rng, rows_of(records), share("eligibility_unreadable_birth", dirt))
    records["junk_birth"][junk] = True
    still_open = np.flatnonzero(~records["closed"])
    nines = still_open[share_of(rng, len(still_open), share("eligibility_open_as_9999", dirt))]
    records["nines"] = np.zeros(rows_of(records), bool)
    records["nines"][nines] = True
    return records, {"eligibility_unreadable_birth": len(junk), "eligibility_open_as_9999": len(nines)}


def write_eligibility(
    out: Path, records: Table, people: Population, rng: np.random.Generator, dirt: float
) -> tuple[int, Counts]:
    """One CSV per month in which something became known."""
    block = people.block
    known = (rng.random(block.members) < SMOKER_KNOWN, rng.random(block.members) < BMI_KNOWN)
    broken = set(share_of(rng, rows_of(records), share("eligibility_short_line", dirt)).tolist())
    for month in np.unique(records["file"]):
        rows = np.flatnonzero(records["file"] == month)
        stem = f"eligibility_{month_text(block.first_month + int(month))}" + ("_full" if month == 0 else "")
        frame = _frame(take(records, rows), people, known)
        write_csv(
            file_name(out / "member_eligibility", stem, block, "csv"),
            frame,
            [i for i, r in enumerate(rows) if int(r) in broken],
            [],
        )
    return rows_of(records), {"eligibility_short_line": len(broken)}


def _frame(records: Table, people: Population, known: tuple[Array, Array]):
    import polars as pl

    m = records["member"]
    label, adult = people.label[m], people.ages().max(axis=1)[m] >= 19
    elder_or_disabled = records["is_65"] | (records["aid"] == AIDS.index("SSI"))
    term = text.overwrite(
        text.dates(np.where(records["closed"], records["stop"], NO_DAY)),
        np.flatnonzero(records["nines"]),
        ["9999-12-31"],
    )
    died = records["closed"] & records["died"]
    frame = {
        "member_id": text.member_ids(m.astype(np.int64) + people.block.first_member),
        "effective_date": text.birth_dates(records["start"]),
        "term_date": term,
        "birth_date": text.overwrite(
            text.birth_dates(people.birth[m]), np.flatnonzero(records["junk_birth"]), ["00000000"]
        ),
        "gender": _gender(people, m),
        "race": text.codes([s for r in RACES for s in RACE_LABELS[r]], people.race[m] * 4 + label),
        "ethnicity": text.codes([s for group in ETHNICITY_LABELS for s in group], (people.race[m] == 2) * 4 + label),
        **_address(records, people, m),
        "language": text.words(LANGUAGES, people.language[m]),
        "eligibility_category": text.words(AID_CATEGORY, records["aid"]),
        "aid_category": text.words(AIDS, records["aid"]),
        "dual_eligible": text.words(("N", "Y"), people.dual[m] & elder_or_disabled),
        "ltss_indicator": text.words(("N", "Y"), people.ltss[m]),
        "death_date": text.dates(np.where(died, people.death[m], NO_DAY)),
        "smoker": text.words((None, "N", "Y"), np.where(known[0][m] & adult, 1 + people.smoker[m], 0)),
        "bmi": text.overwrite(pl.Series(people.bmi[m]).cast(pl.String), np.flatnonzero(~known[1][m]), [None]),
        "household_id": "H" + text.numbers(people.household[m] + people.block.first_member),
    }
    return pl.DataFrame({name: series.alias(name) for name, series in frame.items()})


def _gender(people: Population, m: Array):
    spelling = np.where(people.pcp_choice[m] * 1009 % 1 < 0.92, 0, np.where(people.pcp_choice[m] * 997 % 1 < 0.9, 1, 3))
    return text.words(GENDERS, spelling * 2 + ~people.female[m])


def _address(records: Table, people: Population, m: Array) -> dict:
    """County and ZIP; a move changes the ZIP, and for a third of members the county."""
    moved = records["moved"]
    county = (people.county[m] + (moved & (people.household[m] % 3 == 0))) % len(COUNTIES)
    digit = (people.zip_digit[m] + 4 * moved) % 9 + 1
    zips = [f"{prefix}{d}{more}" for more in ("", "-1203") for _, prefix, _ in COUNTIES for d in range(10)]
    nine = (people.label[m] == ZIP_PLUS_4) * len(COUNTIES) * 10
    return {
        "zip_code": text.words(zips, county * 10 + digit + nine),
        "county": text.words([c for c, *_ in COUNTIES], county),
    }
