"""The files of `config/` say what the code says."""

import json

import pytest
import yaml

from claims_assets import config_export
from claims_assets.contracts import compiled
from claims_assets.definitions import tables
from claims_assets.features.member_features import MemberFeatures
from claims_assets.models.inputs import INPUTS
from claims_assets.models.registered import MODELS

YAMLS = ("model_config.yaml", "feature_config.yaml")


@pytest.mark.parametrize("name", [*YAMLS, "data_schema.json"])
def test_the_stored_file_is_current(name):
    stored = (config_export.FOLDER / name).read_text()
    assert stored == config_export.rendered()[name], "run `make config`"


def test_every_model_feature_table_and_feed_is_there():
    models, features = (
        yaml.safe_load(config_export.rendered()[n]) for n in ("model_config.yaml", "feature_config.yaml")
    )
    schema = json.loads(config_export.rendered()["data_schema.json"])
    assert list(models["models"]) == [m.name for m in MODELS]
    assert list(features["features"]) == list(compiled(MemberFeatures).columns)
    assert {n for n, f in features["features"].items() if "model_input" in f} == set(INPUTS)
    assert {t.full_name for t in tables()} <= schema["tables"].keys()
    assert {"monitoring.model_decisions", "gold.holdout_predictions"} <= schema["tables"].keys()
    assert schema["landing"]["medical_claims"]["columns"][0] == {"name": "claim_id", "required": True}


def test_what_the_files_hold_is_what_the_code_does():
    models, features = (
        yaml.safe_load(config_export.rendered()[n]) for n in ("model_config.yaml", "feature_config.yaml")
    )
    assert models["models"]["er_utilization_predictor"]["floors"][1]["at_least"] == 0.6
    assert models["models"]["total_cost_predictor"]["floors"][1]["at_most"] == 15_000
    assert models["models"]["er_utilization_predictor"]["baseline"]["parameters"]["n_estimators"] == 100
    assert models["gate"]["fairness"]["low"] == 0.8
    assert features["windows"]["months"] == 12
    assert features["features"]["gender"]["codes"] == {"F": 0, "M": 1, "U": 2}


def test_another_folder_can_be_given(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["config_export", str(tmp_path / "there")])
    config_export.main()
    assert {p.name for p in (tmp_path / "there").iterdir()} == config_export.rendered().keys()
    assert len(capsys.readouterr().out.splitlines()) == 3
