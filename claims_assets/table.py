"""One declaration per table: `@table` makes a Dagster asset of a pure transform.

The transform takes DataFrames and returns one. Everything else follows from its folder, its name and its contract:
a parameter `<schema>_<table>` is a dependency on that table, read for the asked claim months unless its annotation says
`LastYear`, `Whole` or `Spans` (`inputs.py`); a parameter `months` is the list of asked months. The decorated object is
still the function. Elsewhere: which months of its inputs a step reads, and how many at once (`reading.py`); which
months are stale (`staleness.py`).
"""

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, get_args, get_type_hints

import dagster as dg
from pyspark.sql import DataFrame

from claims_assets.automation import breaker, closed_months
from claims_assets.code_links import link_to_function
from claims_assets.contracts import Contract, compiled
from claims_assets.freshness import policy
from claims_assets.inputs import (
    Input,
    LastYear,
    LastYearAsKnown,
    Spans,
    ThisMonth,
    Whole,
    WholeAsKnown,
    Window,
)
from claims_assets.layers import LAKE_POOL, LAYERS, SCHEMAS, Cadence, Layer
from claims_assets.monitoring import built_months
from claims_assets.monitoring.built_months import Known, Span
from claims_assets.monitoring.quality import score_of
from claims_assets.monitoring.results import check_results, check_specs, publish
from claims_assets.partitions import MONTH, claim_months
from claims_assets.reading import chunks, reach, refuse_gaps, rows_expected
from claims_assets.runtime.column_lineage import as_metadata, lineage
from claims_assets.runtime.delta import read_arrow
from claims_assets.runtime.lake import Lake
from claims_assets.runtime.memory import told
from claims_assets.runtime.stage import Findings
from claims_assets.staleness import Contents

__all__ = [
    "Input",
    "Known",
    "LastYear",
    "LastYearAsKnown",
    "Spans",
    "Table",
    "ThisMonth",
    "Whole",
    "WholeAsKnown",
    "Window",
    "table",
]

Picture = Callable[[str, Iterable[Mapping[str, Any]]], str]
"""Claim month and its rows -> Markdown with a small picture."""
QUARANTINE_LIMIT = 0.5
"""Share of rows breaking the contract that stops a commit: above it the feed changed, not the rows."""


@dataclass(frozen=True)
class Table:
    """A declared table: still its plain function, `.asset` is its Dagster face. The fields are arguments of `table`."""

    function: Callable[..., DataFrame]
    contract: type[Contract]
    layer: Layer
    inputs: tuple[Input, ...]
    partitioned: bool
    keeps_rows_of: tuple[str, ...]
    phi: str
    domain: str
    quarantine_limit: float
    deps: tuple[dg.AssetKey, ...]
    resources: tuple[str, ...]
    span: Span | None
    ends_told_by: tuple[str, ...]
    known: Known | None
    picture: Picture | None
    picture_of: tuple[str, ...]
    picture_months: int
    code_version: str | None
    freshness: Cadence

    @property
    def schema(self) -> str:
        return self.layer.schema

    @property
    def name(self) -> str:
        return self.function.__name__

    @property
    def full_name(self) -> str:
        return f"{self.schema}.{self.name}"

    @cached_property
    def asset(self) -> dg.AssetsDefinition:
        return _asset(self)

    def __call__(self, *args: Any, **kwargs: Any) -> DataFrame:
        return self.function(*args, **kwargs)


def table(
    contract: type[Contract],
    *,
    partitioned: bool = True,
    keeps_rows_of: Sequence[str] = (),
    phi: str = "identified",
    domain: str = "claims",
    quarantine_limit: float = QUARANTINE_LIMIT,
    deps: Sequence[dg.AssetKey] = (),
    resources: Sequence[str] = (),
    span: Span | None = None,
    ends_told_by: Sequence[str] = (),
    known: Known | None = None,
    picture: Picture | None = None,
    picture_of: Sequence[str] = (),
    picture_months: int = 1,
    code_version: str | None = None,
    freshness: Cadence | None = None,
) -> Callable[[Callable[..., DataFrame]], Table]:
    """Declare the decorated transform as the table `<schema of its folder>.<its name>`.

    Args:
        contract: columns, grain and rules of the result.
        partitioned: one partition a claim month; else one unpartitioned snapshot.
        keeps_rows_of: inputs whose every row must come out, kept or quarantined; counted and enforced.
        phi: identified, limited or none; a tag.
        domain: claims, members, providers, risk or outreach; a tag.
        quarantine_limit: share of rows breaking the contract above which nothing is committed.
        deps: assets that the table needs but does not read from the lake.
        resources: resource keys that the transform takes as parameters of the same names.
        span: of an unpartitioned table whose rows speak of claim months: the columns of the first and the last one.
        ends_told_by: columns that say the same as the last of the span.
        known: when its rows became known, of a table that others read as it was known.
        picture: draws the newest month that was built, for its metadata.
        picture_of: the columns that it reads; none: all, of a table small enough for it.
        picture_months: how many months up to that one it is given.
        code_version: changes when all that was built must be built again, for example with a list that is shipped.
        freshness: how old the last build may be; None: as usual in its layer.
    """

    def declare(function: Callable[..., DataFrame]) -> Table:
        layer = LAYERS[function.__module__.split(".")[1]]
        return Table(
            function=function,
            contract=contract,
            layer=layer,
            inputs=_inputs(function),
            partitioned=partitioned,
            keeps_rows_of=tuple(keeps_rows_of),
            phi=phi,
            domain=domain,
            quarantine_limit=quarantine_limit,
            deps=tuple(deps),
            resources=tuple(resources),
            span=span,
            ends_told_by=tuple(ends_told_by),
            known=known,
            picture=picture,
            picture_of=tuple(picture_of),
            picture_months=picture_months,
            code_version=code_version,
            freshness=freshness or layer.cadence,
        )

    return declare


def _inputs(function: Callable[..., DataFrame]) -> tuple[Input, ...]:
    hints = get_type_hints(function, include_extras=True)
    found = []
    for parameter in inspect.signature(function).parameters:
        schema, _, name = parameter.partition("_")
        if schema in SCHEMAS:
            windows = [x for x in get_args(hints.get(parameter)) if isinstance(x, Window)]
            found.append(Input(parameter, schema, name, windows[0] if windows else ThisMonth))
    return tuple(found)


def _asset(table: Table) -> dg.AssetsDefinition:
    """The Dagster asset of a table: read the inputs, call the transform, write, report."""
    key, layer, inputs = dg.AssetKey([table.schema, table.name]), table.layer, table.inputs
    contract = compiled(table.contract)
    about = (inspect.getdoc(table.contract), inspect.getdoc(table.function), f"Grain: {', '.join(contract.grain)}.")

    @dg.asset(
        key=key,
        group_name=layer.folder,
        description="\n\n".join(text or "" for text in about),
        deps=[dg.AssetDep(i.key, partition_mapping=_mapping(i.window, table.partitioned)) for i in inputs]
        + list(table.deps),
        partitions_def=claim_months if table.partitioned else None,
        backfill_policy=dg.BackfillPolicy.single_run() if table.partitioned else None,
        code_version=table.code_version,
        check_specs=check_specs(key),
        freshness_policy=policy(table.freshness),
        metadata={"dagster/column_schema": contract.column_schema(), "dagster/table_name": table.full_name}
        | link_to_function(table.function),
        owners=[layer.owner],
        tags={"phi": table.phi, "domain": table.domain, "compute": layer.compute},
        kinds={"pyspark", "deltalake"},
        required_resource_keys={"spark", "lake", layer.launcher, *table.resources},
        pool=LAKE_POOL,
    )
    def step(context: dg.AssetExecutionContext) -> Iterator[Any]:
        if elsewhere := getattr(context.resources, layer.launcher):
            yield from elsewhere.run(context)
            return
        months = sorted(context.partition_keys) if table.partitioned else None
        refuse_gaps(context.resources.lake, table.full_name, inputs, months)
        closed_months.guard(context.resources.lake, context.run, table.schema, table.name, months)
        breaker.guard(context.resources.lake, context.run, table.full_name, inputs, months)
        findings, shown = Findings(), {}
        with told(table.full_name):
            for chunk in chunks(context.resources.lake, inputs, months, (table.schema, table.name)):
                found, made_of = _build(table, chunk, context.resources)
                findings.merge(found)
                shown |= made_of
                if findings.blocked:
                    break
        if table.picture and months and not findings.blocked:
            shown |= _drawn(table, context.resources.lake, months[-1])
        yield from report(context, table, findings, shown)

    return step


def _drawn(table: Table, lake: Lake, month: str) -> dict[str, dg.MetadataValue]:
    months = Window(table.picture_months).reach([month]) or []
    columns = list(table.picture_of or compiled(table.contract).columns)
    found = read_arrow(lake.path(table.schema, table.name), columns, where=[(MONTH, "in", months)])
    rows = (row for batch in found.to_batches() for row in batch.to_pylist())
    return {"picture": dg.MetadataValue.md(table.picture(month, rows) if table.picture else "")}


def _build(table: Table, months: list[str] | None, resources: Any) -> tuple[Findings, dict[str, Any]]:
    """Read, transform and write some months, and record what was found and from which contents it was built.

    Returns:
        What was found, and metadata: of which columns each column is made.
    """
    lake, spark = resources.lake, resources.spark.spark_session
    read = Contents(lake).read_for(table.inputs, months, table.code_version)
    arguments = {"months": months} | {r: getattr(resources, r) for r in table.resources}
    arguments |= {i.parameter: lake.read(spark, i.schema, i.name, reach(lake, i, months)) for i in table.inputs}
    wanted = inspect.signature(table.function).parameters
    frame = table.function(**{p: arguments[p] for p in wanted})
    found = lake.write(
        frame,
        table.schema,
        table.name,
        table.contract,
        months,
        rows_expected=rows_expected(lake, table.inputs, table.keeps_rows_of, months),
        quarantine_limit=table.quarantine_limit,
    )
    publish(lake, table.full_name, compiled(table.contract), months, found)
    if not found.blocked:
        built_months.publish(lake, table.schema, table.name, found, read, table.span, table.known, table.ends_told_by)
    return found, as_metadata(lineage(frame, compiled(table.contract).columns))


def report(context: dg.AssetExecutionContext, table: Table, findings: Findings, shown: dict[str, Any]) -> Iterator[Any]:
    """Per-month metadata and the checks; a blocked write reports its checks and fails, so no month counts as built.

    Args:
        shown: metadata of the whole run; it goes where the UI looks, to the latest of the months.
    """
    contract, key = compiled(table.contract), table.asset.key
    results = check_results(contract, findings)
    if findings.blocked:
        yield from results
        raise dg.Failure(description=" ".join([*findings.blocked, "The months written before stay as they were."]))
    if table.partitioned:  # the run may have months while the table has none
        scores = score_of(findings, contract)
        for month, rows in findings.kept.items():
            context.add_asset_metadata(
                {
                    "dagster/partition_row_count": rows,
                    "rows_in": findings.rows_of(month),
                    "rows_quarantined": findings.quarantined.get(month, 0),
                    "fingerprint": findings.fingerprint[month],
                    "quality_score": scores[month].score,
                },
                asset_key=key,
                partition_key=month,
            )
        context.add_asset_metadata(shown, asset_key=key, partition_key=max(findings.kept, default=None))
        metadata, version = {}, None
    else:
        metadata = shown | {
            "dagster/row_count": findings.rows_kept,
            "rows_in": findings.rows_in,
            "rows_quarantined": findings.rows_quarantined,
            "fingerprint": next(iter(findings.fingerprint.values())),
        }
        # The same content again makes nothing after it stale in the UI; a run of several months can't say so of each.
        version = dg.DataVersion(metadata["fingerprint"])
    context.log.info(f"{findings.rows_in} rows in, {findings.rows_kept} kept, {findings.rows_quarantined} quarantined")
    yield dg.MaterializeResult(metadata=metadata, check_results=results, data_version=version)


def _mapping(window: Window, partitioned: bool) -> dg.PartitionMapping | None:
    """Which upstream months a month needs; None where either side has no months (Dagster's default is right there)."""
    if not partitioned or window.months is None or window.by_span:
        return None
    first = (1 - window.months) * window.step - window.lag
    return dg.TimeWindowPartitionMapping(start_offset=first, end_offset=-window.lag)
