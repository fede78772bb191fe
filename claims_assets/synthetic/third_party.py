"""The profile `third_party`: the same kind of population as a foreign, wide, header-level extract with old codes.

One CSV a year and feed under foreign column names, with the mapping files (`third_party_mappings.py`) that make them
the contract's. Adjustments come under the number of the claim they change. The layout follows publicly known Medicare
research extracts; no value comes from one.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from claims_assets.synthetic import text
from claims_assets.synthetic.adjustments import Counts
from claims_assets.synthetic.arrays import (
    NO_DAY,
    Array,
    Table,
    first_day,
    month_of_day,
    rows_of,
    share_of,
    stream,
    take,
)
from claims_assets.synthetic.blocks import Life, facts, live
from claims_assets.synthetic.codes import CLAIM_TYPES, CONDITIONS, DIAGNOSES, DRGS, PROCEDURES
from claims_assets.synthetic.icd9 import ICD9_DIAGNOSES
from claims_assets.synthetic.manifest import Report
from claims_assets.synthetic.population import COUNTIES, Block
from claims_assets.synthetic.products import DRUGS, VACCINES
from claims_assets.synthetic.providers import Providers, enlist
from claims_assets.synthetic.rates import share
from claims_assets.synthetic.third_party_mappings import MAPPINGS
from claims_assets.synthetic.writers import file_name, write_csv

if TYPE_CHECKING:
    import polars as pl

ICD10_FROM = int(np.datetime64("2015-10-01", "D").astype(int))
DIAGNOSIS_COLUMNS, PROCEDURE_COLUMNS = 8, 6
DIRTY = (
    "third_party_negative",
    "third_party_unknown_bene",
    "third_party_no_thru",
    "third_party_reversal",
    "third_party_reissue",
)
"""Kinds of dirt that hit claims; each claim has one at most."""
DAYS_TO_ADJUST = (14, 200)
"""Fewest and one past the most days between the processing of a claim and of its adjustment."""
CLAIM_TYPE_CODES = {"IP": "60", "OP": "40", "ER": "40", "PROF": "71", "LTC": "20", "DENTAL": "71"}
RACE_CODES = ("1", "2", "5", "3", "3", "3", "3", "3")
"""White, Black, Hispanic; all others are 3. By position in `population.RACES`."""
SCRAMBLE = np.uint64(0x9E3779B97F4A7C15)
"""Odd, so that multiplying by it maps distinct numbers to distinct 64-bit numbers."""


def write_extract(out: Path, blocks: list[Block], seed: int, scale: float, report: Report) -> Iterator[Block]:
    """Write all blocks and the mappings; yields each block when its files are written."""
    providers = enlist(sum(b.members for b in blocks), seed, 0.0)
    ids, report.dirt["third_party_npi"] = _provider_numbers(providers, seed, scale)
    for feed, mapping in MAPPINGS.items():
        (out / f"{feed}.yaml").write_text(mapping, encoding="utf-8")
    for block in blocks:
        life = live(block, providers, seed, 0.0)
        report.facts.update(facts(life))
        rows, counts = _claims(out, life, ids, stream(seed, block.number, "third party"), scale)
        report.dirt.update(counts)
        report.rows.update(
            medical_claims=rows, pharmacy_claims=_events(out, life), member_eligibility=_summaries(out, life)
        )
        yield block


def _provider_numbers(providers: Providers, seed: int, dirt: float) -> tuple[list[str], int]:
    """The physician number of each provider: an NPI with a wrong check digit but for a few."""
    rng = np.random.default_rng([seed, *b"third party npi"])
    wrong = share_of(rng, len(providers.npi), share("third_party_npi", dirt))
    numbers = list(providers.npi)
    for i in wrong.tolist():
        numbers[i] = numbers[i][:-1] + str((int(numbers[i][-1]) + 1 + i % 8) % 10)
    return numbers, len(wrong)


def beneficiary_ids(numbers: Array) -> "pl.Series":
    """Sixteen hexadecimal digits for each member number."""
    distinct, index = np.unique(numbers, return_inverse=True)
    return text.words([f"{int(x):016X}" for x in distinct.astype(np.uint64) * SCRAMBLE], index)


def compact_dates(days: Array) -> "pl.Series":
    """Dates as YYYYMMDD; NULL where not given."""
    return text.dates(days).str.replace_all("-", "")


def _yearly(year: Array) -> list[tuple[int, Array]]:
    return [(int(y), np.flatnonzero(year == y)) for y in np.unique(year)]


def _claims(out: Path, life: Life, ids: list[str], rng: np.random.Generator, dirt: float) -> tuple[int, Counter[str]]:
    """Header-level claims: one row a claim, no charges."""
    claims, lines, block = life.claims, life.lines, life.people.block
    n = rows_of(claims)
    claims["paid"] = np.bincount(lines["claim"], weights=lines["paid"], minlength=n).astype(np.int64)
    claims["proc"] = np.zeros((n, PROCEDURE_COLUMNS), np.int16)
    shown = lines["line"] <= PROCEDURE_COLUMNS
    claims["proc"][lines["claim"][shown], lines["line"][shown] - 1] = lines["proc"][shown]
    order = rng.permutation(np.flatnonzero(claims["paid"] > 0))
    sizes = [round(share(kind, dirt) * n) for kind in DIRTY]
    negative, unknown, no_thru, taken_back, reissued = np.split(order, np.cumsum(sizes))[: len(DIRTY)]
    claims["paid"][negative] *= -1
    claims["number"] = claims["member"].astype(np.int64) + block.first_member
    claims["number"][unknown] += text.UNKNOWN_MEMBERS_FROM
    claims["to_day"][no_thru] = NO_DAY
    claims, counts = _with_adjustments(claims, taken_back, reissued, block, rng)
    written = [
        _claim_file(out, year, take(claims, rows), ids, block) for year, rows in _yearly(_year(claims["from_day"]))
    ]
    hits = {"third_party_negative": negative, "third_party_unknown_bene": unknown, "third_party_no_thru": no_thru}
    return sum(written), Counter(counts | {kind: len(claim) for kind, claim in hits.items()})


def _with_adjustments(
    claims: Table, taken_back: Array, reissued: Array, block: Block, rng: np.random.Generator
) -> tuple[Table, Counts]:
    """Adds adjustments under the old number, as far as they are processed within the window.

    Both kinds are sent again with the payment negated, those of `reissued` a third time with what is paid instead.
    """
    adjusted = np.concatenate([taken_back, reissued])
    is_reissued = np.arange(len(adjusted)) >= len(taken_back)
    day = claims["claim_day"][adjusted] + rng.integers(*DAYS_TO_ADJUST, len(adjusted))
    inside = month_of_day(day) <= block.last_month
    again, also = inside, inside & is_reissued
    negated, corrected = take(claims, adjusted[again]), take(claims, adjusted[also])
    negated["claim_day"], corrected["claim_day"] = day[again], day[also]
    negated["paid"] = -negated["paid"]
    corrected["paid"] = np.rint(corrected["paid"] * rng.choice((0.5, 0.8, 1.25), rows_of(corrected))).astype(np.int64)
    every = {name: np.concatenate([claims[name], negated[name], corrected[name]]) for name in claims}
    counts = {"third_party_reversal": int((inside & ~is_reissued).sum()), "third_party_reissue": int(also.sum())}
    return every, counts


def _year(days: Array) -> Array:
    return month_of_day(days) // 12


def _claim_file(out: Path, year: int, c: Table, ids: list[str], block: Block) -> int:
    import polars as pl

    old = c["from_day"] < ICD10_FROM
    flat = [*(d.replace(".", "") for d in DIAGNOSES), *ICD9_DIAGNOSES]
    shift = np.where(old, len(DIAGNOSES), 0)
    frame = {
        "BENE_ID": beneficiary_ids(c["number"]),
        "CLM_ID": text.claim_ids(c["id"] + 542_000_000_000),
        "NCH_CLM_TYPE_CD": text.words([CLAIM_TYPE_CODES[t] for t in CLAIM_TYPES], c["type"]),
        "CLM_FROM_DT": compact_dates(c["from_day"]),
        "CLM_THRU_DT": compact_dates(c["to_day"]),
        "NCH_WKLY_PROC_DT": compact_dates(c["claim_day"]),
        "CLM_ADMSN_DT": compact_dates(c["admit"]),
        "NCH_BENE_DSCHRG_DT": compact_dates(c["discharge"]),
        "CLM_PMT_AMT": text.amounts(c["paid"]),
        "AT_PHYSN_NPI": text.words(ids, c["provider"]),
        "CLM_DRG_CD": text.codes(DRGS, c["drg"]),
        **{f"ICD9_DGNS_CD_{k + 1}": text.codes(flat, c["dx"][:, k] + shift) for k in range(DIAGNOSIS_COLUMNS)},
        **{f"HCPCS_CD_{k + 1}": text.codes(PROCEDURES, c["proc"][:, k]) for k in range(PROCEDURE_COLUMNS)},
    }
    table = pl.DataFrame({name: series.alias(name) for name, series in frame.items()})
    write_csv(file_name(out / "medical_claims", f"claims_{year}", block, "csv"), table, [], [])
    return table.height


def _events(out: Path, life: Life) -> int:
    """Prescription drug events."""
    import polars as pl

    products = [d.ndc for d in DRUGS] + [v.ndc for v in VACCINES]
    for year, rows in _yearly(_year(life.fills["day"])):
        f = take(life.fills, rows)
        frame = {
            "BENE_ID": beneficiary_ids(f["member"].astype(np.int64) + life.people.block.first_member),
            "PDE_ID": text.claim_ids(f["id"] + 83_000_000_000),
            "SRVC_DT": compact_dates(f["day"]),
            "PROD_SRVC_ID": text.words(products, f["drug"]),
            "QTY_DSPNSD_NUM": text.numbers(f["quantity"]) + ".000",
            "DAYS_SUPLY_NUM": text.numbers(f["days"]),
            "PTNT_PAY_AMT": text.amounts(f["copay"]),
            "TOT_RX_CST_AMT": text.amounts(f["allowed"]),
        }
        table = pl.DataFrame({name: series.alias(name) for name, series in frame.items()})
        write_csv(file_name(out / "pharmacy_claims", f"drug_events_{year}", life.people.block, "csv"), table, [], [])
    return rows_of(life.fills)


def _summaries(out: Path, life: Life) -> int:
    """One row a beneficiary and year with coverage."""
    block, cover = life.people.block, life.cover
    month = np.arange(block.first_month, block.first_month + block.months)
    written = 0
    for year, columns in _yearly(month // 12):
        covered = cover.covered[:, columns]
        member = np.flatnonzero(covered.any(axis=1))
        first = columns[covered[member].argmax(axis=1)]
        last = columns[covered.shape[1] - 1 - covered[member][:, ::-1].argmax(axis=1)]
        begin = first_day(block.first_month + first) + cover.first[member, first] - 1
        end = first_day(block.first_month + last) + cover.last[member, last] - 1
        written += _summary_file(out, year, life, member, begin, end)
    return written


def _summary_file(out: Path, year: int, life: Life, member: Array, begin: Array, end: Array) -> int:
    import polars as pl

    people, block = life.people, life.people.block
    died = (people.death[member] != NO_DAY) & (_year(people.death[member]) == year)
    held = life.ill.onset[member] <= (year + 1) * 12 - 1 - block.first_month
    frame = {
        "BENE_ID": beneficiary_ids(member + block.first_member),
        "BENE_ENROLLMT_REF_YR": text.numbers(np.full(len(member), year)),
        "CVRG_BGN_DT": compact_dates(begin),
        "CVRG_END_DT": compact_dates(end),
        "BENE_BIRTH_DT": text.birth_dates(people.birth[member]).str.replace_all("-", ""),
        "BENE_DEATH_DT": compact_dates(np.where(died, people.death[member], NO_DAY)),
        "BENE_SEX_IDENT_CD": text.words(("1", "2"), people.female[member]),
        "BENE_RACE_CD": text.words(RACE_CODES, people.race[member]),
        "BENE_COUNTY_CD": text.words([f"{10 * (i + 1):03d}" for i in range(len(COUNTIES))], people.county[member]),
        "BENE_ESRD_IND": text.words(("0", "Y"), held[:, CONDITIONS.index("ckd")] & (life.ill.severity[member] > 2.0)),
    }
    table = pl.DataFrame({name: series.alias(name) for name, series in frame.items()})
    write_csv(file_name(out / "member_eligibility", f"beneficiary_summary_{year}", block, "csv"), table, [], [])
    return table.height
