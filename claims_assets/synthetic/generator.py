"""The one public call: checks its arguments, writes all blocks to a staging folder, then puts the files in place."""

import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, get_args

from claims_assets.synthetic import manifest
from claims_assets.synthetic.arrays import month_number
from claims_assets.synthetic.fraud import SHARE
from claims_assets.synthetic.landing import LISTING, TRUTH, write_landing
from claims_assets.synthetic.manifest import STAGING, Report, Summary, SyntheticError
from claims_assets.synthetic.population import Block
from claims_assets.synthetic.third_party import write_extract

Profile = Literal["medicaid", "third_party"]
MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")
BLOCK_MEMBERS = 10_000
"""Members simulated at once; memory is bounded by one block."""
LEAST = {"members": 10, "months": 1, "seed": 0, "dirt": 0.0, "fraud_share": 0.0}
"""Smallest usable value of each number."""


@dataclass(frozen=True)
class Request:
    """The arguments that decide what is written."""

    members: int
    months: int
    end: str
    seed: int
    profile: str
    dirt: float
    fraud_share: float

    def check(self) -> None:
        """Raise SyntheticError for the first argument that can't be used."""
        if not MONTH.fullmatch(self.end):
            raise SyntheticError(f"end={self.end!r} is not a month: write it as YYYY-MM, for example 2024-12.")
        if self.profile not in get_args(Profile):
            raise SyntheticError(f"profile={self.profile!r} is not one of {', '.join(get_args(Profile))}.")
        for name, least in LEAST.items():
            if getattr(self, name) < least:
                raise SyntheticError(f"{name}={getattr(self, name)} is too small: it must be at least {least}.")

    def blocks(self) -> list[Block]:
        """The population cut into blocks of at most BLOCK_MEMBERS; the first member is number 1."""
        first = month_number(self.end) - self.months + 1
        starts = range(0, self.members, BLOCK_MEMBERS)
        return [Block(i, s + 1, min(BLOCK_MEMBERS, self.members - s), first, self.months) for i, s in enumerate(starts)]


def generate(
    out: Path,
    *,
    end: str,
    members: int = 5000,
    months: int = 48,
    seed: int = 7,
    profile: Profile = "medicaid",
    dirt: float = 1.0,
    fraud_share: float = SHARE,
    providers_csv: Path | None = None,
    progress: Callable[[str], None] | None = None,
) -> Summary:
    """Write landing files of a synthetic population into `out`; the same arguments give the same bytes.

    Args:
        out: landing folder; feeds become its sub-folders.
        end: last claim month, 'YYYY-MM'; nothing is received after it.
        members: size of the population.
        months: months of claims, ending with `end`.
        dirt: scale of all rates in rates.py; 0.0 writes clean files.
        fraud_share: planted frauds over original medical claims (profile medicaid only); 0.0 plants none.
            Which claims they are is in `<out>_fraud_truth.csv` beside `out`.
        providers_csv: where the provider list goes (default: `providers.csv` beside `out`; profile medicaid only).
        progress: gets one sentence per block of members.

    Raises:
        SyntheticError: an argument is unusable, or `out` holds files that the generator did not write.
    """
    request = Request(members, months, end, seed, profile, float(dirt), float(fraud_share))
    request.check()
    out = Path(out)
    listing = (Path(providers_csv) if providers_csv else out.parent / LISTING) if profile == "medicaid" else None
    arguments = asdict(request) | {
        "providers_csv": manifest.relative(out, listing) if listing else None,
        "generator_version": manifest.VERSION,
    }
    held = manifest.read(out)
    if held and held.arguments == arguments and manifest.is_intact(out, held):
        return held
    beside = {LISTING: listing, TRUTH: out.with_name(f"{out.name}_{TRUTH}")} if listing else {}
    manifest.refuse_foreign_files(out, held, beside.values())
    staging = out / STAGING
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    report = _write(staging, request, progress or (lambda _: None))
    return _put_in_place(out, staging, beside, held, arguments, report)


def _write(staging: Path, request: Request, progress: Callable[[str], None]) -> Report:
    """Write all files of a request to the staging folder."""
    report = Report()
    blocks, seed, dirt = request.blocks(), request.seed, request.dirt
    if request.profile == "third_party":
        written = write_extract(staging, blocks, seed, dirt, report)
    else:
        written = write_landing(staging, blocks, seed, dirt, report, request.fraud_share)
    for block in written:
        progress(f"Wrote members {block.first_member} to {block.first_member + block.members - 1}.")
    return report


def _put_in_place(
    out: Path,
    staging: Path,
    beside: Mapping[str, Path],
    held: Summary | None,
    arguments: dict[str, object],
    report: Report,
) -> Summary:
    """Replace the generator's own old files. The manifest goes first, so that the next call notices a broken move."""
    made = sorted(p for p in staging.rglob("*") if p.is_file())
    names = {p: p.relative_to(staging).as_posix() for p in made}
    target = {p: beside.get(name, out / name) for p, name in names.items()}
    files = {manifest.relative(out, place): manifest.digest(p) for p, place in target.items()}
    summary = Summary(arguments, dict(report.rows), report.in_order(), dict(report.facts), files)
    if held:
        manifest.remove_own_files(out, held)
    manifest.write(out, summary)
    for source, place in target.items():
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(source, place)
    shutil.rmtree(staging)
    return summary
