"""How tables stand in the graph that no step of their own builds: each is a spec."""

import dagster as dg

from claims_assets.contracts import Contract, compiled
from claims_assets.layers import LAYERS, Layer

MONITORING = LAYERS["monitoring"]


def recorded(
    name: str, contract: type[Contract], *, layer: Layer = MONITORING, phi: str = "none", domain: str = "claims"
) -> dg.AssetSpec:
    """The table `<schema of the layer>.<name>`, to which others add their rows.

    Args:
        layer: a table with a member's values is in no schema `monitoring`.
        phi: identified, limited or none; a tag.
        domain: claims, members, providers, risk or outreach; a tag.
    """
    return dg.AssetSpec(
        dg.AssetKey([layer.schema, name]),
        group_name=layer.folder,
        description=contract.__doc__,
        owners=[layer.owner],
        tags={"phi": phi, "domain": domain},
        kinds={"deltalake"},
        metadata={
            "dagster/column_schema": compiled(contract).column_schema(),
            "dagster/table_name": f"{layer.schema}.{name}",
        },
    )
