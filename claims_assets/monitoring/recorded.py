"""How the tables of this folder stand in the graph: no step of their own builds them, so each is a spec."""

import dagster as dg

from claims_assets.contracts import Contract, compiled
from claims_assets.layers import LAYERS

LAYER = LAYERS["monitoring"]


def recorded(name: str, contract: type[Contract], *, phi: str = "none", domain: str = "claims") -> dg.AssetSpec:
    """The table `monitoring.<name>`, to which others add their rows.

    Args:
        phi: identified, limited or none; a tag.
        domain: claims, members, providers, risk or outreach; a tag.
    """
    return dg.AssetSpec(
        dg.AssetKey([LAYER.schema, name]),
        group_name=LAYER.folder,
        description=contract.__doc__,
        owners=[LAYER.owner],
        tags={"phi": phi, "domain": domain},
        kinds={"deltalake"},
        metadata={
            "dagster/column_schema": compiled(contract).column_schema(),
            "dagster/table_name": f"{LAYER.schema}.{name}",
        },
    )
