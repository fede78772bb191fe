"""An extract in another process: the same files and the same record, and its metadata comes back."""

import dagster as dg

from claims_assets.monitoring import audit_log
from claims_assets.outreach.extracts import folder_beside
from claims_assets.runtime.lake import Lake
from claims_assets_tests.outreach.made_targeting import MONTH, member, write_targeting
from claims_assets_tests.pipes.conftest import home

NAME = "immunization_tier2_outreach"


def test_an_extract_made_elsewhere_is_in_the_same_place_and_recorded(tmp_path, landing):
    with dg.DagsterInstance.ephemeral() as instance:
        here = home(tmp_path / "home", landing, instance)
        lake = Lake(root=str(here.folder / "lake"))
        write_targeting(lake, [member(n) for n in range(3)])
        result = here.run(f"outreach/{NAME}", months=(MONTH, MONTH), **here.elsewhere())
        assert result.success
        metadata = [m.metadata for m in result.asset_materializations_for_node(f"outreach__{NAME}") if m.partition]
    kept = folder_beside(lake).manifest(NAME, MONTH)
    assert kept is not None
    assert [m["sha256_csv"].value for m in metadata if "sha256_csv" in m] == [kept.sha256["csv"]]
    assert [(a.rows, a.object.split(".")[-1]) for a in audit_log.stored(lake)] == [(3, "csv"), (3, "parquet")]
