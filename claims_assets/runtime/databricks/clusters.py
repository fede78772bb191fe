"""What a cluster of each size is: workers, machines, prices; as the Databricks API wants it."""

from dataclasses import dataclass
from typing import Any, Literal

from claims_assets.setting_values import SettingError
from claims_assets.workspaces import Databricks

Cloud = Literal["aws", "azure"]

RUNTIME_VERSION = "17.3.x-scala2.13"
"""Databricks Runtime 17.3 LTS: the first long-term one with Spark 4 (4.0.0) and with a Python (3.12) that the package
supports; maintained until October 2028. Release notes: docs.databricks.com/release-notes/runtime/17.3lts."""


@dataclass(frozen=True)
class Size:
    """Machines of one compute size."""

    workers: tuple[int, int]
    """Least and most workers; the cluster grows and shrinks between them."""
    worker: dict[Cloud, str]
    driver: dict[Cloud, str]


FOUR_CORES: dict[Cloud, str] = {"aws": "i3.xlarge", "azure": "Standard_L4s"}
"""4 cores, about 31 GB, a local NVMe disk that the disk cache needs."""
EIGHT_CORES: dict[Cloud, str] = {"aws": "i3.2xlarge", "azure": "Standard_L8s"}
"""Twice that."""
SIZES = {
    "small": Size(workers=(2, 4), worker=FOUR_CORES, driver=FOUR_CORES),
    "medium": Size(workers=(4, 8), worker=FOUR_CORES, driver=EIGHT_CORES),
    "large": Size(workers=(4, 8), worker=EIGHT_CORES, driver=EIGHT_CORES),
}
"""Bronze and silver are small, gold is medium, training is large."""
SPARK_CONF = {
    "spark.databricks.io.cache.enabled": "true",
    "spark.sql.session.timeZone": "UTC",
}
"""Delta files that several steps read stay on the local disks; dates mean the same as on a laptop."""
SPOT: dict[Cloud, dict[str, Any]] = {
    "aws": {"aws_attributes": {"availability": "SPOT_WITH_FALLBACK", "first_on_demand": 1, "zone_id": "auto"}},
    "azure": {"azure_attributes": {"availability": "SPOT_WITH_FALLBACK_AZURE", "first_on_demand": 1}},
}
"""Workers at spot prices, on demand where there are none; the driver, which can't be replaced, always on demand."""


def cluster(workspace: Databricks, size: str) -> dict[str, Any]:
    """The `cluster` part of a run's configuration: the existing one if there is one, else a new one of this size."""
    if workspace.existing_cluster:
        return {"existing": workspace.existing_cluster}
    wanted, cloud = SIZES[size], cloud_of(workspace.host)
    least, most = wanted.workers
    tags = {"project": "claims_assets", "compute": size, **dict(workspace.tags)}
    new: dict[str, Any] = {
        "size": {"autoscale": {"min_workers": least, "max_workers": most}},
        "spark_version": RUNTIME_VERSION,
        "spark_conf": SPARK_CONF,
        "data_security_mode": "SINGLE_USER",  # the mode that has both Unity Catalog and the files of DBFS
        "custom_tags": [{"key": key, "value": value} for key, value in tags.items()],
    }
    if workspace.pool:
        # A pool states its machines and prices itself; a cluster that states them too is refused.
        new["nodes"] = {"instance_pool_id": workspace.pool}  # of the driver too
    else:
        types = {"node_type_id": wanted.worker[cloud], "driver_node_type_id": wanted.driver[cloud]}
        new |= {"nodes": {"node_types": types}, **SPOT[cloud]}
    return {"new": new}


def cloud_of(host: str) -> Cloud:
    """The cloud of a workspace, by its address.

    Raises:
        SettingError: Google Cloud, for which no machines are stated.
    """
    if ".gcp." in host:
        raise SettingError(
            f"DATABRICKS_HOST={host} is on Google Cloud, for which no machine types are stated: give CLAIMS_CLUSTER_ID"
            " or CLAIMS_CLUSTER_POOL, or add the types to runtime/databricks/clusters.py."
        )
    return "azure" if "azuredatabricks" in host else "aws"
