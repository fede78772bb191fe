"""The benchmark compares like with like: its plain loop and the table's path say the same of every member."""

import pytest
from deltalake import DeltaTable

from bench import features
from bench.scoring import of_plain_loop, scored
from claims_assets.models.registered import MODELS
from claims_assets.predictions.scoring import target_of

MEMBERS = 300


@pytest.mark.requirement("R2")
def test_the_plain_loop_and_the_table_say_the_same(spark, lake, tmp_path):
    features.write_features(lake, MEMBERS)
    features.save(features.fitted(2_000), tmp_path)
    assert of_plain_loop(lake, tmp_path) == MEMBERS
    plain = DeltaTable(str(lake.path("gold", "plain"))).to_pandas().sort_values("member_id", ignore_index=True)
    ours = scored(spark, lake, tmp_path).toPandas().sort_values("member_id", ignore_index=True)
    for model in MODELS:
        target = target_of(model)
        assert ours[target.score].to_numpy().tobytes() == plain[model.name].to_numpy().tobytes()
        if target.reasons:
            told = [None if why is None else list(why) for why in ours[target.reasons]]
            assert told == [None if why is None else list(why) for why in plain[f"{model.name}_reasons"]]
            assert 0 < sum(why is not None for why in told) < MEMBERS
