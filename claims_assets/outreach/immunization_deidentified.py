"""Members of one month without what identifies them, for analysis: Safe Harbor, and at least eleven rows of each kind.

A list of allowed columns (COLUMNS): whatever the targeting gets in addition stays out. Each row is one member; what is
told of it becomes coarser until enough other rows look the same (`safe_harbor.py`), and no row tells what the published
tables of the month hide (`published_counts.py`). The order is that of the pseudonyms. What Safe Harbor asks, how the
pseudonyms stand to it, and what was measured: docs/extracts.md.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from claims_assets.outreach.extracts import Content, Source, extract_asset
from claims_assets.outreach.published_counts import (
    ALL,
    COUNTY,
    EXCLUDED,
    LISTED,
    STANDING,
    TIER_MEASURES,
    TIER_NAMES,
    UNKNOWN,
    PublishedCounts,
    counts_of,
    group,
)
from claims_assets.outreach.safe_harbor import (
    LEAST_ALIKE,
    NO_AREA,
    NOT_SHOWN,
    Coarser,
    Row,
    age_group,
    area,
    coarse_age_group,
    coarsened,
    pseudonym,
)

if TYPE_CHECKING:
    import pyarrow as pa

OF_A_ROW = {
    "zip3": COUNTY,
    "age_group": "age_group",
    "gender": "gender",
    "race": "race",
    "ethnicity": "ethnicity",
    "risk_tier": "risk_tier",
    "chronic_conditions": "chronic_conditions",
    "vaccines_to_offer": None,
    "disposition": None,
    "outreach_tier": None,
    "exclusion_reason": None,
}
"""What is told of a member -> the dimension of the published tables by which it would tell a hidden count."""
COLUMNS = ("member_pseudonym", "year", *OF_A_ROW)
NAMES = tuple(OF_A_ROW)
MOST_VACCINES = 3
_PLACE = {name: i for i, name in enumerate(NAMES)}
_DIMENSIONS = tuple(d for d in OF_A_ROW.values() if d)
_KIND = {
    "zip_start": "substr(zip_code, 1, 3)",
    "age": "least(age, 90)",
    "standing": STANDING,
    "exclusion_reason": "exclusion_reason",
    "vaccines": f"least(len(list_distinct(list_concat(vaccines_due, vaccines_no_evidence))), {MOST_VACCINES})",
    **{f"of_{d}": group(d) for d in _DIMENSIONS},
}
"""All of a member that decides what is told (SQL): it is decided once for members who are alike in it."""


def _without(*names: str) -> Coarser:
    """The step that no longer tells these."""
    blank = {_PLACE[n]: NO_AREA if n == "zip3" else NOT_SHOWN for n in names}
    return lambda row: tuple(blank.get(i, value) for i, value in enumerate(row))


def _wider_age(row: Row) -> Row:
    return tuple(coarse_age_group(v) if i == _PLACE["age_group"] else v for i, v in enumerate(row))


_FIRST = ("zip3", "race", "ethnicity")
_SECOND = (*_FIRST, "vaccines_to_offer", "chronic_conditions")
_THIRD = (*_SECOND, "exclusion_reason", "gender")
LADDER: tuple[Coarser, ...] = (
    _without("zip3"),
    _without(*_FIRST),
    _without(*_SECOND),
    lambda row: _wider_age(_without(*_SECOND)(row)),
    lambda row: _wider_age(_without(*_THIRD)(row)),
    _without(*_THIRD, "age_group", "risk_tier"),
    _without(*NAMES),
)
"""From what analysts of an outreach program miss least to what they miss most; the standing is told to the last."""


def deidentified(source: Source) -> Content:
    """One row a member, in the order of the pseudonyms; none where the month has too few members to hide among."""
    key, counts = source.folder.key(), counts_of(source.rows)
    members = source.rows.counts(list(_KIND.values()))
    told = {kind: told_of(dict(zip(_KIND, kind, strict=True)), counts) for kind in members}
    rows: Counter[Row] = Counter()
    for kind, n in members.items():
        rows[told[kind]] += n
    looks = coarsened(rows, LADDER) if rows.total() >= LEAST_ALIKE else {}
    path = source.rows.spill / "rows.parquet"
    _write_unsorted(path, source, {kind: looks[row] for kind, row in told.items() if looks}, key)
    schema, batches = source.rows.batches(f"select * from read_parquet('{path}') order by member_pseudonym")
    return Content(schema, batches, _about(rows, looks))


def told_of(member: Mapping[str, Any], counts: PublishedCounts) -> Row:
    """What Safe Harbor lets be told of a member, but for what would tell a hidden count."""
    standing = member["standing"]
    if (ALL, ALL, standing) in counts.hidden:
        return _without(*NAMES)(tuple(NOT_SHOWN for _ in NAMES))
    is_listed = standing in TIER_MEASURES
    told = {
        "zip3": area(member["zip_start"]),
        "age_group": age_group(member["age"]),
        **{n: member[f"of_{d}"] for n, d in OF_A_ROW.items() if d and n not in ("zip3", "age_group")},
        "vaccines_to_offer": str(member["vaccines"])
        if member["vaccines"] < MOST_VACCINES
        else f"{MOST_VACCINES} or more",
        "disposition": LISTED if is_listed else EXCLUDED,
        "outreach_tier": TIER_NAMES[TIER_MEASURES.index(standing)] if is_listed else "",
        "exclusion_reason": member["exclusion_reason"] or "",
    }
    hidden = [n for n, d in OF_A_ROW.items() if d and (d, member[f"of_{d}"], standing) in counts.hidden]
    return _without(*hidden)(tuple(told[n] or UNKNOWN if n in _DIMENSIONS else told[n] for n in NAMES))


def _write_unsorted(path: Path, source: Source, looks: Mapping[tuple, Row], key: bytes) -> None:
    """The rows as they are shown, to be sorted on disk."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([(n, pa.int64() if n == "year" else pa.string()) for n in COLUMNS])
    year = int(source.rows.month[:4])
    with pq.ParquetWriter(path, schema) as writer:
        for batch in _shown(source, looks):
            codes = [pseudonym(key, source.rows.month, m) for m in batch.column(0).to_pylist()]
            told = [pa.array(codes), pa.array([year] * len(codes), pa.int64()), *batch.columns[1:]]
            writer.write_table(pa.table(told, schema=schema))


def _shown(source: Source, looks: Mapping[tuple, Row]) -> "Iterator[pa.RecordBatch]":
    """Member id and what is told of the member; nothing where nothing is told of anybody."""
    import pyarrow as pa

    if not looks:
        return iter(())
    kinds, shown = zip(*looks.items(), strict=True)
    names = [*[f"kind_{n}" for n in _KIND], *NAMES]
    columns = [pa.array(c) for c in (*zip(*kinds, strict=True), *zip(*shown, strict=True))]
    source.rows.connection.register("looks", pa.table(columns, names=names))
    kind = ", ".join(f"{sql} as own_{n}" for n, sql in _KIND.items())
    same = " and ".join(f"own_{n} is not distinct from kind_{n}" for n in _KIND)
    query = f"select member_id, {', '.join(NAMES)} from (select member_id, {kind} from members) join looks on {same}"
    return source.rows.batches(query)[1]


def _about(rows: Counter[Row], looks: Mapping[Row, Row]) -> dict[str, Any]:
    """How alike the rows are, and how much of each column is told."""
    sizes: Counter[Row] = Counter()
    for row, n in rows.items():
        if row in looks:
            sizes[looks[row]] += n
    total = sizes.total()
    blank = (NOT_SHOWN, NO_AREA)
    shares = {
        f"share_telling_{name}": round(sum(n for look, n in sizes.items() if look[i] not in blank) / total, 4)
        for i, name in enumerate(NAMES)
        if total
    }
    return {"rows_alike_at_least": min(sizes.values(), default=0), "kinds_of_rows": len(sizes), **shares}


immunization_deidentified = extract_asset(
    "immunization_deidentified",
    "Members of a month for analysis: Safe Harbor, keyed pseudonyms, at least eleven rows of each kind.",
    __file__,
    deidentified,
    phi="limited",
)
