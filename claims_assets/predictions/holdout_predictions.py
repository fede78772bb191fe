"""What each registered version predicted for members it was not fitted on, beside what came: facts for the gate.

Written by the training of a model, after its version is registered. The calibration part chose stopping, threshold and
calibration; the test part decided nothing in the version. Elsewhere: measures of these rows (`models/evaluation.py`),
what is decided from them (`models/governance/`).
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from claims_assets import columns as c
from claims_assets.contracts import Contract, compiled
from claims_assets.layers import LAYERS
from claims_assets.monitoring.recorded import recorded
from claims_assets.partitions import MONTH
from claims_assets.runtime.delta import delta_exists, read_arrow, stored_schema
from claims_assets.runtime.lake import Lake
from claims_assets.silver.demographics import AGE_GROUPS, ETHNICITIES, GENDERS, RACES

if TYPE_CHECKING:
    import pandas as pd

LAYER = LAYERS["predictions"]
NAME = "holdout_predictions"
CALIBRATION, TEST = "calibration", "test"
PARTS = (CALIBRATION, TEST)
GROUPS = ("gender", "race", "ethnicity", "age_group", "dual_eligible")
"""By which fairness is judged; as of the index month."""


class HoldoutPredictions(Contract):
    """Holdout predictions: one row per model, training month, part, index month and member."""

    model_name: str = c.required("Registered name of the model.")
    claim_month: str = c.required("Training month T.", str_matches=c.MONTH_PATTERN)
    version: c.Whole = c.required("Registered version that predicted.", ge=1)
    part: str = c.required("calibration or test.", isin=list(PARTS))
    index_month: str = c.required("Month as of which the inputs are.", str_matches=c.MONTH_PATTERN)
    member_id: str = c.member_id()
    outcome: c.Number = c.required("The label: 0 or 1, USD, or points of the health risk score.")
    is_event: c.Whole = c.optional("1: the outcome is what the model warns of; NULL: it warns of nothing.", isin=[0, 1])
    predicted: c.Number = c.required("Prediction of the version, in the unit of the outcome.", ge=0.0)
    flagged: c.Whole = c.optional("1: the prediction reaches the threshold; NULL: there is none.", isin=[0, 1])
    rule_predicted: c.Number = c.required("What the rule of thumb says: next year is like last year.", ge=0.0)
    rule_flagged: c.Whole = c.optional("1: the rule of thumb flags the member; NULL: it flags none.", isin=[0, 1])
    baseline_predicted: c.Number = c.optional("What the source projects' algorithm says; NULL: it was not fitted.")
    baseline_flagged: c.Whole = c.optional("1: that algorithm flags the member.", isin=[0, 1])
    gender: str = c.required("M, F or U.", isin=GENDERS)
    race: str = c.required("One of seven groups or Unknown.", isin=RACES)
    ethnicity: str = c.required("Hispanic, Not Hispanic or Unknown.", isin=ETHNICITIES)
    age_group: str = c.optional("0-17, 18-44, 45-64 or 65+.", isin=AGE_GROUPS)
    dual_eligible: bool = c.optional("Has Medicare too; NULL: not reported.")

    class Config:
        unique = ["model_name", "claim_month", "part", "index_month", "member_id"]


holdout_predictions = recorded(NAME, HoldoutPredictions, layer=LAYER, phi="identified", domain="risk")
"""Not a step of its own: each training adds its rows."""


def publish(lake: Lake, model_name: str, month: str, rows: "pd.DataFrame") -> None:
    """Replace the rows of a model and training month, in one commit."""
    import pyarrow as pa

    path, schema = lake.path(LAYER.schema, NAME), compiled(HoldoutPredictions).arrow_schema()
    content = pa.Table.from_pandas(rows[schema.names], schema=schema, preserve_index=False)
    fits = not delta_exists(path) or stored_schema(path).names == schema.names
    where = {"model_name": [model_name], MONTH: [month]}
    lake.writer.replace(path, content, "model_name", where if fits else None)


def read_holdout(lake: Lake, model_name: str, month: str, columns: Sequence[str] | None = None) -> "pd.DataFrame":
    """The rows of a model and training month; none when nothing was written."""
    schema = compiled(HoldoutPredictions).arrow_schema()
    names, path = list(columns or schema.names), lake.path(LAYER.schema, NAME)
    if not delta_exists(path):
        return schema.empty_table().select(names).to_pandas()
    found: Any = read_arrow(path, names, ("model_name", model_name), [(MONTH, "=", month)])
    return found.to_pandas()
