"""Members, those excluded and those listed by risk factor, without a count of 1 to 10.

One row a group of a factor: risk tier, age, chronic conditions, sex, race, ethnicity. NULL is a hidden count; a zero is
shown. Hidden together with those of the other published tables of the month (`published_counts.py`).
"""

from claims_assets.outreach.extracts import Content, Source, extract_asset
from claims_assets.outreach.immunization_geographic_summary import hidden_share, row_of
from claims_assets.outreach.published_counts import ALL, COUNTY, FACTORS, MEASURES, counts_of


def risk_factor_analysis(source: Source) -> Content:
    """One row a group, those of a factor together; `all` first."""
    import pyarrow as pa

    counts = counts_of(source.rows)
    groups = [(ALL, ALL), *[(factor, g) for factor in FACTORS for g in counts.groups(factor)]]
    rows = [{"risk_factor": f, "risk_group": g, **row_of(counts, f, g)} for f, g in groups]
    measures = [(m, pa.int64()) for m in MEASURES]
    schema = pa.schema(
        [("risk_factor", pa.string()), ("risk_group", pa.string()), *measures, ("listed_share", pa.float64())]
    )
    content = pa.Table.from_pylist([{n: v for n, v in row.items() if n != COUNTY} for row in rows], schema=schema)
    return Content(schema, content.to_batches(), hidden_share(counts, *FACTORS))


immunization_risk_factor_analysis = extract_asset(
    "immunization_risk_factor_analysis",
    "Members, excluded and listed by risk factor and tier; no count of 1 to 10, nor any that tells one.",
    __file__,
    risk_factor_analysis,
    phi="none",
)
