"""What a registered model takes and gives, for MLflow: raw columns of `gold.member_features`, a score and its interval.

Types are those of the table's contract, with two exceptions where a value may be missing: MLflow can't say "an integer
or nothing", and its scoring server reads a missing boolean as false. Both are doubles then, and true is 1. Each column
is required, for the model has no meaning without it; a value may be missing wherever the table's may.
"""

import functools
from typing import TYPE_CHECKING, Any

from pyspark.sql import types as T

from claims_assets.contracts import compiled
from claims_assets.models.risk_artifact import RiskArtifact

if TYPE_CHECKING:
    import pandas as pd

STRING, BOOLEAN, LONG, DOUBLE = "string", "boolean", "long", "double"
"""MLflow's names of types."""
INTEGERS = (T.ByteType, T.ShortType, T.IntegerType, T.LongType)
NOTHING: dict[str, Any] = {BOOLEAN: False, LONG: 0, DOUBLE: 0.0}
"""Value of the example, of nobody."""


def column_types(artifact: RiskArtifact) -> dict[str, str]:
    """Input -> MLflow's type, in the order of the model's inputs; what the contract does not know is a number."""
    known = _contract_types()
    return {n: STRING if n in artifact.categories else known.get(n, DOUBLE) for n in artifact.inputs}


def signature_of(artifact: RiskArtifact) -> Any:
    """MLflow's signature of the model."""
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    decides = artifact.threshold is not None
    given = {"score": DOUBLE} | ({"prediction": "integer"} if decides else {}) | {"lower": DOUBLE, "upper": DOUBLE}
    inputs, outputs = (Schema([ColSpec(t, n) for n, t in of.items()]) for of in (column_types(artifact), given))
    return ModelSignature(inputs=inputs, outputs=outputs)


def example_for(artifact: RiskArtifact) -> "pd.DataFrame":
    """One row that fits the signature and is of no member: the first word of each list, else nothing at all."""
    import pandas as pd

    types = column_types(artifact)
    return pd.DataFrame({n: [next(iter(artifact.categories.get(n, {})), NOTHING.get(t))] for n, t in types.items()})


@functools.cache
def _contract_types() -> dict[str, str]:
    from claims_assets.features.member_features import MemberFeatures

    return {f.name: _type(f) for f in compiled(MemberFeatures).spark_schema().fields}


def _type(column: T.StructField) -> str:
    if isinstance(column.dataType, T.StringType):
        return STRING
    if not column.nullable and isinstance(column.dataType, T.BooleanType):
        return BOOLEAN
    return LONG if not column.nullable and isinstance(column.dataType, INTEGERS) else DOUBLE
