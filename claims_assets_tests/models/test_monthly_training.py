"""Which months of a run train: one month always, of many the quarter ends. On an empty lake, so the reasons tell."""

import dagster as dg
import pytest

from claims_assets.models.er_utilization_predictor import er_utilization_predictor
from claims_assets.models.training import ONLY_TRAINING_MONTHS, QUARTER_ENDS
from claims_assets.runtime.compute import computes_for
from claims_assets_tests.models.registry import empty_registry

RANGE = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")
SKIPPED = "not a training month: models are trained at quarter ends"


@pytest.fixture
def reasons(lake, tmp_path, tmp_path_factory, spark_resource):
    """`reasons("2025-05", "2025-06")`: month -> why a scheduled run over these months trained nothing."""

    def told(first, last, asked="true"):
        tracking = empty_registry(tmp_path / f"mlflow {first} {last}", tmp_path_factory)
        resources = {"lake": lake, "tracking": tracking, "spark": spark_resource, **computes_for(None)}
        definitions = dg.Definitions([er_utilization_predictor], resources=resources, executor=dg.in_process_executor)
        tags = dict(zip(RANGE, (first, last), strict=True)) | {ONLY_TRAINING_MONTHS: asked}
        with dg.DagsterInstance.ephemeral() as instance:
            job = definitions.resolve_implicit_global_asset_job_def()
            result = job.execute_in_process(instance=instance, tags=tags)
        events = result.asset_materializations_for_node(er_utilization_predictor.op.name)
        return {e.partition: e.metadata["reason"].value for e in events}

    return told


@pytest.mark.parametrize("month", ["2025-05", "2025-06"])
def test_a_month_alone_is_to_be_trained_whichever_it_is(reasons, month):
    found = reasons(month, month)
    assert list(found) == [month]
    assert found[month] != SKIPPED and "risk_training_rows" in found[month]


def test_for_what_is_new_a_month_alone_is_trained_if_it_ends_a_quarter(reasons):
    assert reasons("2025-05", "2025-05", QUARTER_ENDS) == {"2025-05": SKIPPED}
    assert reasons("2025-06", "2025-06", QUARTER_ENDS)["2025-06"] != SKIPPED


def test_of_several_months_only_quarter_ends_are(reasons):
    found = reasons("2025-04", "2025-06")
    assert [found[m] == SKIPPED for m in ("2025-04", "2025-05", "2025-06")] == [True, True, False]
