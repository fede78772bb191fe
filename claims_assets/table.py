"""One declaration per table: `@table` makes a Dagster asset of a pure transform.

The transform takes DataFrames and returns one. Everything else follows from its folder, its name and its contract:
a parameter `<schema>_<table>` is a dependency on that table, read for the asked claim months unless its annotation says
`LastYear` or `Whole`; a parameter `months` is the list of asked months. The decorated object is still the function.
"""

import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, get_args, get_type_hints

import dagster as dg
from pyspark.sql import DataFrame

from claims_assets.contracts import Contract, compiled
from claims_assets.layers import LAYERS, SCHEMAS, Layer
from claims_assets.monitoring.contract_results import built_months, publish
from claims_assets.monitoring.results import check_results, check_specs
from claims_assets.partitions import add_months, claim_months
from claims_assets.runtime.lake import Lake
from claims_assets.runtime.stage import Findings
from claims_assets.sources.feeds import FEEDS, LANDING

ROWS_PER_CHUNK = 1_000_000
"""Input rows of one commit; a range of months above it is split, so that memory stays bounded (about 1.5 GB each)."""
QUARANTINE_LIMIT = 0.5
"""Share of rows breaking the contract that stops a commit: above it the feed changed, not the rows."""


@dataclass(frozen=True)
class Window:
    """How far back an input reaches: the last `months` claim months up to each asked one; None: all of the table."""

    months: int | None


ThisMonth = Window(1)
LastYear = Annotated[DataFrame, Window(12)]
"""An input read for the twelve claim months up to each asked one."""
Whole = Annotated[DataFrame, Window(None)]
"""An input read whole."""


@dataclass(frozen=True)
class Input:
    """One dependency of a table."""

    parameter: str
    schema: str
    name: str
    window: Window

    @property
    def key(self) -> dg.AssetKey:
        return dg.AssetKey([self.schema, self.name])


@dataclass(frozen=True)
class Table:
    """A declared table: still its plain function, `.asset` is its Dagster face."""

    function: Callable[..., DataFrame]
    contract: type[Contract]
    layer: Layer
    partitioned: bool
    inputs: tuple[Input, ...]
    keeps_rows_of: tuple[str, ...]
    asset: dg.AssetsDefinition

    @property
    def schema(self) -> str:
        return self.layer.schema

    @property
    def name(self) -> str:
        return self.function.__name__

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
    """

    def declare(function: Callable[..., DataFrame]) -> Table:
        layer = LAYERS[function.__module__.split(".")[1]]
        inputs = _inputs(function)
        asset = _asset(
            function,
            contract,
            layer,
            inputs,
            partitioned,
            keeps_rows_of,
            quarantine_limit,
            deps,
            resources,
            phi,
            domain,
        )
        return Table(function, contract, layer, partitioned, inputs, tuple(keeps_rows_of), asset)

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


def _asset(
    function, contract, layer, inputs, partitioned, keeps_rows_of, quarantine_limit, deps, resources, phi, domain
) -> dg.AssetsDefinition:
    """The Dagster asset of a table: read the inputs, call the transform, write, report."""
    schema, name = layer.schema, function.__name__
    key = dg.AssetKey([schema, name])
    wanted = inspect.signature(function).parameters
    contract_ = compiled(contract)
    grain = ", ".join(contract_.grain)

    @dg.asset(
        key=key,
        group_name=layer.folder,
        description=f"{inspect.getdoc(contract) or ''}\n\n{inspect.getdoc(function) or ''}\n\nGrain: {grain}.",
        deps=[dg.AssetDep(i.key, partition_mapping=_mapping(i.window, partitioned)) for i in inputs] + list(deps),
        partitions_def=claim_months if partitioned else None,
        backfill_policy=dg.BackfillPolicy.single_run() if partitioned else None,
        check_specs=check_specs(key),
        freshness_policy=dg.FreshnessPolicy.time_window(
            fail_window=layer.fail_after, warn_window=layer.fail_after * 0.75
        ),
        metadata={"dagster/column_schema": contract_.column_schema(), "dagster/table_name": f"{schema}.{name}"},
        owners=[layer.owner],
        tags={"phi": phi, "domain": domain, "compute": layer.compute},
        kinds={"pyspark", "deltalake"},
        required_resource_keys={"spark", "lake", layer.launcher, *resources},
    )
    def step(context: dg.AssetExecutionContext) -> Iterator[Any]:
        spark, lake = context.resources.spark.spark_session, context.resources.lake
        months = sorted(context.partition_keys) if partitioned else None
        _refuse_gaps(lake, f"{schema}.{name}", inputs, months)
        findings = Findings()
        for chunk in _chunks(lake, inputs, months):
            arguments = {"months": chunk} | {r: getattr(context.resources, r) for r in resources}
            arguments |= {i.parameter: lake.read(spark, i.schema, i.name, _reach(lake, i, chunk)) for i in inputs}
            frame = function(**{p: arguments[p] for p in wanted})
            expected = _rows_expected(lake, inputs, keeps_rows_of, chunk)
            found = lake.write(
                frame, schema, name, contract, chunk, rows_expected=expected, quarantine_limit=quarantine_limit
            )
            publish(lake, f"{schema}.{name}", contract_, chunk, found)
            findings.merge(found)
            if found.blocked:
                break
        yield from report(context, key, contract_, findings)

    return step


def report(context: dg.AssetExecutionContext, key: dg.AssetKey, contract, findings: Findings) -> Iterator[Any]:
    """Per-month metadata and the checks; a blocked write reports its checks and fails, so no month counts as built."""
    results = check_results(contract, findings)
    if findings.blocked:
        yield from results
        raise dg.Failure(description=" ".join([*findings.blocked, "The months written before stay as they were."]))
    if context.has_partition_key or context.has_partition_key_range:
        for month, rows in findings.kept.items():
            context.add_asset_metadata(
                {
                    "dagster/partition_row_count": rows,
                    "quarantined": findings.quarantined.get(month, 0),
                    "fingerprint": findings.fingerprint[month],
                },
                asset_key=key,
                partition_key=month,
            )
        metadata: dict[str, Any] = {}
    else:
        metadata = {"dagster/row_count": findings.rows_kept, "fingerprint": next(iter(findings.fingerprint.values()))}
    context.log.info(f"{findings.rows_in} rows in, {findings.rows_kept} kept, {findings.rows_quarantined} quarantined")
    yield dg.MaterializeResult(
        metadata=metadata | {"rows_in": findings.rows_in, "rows_quarantined": findings.rows_quarantined},
        check_results=results,
    )


def _mapping(window: Window, partitioned: bool) -> dg.PartitionMapping | None:
    """Which upstream months a month needs; None where either side has no months (Dagster's default is right there)."""
    if not partitioned or window.months is None:
        return None
    return dg.TimeWindowPartitionMapping(start_offset=1 - window.months, end_offset=0)


def _reach(lake: Lake, source: Input, months: Sequence[str] | None) -> list[str] | None:
    """The months to read of an input; None for all of it."""
    if months is None or source.window.months is None or "" in lake.rows_by_month(source.schema, source.name):
        return None
    needed = {add_months(m, -back) for m in months for back in range(source.window.months)}
    return sorted(needed)


def _refuse_gaps(lake: Lake, name: str, inputs: Sequence[Input], months: Sequence[str] | None) -> None:
    """A month that claims were landed for and that an input never built would count as a month without claims.

    Raises:
        dg.Failure: such a month lies in the reach of an asked one; the sentence says which and what to run.
    """
    landed = [m for f in FEEDS.values() if f.date_column for m in lake.rows_by_month(LANDING, f.name) if m]
    for source in inputs if months and landed else ():
        if source.schema == LANDING or not lake.exists(source.schema, source.name):
            continue
        reach = _reach(lake, source, months) or []
        needed = {m for m in reach if min(landed) <= m <= max(landed)}
        missing = sorted(needed - built_months(lake, source.schema, source.name))
        if missing:
            asked, lacking = min(months or []), f"{source.schema}.{source.name} of {missing[0]} to {missing[-1]}"
            raise dg.Failure(
                f"{name} of {asked} needs {lacking}, never built yet: run the claim months from {missing[0]} on, or"
                f" leave the claims before {asked} out by CLAIMS_START_MONTH."
            )


def _chunks(lake: Lake, inputs: Sequence[Input], months: list[str] | None) -> Iterator[list[str] | None]:
    """Split the asked months so that each part reads a bounded number of rows; order and union are kept."""
    if months is None:
        yield None
        return
    sizes = [lake.rows_by_month(i.schema, i.name) for i in inputs if i.window.months]
    chunk: list[str] = []
    rows = 0
    for month in months:
        weight = sum(size.get(month, 0) for size in sizes)
        if chunk and rows + weight > ROWS_PER_CHUNK:
            yield chunk
            chunk, rows = [], 0
        chunk.append(month)
        rows += weight
    yield chunk


def _rows_expected(
    lake: Lake, inputs: Sequence[Input], names: Sequence[str], months: Sequence[str] | None
) -> int | None:
    """Rows of the inputs that must all come out, from the Delta log: not from the frame that is checked."""
    if not names:
        return None
    chosen = [i for i in inputs if i.parameter in names]
    counted = [lake.rows_by_month(i.schema, i.name) for i in chosen]
    return sum(n for rows in counted for month, n in rows.items() if months is None or month in months)
