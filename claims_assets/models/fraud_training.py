"""The Dagster asset of a fraud detector: fit on a sample of the year's claims, measure, register each feature once.

Here: what happens in a run. Elsewhere: the fit (`fraud_fitting.py`), the registry (`fraud_registry.py`). A partition is
the training month T: claims of T and the eleven months before. A run over several months trains the last one, and a
run for what is new (`claims run`) quarter ends, once there is a detector: it knows what is usual, which changes slowly,
and claims are scored by models that did not see them.
"""

import hashlib
import tempfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
import numpy as np

from claims_assets import partitions
from claims_assets.code_links import link_to
from claims_assets.freshness import policy
from claims_assets.layers import LAKE_POOL, LAYERS
from claims_assets.models.fraud_boosters import PARAMETERS as OF_TREES
from claims_assets.models.fraud_boosters import NoLibrary
from claims_assets.models.fraud_fitting import FittedDetector, fit
from claims_assets.models.fraud_inputs import COLUMNS, COUNTED
from claims_assets.models.fraud_plot import score_picture
from claims_assets.models.fraud_registry import detectors, registered_name, save_part
from claims_assets.models.training import asked_of, only_quarter_ends
from claims_assets.models.windows import NotTrainable, is_training_month
from claims_assets.partitions import MONTH, add_months
from claims_assets.runtime.delta import read_arrow
from claims_assets.runtime.lake import Lake
from claims_assets.runtime.model_versions import AS_OF_MONTH, PARAMETERS, TRAINING_DATA
from claims_assets.runtime.tracking import Tracking

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow

LAYER = LAYERS["models"]
ROWS = ("gold", "claim_fraud_features")
MONTHS_READ = 12
MOST_CLAIMS = 20_000
"""Claims of one training; of more, a fixed sample by claim id. More than that changed no measure (docs/fraud.md)."""
KEYS = ("claim_id", MONTH)


class FraudConfig(dg.Config):
    """Settings of a fit."""

    seed: int = 42
    """Of the sample and of the trees; random state of the source project."""
    threads: int = 1


def fraud_asset(algorithm: str, description: str | None) -> dg.AssetsDefinition:
    """The asset `models/fraud_autoencoder_<algorithm>`."""
    history = dg.TimeWindowPartitionMapping(
        start_offset=1 - MONTHS_READ, end_offset=0, allow_nonexistent_upstream_partitions=True
    )

    @dg.asset(
        key=["models", f"fraud_autoencoder_{algorithm}"],
        group_name=LAYER.folder,
        description=description,
        deps=[dg.AssetDep(dg.AssetKey(ROWS), partition_mapping=history)],
        partitions_def=partitions.claim_months,
        backfill_policy=dg.BackfillPolicy.single_run(),
        freshness_policy=policy(LAYER.cadence),
        owners=[LAYER.owner],
        tags={"phi": "limited", "domain": "risk", "compute": LAYER.compute},
        kinds={algorithm, "mlflow"},
        metadata=link_to(Path(__file__).with_name(f"fraud_autoencoder_{algorithm}.py")),
        required_resource_keys={"spark", "lake", "tracking", LAYER.launcher},
        pool=LAKE_POOL,
    )
    def step(context: dg.AssetExecutionContext, config: FraudConfig):
        resources = context.resources
        if elsewhere := getattr(resources, LAYER.launcher):
            return elsewhere.run(context, asked_of(context))
        *earlier, month = sorted(context.partition_keys)
        for other in earlier:
            reason = {"new_version": False, "reason": "of several months the last one is trained"}
            context.add_asset_metadata(reason, asset_key=context.asset_key, partition_key=other)
        try:
            if only_quarter_ends(context) and not is_training_month(month) and detectors(resources.tracking, algorithm):
                raise NotTrainable("not a training month: a detector is trained at quarter ends")
            told = train(algorithm, month, resources.lake, resources.tracking, config, context.run.run_id)
        except (NotTrainable, NoLibrary) as why:
            told = {"new_version": False, "reason": str(why)}
        context.add_asset_metadata(told, asset_key=context.asset_key, partition_key=month)
        context.log.info(f"{month}: {told.get('reason') or 'version ' + str(told['version'])}")
        return dg.MaterializeResult()

    return step


def train(
    algorithm: str, month: str, lake: Lake, tracking: Tracking, config: FraudConfig, run_id: str
) -> dict[str, Any]:
    """Fit and register the detector as of `month`, unless the same one is registered; its metadata.

    Raises:
        NotTrainable: there are too few claims.
        NoLibrary: the algorithm is not installed.
    """
    frame = sample(lake, month, config.seed)
    settings = {**OF_TREES, "seed": config.seed, "most_claims": MOST_CLAIMS, "counted": ",".join(COUNTED)}
    tags = {AS_OF_MONTH: month, TRAINING_DATA: fingerprint(frame), PARAMETERS: _digest(repr(sorted(settings.items())))}
    for known in detectors(tracking, algorithm):
        if (known.as_of_month, known.training_data, known.parameters) == tuple(tags.values()):
            reason = "the same month, claims and settings are registered already"
            return {"version": known.version, "new_version": False, "reason": reason}
    fitted = fit(frame, algorithm, seed=config.seed, threads=config.threads)
    version = register(fitted, algorithm, month, tracking, settings, tags, run_id)
    return {
        "version": version,
        "new_version": True,
        "training_claims": len(frame),
        "features": len(fitted.artifact.trees),
        "not_modelled": ", ".join(fitted.not_modelled),
        **{k: v for k, v in fitted.metrics.items() if k.endswith("fraud_score")},
        "held_out_scores": dg.MetadataValue.md(score_picture(f"{algorithm} {month}", fitted.artifact)),
    }


def register(
    fitted: FittedDetector,
    algorithm: str,
    month: str,
    tracking: Tracking,
    settings: dict[str, Any],
    tags: dict[str, str],
    run_id: str,
) -> int:
    """One run for the detector, one registered version for each feature; the version of the first one."""
    first = 0
    with (
        tracking.run(f"fraud_autoencoder_{algorithm} {month}", {"dagster_run_id": run_id, **tags}) as run,
        tempfile.TemporaryDirectory() as folder,
    ):
        run.log(settings | {"algorithm": algorithm}, fitted.metrics, {})
        # Last the first one: it stands for the whole, and must not be found before the others are there.
        for feature in reversed(list(fitted.artifact.trees)):
            place = Path(folder) / feature
            save_part(fitted.artifact, feature, place)
            name = registered_name(algorithm, feature)
            first = tracking.register_saved(run, name, place, f"model/{feature}", tags).version
    return first


def sample(lake: Lake, month: str, seed: int, most: int = MOST_CLAIMS) -> "pd.DataFrame":
    """Claims of the year up to `month`, at most `most`, chosen and ordered by claim id; no order of files shows in it.

    Raises:
        NotTrainable: there are none.
    """
    import pyarrow as pa

    held = lake.rows_by_month(*ROWS) if lake.exists(*ROWS) else {}
    months = [m for m in (add_months(month, -i) for i in range(MONTHS_READ)) if held.get(m)]
    if not months:
        raise NotTrainable(f"gold.claim_fraud_features holds no claims of the year up to {month}: build it first.")
    total = sum(held[m] for m in months)
    parts = [_some(read_arrow(lake.path(*ROWS), [*KEYS, *COLUMNS], (MONTH, m)), seed, most, total) for m in months]
    places = np.concatenate([place for _, place in parts])
    chosen = np.flatnonzero(places <= np.sort(places)[min(most, len(places)) - 1])
    claims = pa.concat_tables([claims for claims, _ in parts]).take(chosen)
    found: Any = claims.sort_by([(name, "ascending") for name in KEYS]).to_pandas()
    return found


def _some(claims: "pyarrow.Table", seed: int, most: int, total: int) -> "tuple[pyarrow.Table, np.ndarray]":
    """Claims with the smallest hashes, and the hashes: half as many again as needed, so that memory stays bounded."""
    ids = claims.column("claim_id").to_pylist()
    place = np.array([zlib.crc32(f"{seed}|{i}".encode()) for i in ids], dtype="int64")
    rows = np.flatnonzero(place < min(1.5 * most / total, 1.0) * 2**32)
    return claims.take(rows), place[rows]


def fingerprint(frame: "pd.DataFrame") -> str:
    """Of the content of all rows."""
    return _digest(frame.to_csv(index=False))


def _digest(content: str | bytes) -> str:
    raw = content.encode() if isinstance(content, str) else content
    return hashlib.sha256(raw).hexdigest()[:16]
