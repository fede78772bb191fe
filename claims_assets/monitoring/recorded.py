"""How the tables of this folder stand in the graph: no step of their own builds them, so each is a spec."""

import dagster as dg

from claims_assets.contracts import Contract, compiled
from claims_assets.layers import LAYERS

LAYER = LAYERS["monitoring"]


def recorded(name: str, contract: type[Contract]) -> dg.AssetSpec:
    """The table `monitoring.<name>`, to which others add their rows; it holds no member's value."""
    return dg.AssetSpec(
        dg.AssetKey([LAYER.schema, name]),
        group_name=LAYER.folder,
        description=contract.__doc__,
        owners=[LAYER.owner],
        tags={"phi": "none", "domain": "claims"},
        kinds={"deltalake"},
        metadata={
            "dagster/column_schema": compiled(contract).column_schema(),
            "dagster/table_name": f"{LAYER.schema}.{name}",
        },
    )
