"""The profile `medicaid`: block by block from lives to landing files, in the order in which a claim meets its fate."""

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path

from claims_assets.synthetic import adjustments, dirt
from claims_assets.synthetic.added import with_added
from claims_assets.synthetic.arrays import Table, rows_of, stream
from claims_assets.synthetic.attempts import attempts_of, write_attempts
from claims_assets.synthetic.blocks import Life, facts, live
from claims_assets.synthetic.boosters import booster_doses
from claims_assets.synthetic.contacts import contacts_of, guardians, write_contacts
from claims_assets.synthetic.eligibility import eligibility_records, write_eligibility
from claims_assets.synthetic.fraud import TRUTH_COLUMNS, perpetrators, plant
from claims_assets.synthetic.labels import labels_of, write_labels
from claims_assets.synthetic.manifest import Report
from claims_assets.synthetic.medical_files import write_medical
from claims_assets.synthetic.population import Block
from claims_assets.synthetic.providers import Providers, enlist, provider_rows
from claims_assets.synthetic.vaccines import by_receipt, registry_rows
from claims_assets.synthetic.writers import write_pharmacy, write_registry

LISTING = "providers.csv"
TRUTH = "fraud_truth.csv"
"""Which claims are planted fraud; it goes beside the landing folder, where no feed is read."""
RECEIVED_ON = "received_on: {file_name: '(\\d{4}-\\d{2})'}\n"
DATED_FEEDS = (
    "medical_claims",
    "pharmacy_claims",
    "member_eligibility",
    "immunizations",
    "outreach_contacts",
    "fraud_labels",
)
"""Feeds whose file names tell the month in which they were received."""


def write_landing(
    out: Path, blocks: list[Block], seed: int, scale: float, report: Report, fraud_share: float
) -> Iterator[Block]:
    """Write all blocks, the provider list, the mappings and the truth; yields each block when its files are written."""
    providers = enlist(sum(b.members for b in blocks), seed, scale)
    _write_listing(out / LISTING, provider_rows(providers, blocks[0].first_month))
    for feed in DATED_FEEDS:
        (out / f"{feed}.yaml").write_text(RECEIVED_ON, encoding="utf-8")
    report.rows["providers"] = len(providers.npi)
    report.dirt["bad_npi"] = int((~providers.good_npi).sum())
    report.dirt["undotted_diagnosis"] = int(providers.undotted.sum())
    truth: list[tuple[str, str]] = []
    for block in blocks:
        life = live(block, providers, seed, scale)
        boosters = booster_doses(life.people, life.cover, stream(seed, block.number, "boosters"))
        report.facts.update(facts(life))
        report.facts["doses"] += rows_of(boosters)
        truth += _write_medical(out, life, boosters, providers, seed, scale, report, fraud_share)
        _write_pharmacy(out, life, seed, scale, report)
        _write_people(out, life, boosters, seed, scale, report)
        yield block
    report.facts["planted_frauds"] = len(truth)
    _write_csv(out / TRUTH, TRUTH_COLUMNS, truth)


def _write_medical(
    out: Path,
    life: Life,
    boosters: Table,
    providers: Providers,
    seed: int,
    scale: float,
    report: Report,
    fraud_share: float,
) -> list[tuple[str, str]]:
    """Write the claims of a block and the labels of some; which of them are planted fraud."""
    claims, lines, block = life.claims, life.lines, life.people.block
    rng = stream(seed, block.number, "medical dirt")
    report.dirt["outside_enrolment"] += dirt.outside_enrolment(claims, life.people, life.cover, rng, scale)
    # The same months are late in all blocks: a batch is late as a whole.
    report.dirt["late_file"] = dirt.late_files(claims, block.months, stream(seed, 0, "late files"), scale)
    report.dirt.update(adjustments.settle(claims, lines, providers, rng, scale))
    claims, lines, counts = adjustments.adjust(claims, lines, block, rng, scale)
    report.dirt.update(counts)
    report.dirt.update(dirt.write_styles(claims, providers, rng, scale))
    report.dirt.update(dirt.spoil_lines(claims, lines, rng, scale))
    claims, lines, again = adjustments.duplicates(claims, lines, block, rng, scale)
    report.dirt["duplicate"] += again
    sent = rows_of(claims)
    fraud = stream(seed, block.number, "fraud")
    planted = plant(claims, lines, life, perpetrators(providers, seed), fraud, fraud_share)
    report.facts["original_claims"] += rows_of(planted.claims) - sent
    labels = labels_of(planted.claims, planted.ids, block, stream(seed, block.number, "labels"))
    report.rows["fraud_labels"] += write_labels(out, labels, block)
    claims, lines = with_added(planted.claims, planted.lines, life, boosters, providers, seed)
    report.facts["added_claims"] += rows_of(claims) - rows_of(planted.claims)
    report.rows["medical_claims"] += write_medical(out, claims, lines, block)
    return planted.truth()


def _write_pharmacy(out: Path, life: Life, seed: int, scale: float, report: Report) -> None:
    block = life.people.block
    rng = stream(seed, block.number, "pharmacy dirt")
    fills, counts = adjustments.adjust_fills(life.fills, block, rng, scale)
    report.dirt.update(counts)
    report.dirt.update(dirt.spoil_fills(fills, rng, scale))
    rows, counts = write_pharmacy(out, fills, block, rng, scale)
    report.rows["pharmacy_claims"] += rows
    report.dirt.update(counts)


def _write_people(out: Path, life: Life, boosters: Table, seed: int, scale: float, report: Report) -> None:
    """Eligibility, registry, contacts and attempts to reach members."""
    people, number = life.people, life.people.block.number
    rng = stream(seed, number, "eligibility dirt")
    records, counts = eligibility_records(people, life.cover, rng, scale)
    report.dirt.update(counts)
    rows, counts = write_eligibility(out, records, people, rng, scale)
    report.rows["member_eligibility"] += rows
    report.dirt.update(counts)
    registry: Table = registry_rows(life.doses, people, stream(seed, number, "registry"), scale)
    report.dirt["retro_term"] += life.cover.retro_terms
    report.dirt["registry_not_done"] += int((registry["not_done"] > 0).sum())
    later = registry_rows(boosters, people, stream(seed, number, "booster registry"), 0.0)
    report.rows["immunizations"] += write_registry(out, by_receipt([registry, later]), people.block)
    contacts = contacts_of(people, stream(seed, number, "contacts"))
    report.rows["member_contacts"] += write_contacts(
        out, contacts, people, guardians(people, stream(seed, number, "guardians"))
    )
    attempts = attempts_of(contacts, people.block, stream(seed, number, "attempts"))
    report.rows["outreach_contacts"] += write_attempts(out, attempts, people.block)


def _write_listing(path: Path, rows: list[dict[str, str]]) -> None:
    _write_csv(path, list(rows[0]), (row.values() for row in rows))


def _write_csv(path: Path, names: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(names)
        writer.writerows(rows)
