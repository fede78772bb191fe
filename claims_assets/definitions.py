"""`build()` composes the graph: it walks the layer folders for tables and assets. The graph is the same everywhere;
only the resources differ (`runtime/resources.py`).
"""

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any

import dagster as dg

from claims_assets.automation.collected import collected
from claims_assets.automation.conditions import with_conditions
from claims_assets.automation.watching import watching
from claims_assets.layers import LAYERS
from claims_assets.runtime.resources import resources_for
from claims_assets.settings import Settings, settings_from_environment
from claims_assets.table import Table


def declared() -> Iterator[Any]:
    """Every public module-level object of every layer, in the order of the flow, each where it is defined."""
    seen: set[int] = set()
    for folder in LAYERS:
        package = importlib.import_module(f"claims_assets.{folder}")
        for found in pkgutil.iter_modules(package.__path__):
            if found.ispkg:
                continue
            for value in vars(importlib.import_module(f"{package.__name__}.{found.name}")).values():
                if id(value) not in seen:
                    seen.add(id(value))
                    yield value


def tables() -> list[Table]:
    """All declared tables, in the order of the flow."""
    return [value for value in declared() if isinstance(value, Table)]


def assets() -> list[dg.AssetsDefinition | dg.AssetSpec]:
    """All assets of the graph, in the order of the flow."""
    found: list[dg.AssetsDefinition | dg.AssetSpec] = []
    for value in declared():
        if isinstance(value, Table):
            found.append(value.asset)
        elif isinstance(value, dg.AssetsDefinition | dg.AssetSpec):
            found.append(value)
        elif type(value) is list and all(isinstance(v, dg.AssetsDefinition) for v in value):
            found += value
    return found


def build(settings: Settings | None = None, **overrides: Any) -> dg.Definitions:
    """The definitions for these settings (default: the environment's); `overrides` replace resources by name."""
    settings = settings or settings_from_environment()
    resources, found = resources_for(settings) | overrides, with_conditions(assets())
    definitions = dg.Definitions(
        assets=found, resources=resources, executor=dg.in_process_executor, **collected(settings, found)
    )
    return dg.Definitions.merge(definitions, watching(settings, tables()))


defs = build()
