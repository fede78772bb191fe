"""Features as the graph makes them: of the conditions that the same claims make."""

from pyspark.sql import DataFrame

from claims_assets.features.member_conditions import member_conditions
from claims_assets.features.member_features import member_features


def made_features(versions: DataFrame, members: DataFrame, months: list[str]) -> DataFrame:
    """`gold.member_features` of the months, `gold.member_conditions` included."""
    return member_features(versions, members, member_conditions(versions, members, months), months)
