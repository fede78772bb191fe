"""What models, features and tables are, as files for people and programs that don't read Python: `config/`.

    python -m claims_assets.config_export [folder]

The code is the only place to change them; a test keeps the files current. model_config.yaml: models, search and gate.
feature_config.yaml: windows, limits, features. data_schema.json: landing files and tables.
"""

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml

from claims_assets.contracts import compiled
from claims_assets.definitions import assets, tables
from claims_assets.features import as_of, member_features, outcomes, risk_training_rows, scores
from claims_assets.models import baselines, fitting, risk_model, windows
from claims_assets.models.governance import thresholds
from claims_assets.models.inputs import CATEGORIES, INPUTS, MONOTONE, SOURCE_INPUTS
from claims_assets.models.registered import MODELS
from claims_assets.models.risk_model import RiskModel
from claims_assets.predictions.member_risk_predictions import RISK_BANDS
from claims_assets.runtime.model_versions import CHALLENGER, CHAMPION, PREVIOUS
from claims_assets.runtime.tracking import EXPERIMENT
from claims_assets.silver import medical_claims, pharmacy_claims
from claims_assets.sources.feeds import FEEDS, LANDING
from claims_assets.table import Table

FOLDER = Path(__file__).resolve().parents[1] / "config"
HEADER = "# Written by `make config` from the code of claims_assets; change it there. {about}\n"
ABOUT_A_TABLE = "dagster/column_schema"


def main() -> None:
    """Write the files into the folder that is given, else into `config/` of the checkout."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in rendered().items():
        (folder / name).write_text(text)
        sys.stdout.write(f"{folder / name}\n")


def rendered() -> dict[str, str]:
    """File name -> content."""
    about = "Models, their search, the gate that judges them."
    features = "Features of a member as of a month, and the numbers behind them."
    return {
        "model_config.yaml": HEADER.format(about=about) + _yaml(model_config()),
        "feature_config.yaml": HEADER.format(about=features) + _yaml(feature_config()),
        "data_schema.json": _json(_plain(data_schema())) + "\n",
    }


def model_config() -> dict[str, Any]:
    """Models by name, and what all of them share."""
    return {
        "experiment": EXPERIMENT,
        "aliases": [CHAMPION, CHALLENGER, PREVIOUS],
        "training": {
            "look_back_months": windows.LOOK_BACK,
            "horizon_months": windows.HORIZON,
            "run_out_months": windows.RUN_OUT,
            "months_between_training_indexes": windows.STEP,
            "most_training_indexes": windows.MOST_INDEXES,
            "training_months_of_the_year": [int(m) for m in windows.TRAINING_MONTHS],
            "most_rounds": risk_model.MOST_ROUNDS,
            "rounds_without_progress": risk_model.PATIENCE,
            "search_space": fitting.SPACE,
            "most_rows_of_a_baseline": baselines.MOST_ROWS,
        },
        "models": {model.name: _model(model) for model in MODELS},
        "gate": {
            "fairness": asdict(thresholds.FAIRNESS),
            "calibration": asdict(thresholds.CALIBRATION),
            "stability": asdict(thresholds.STABILITY),
            "comparison": asdict(thresholds.COMPARISON),
            "reproduced_within": thresholds.REPRODUCED,
            "time_travel_share": thresholds.TIME_TRAVEL_SHARE,
        },
        "health_risk_bands": RISK_BANDS,
    }


def feature_config() -> dict[str, Any]:
    """Windows, limits, bands, and each feature of `gold.member_features`."""
    contract = compiled(member_features.MemberFeatures)
    return {
        "windows": {
            "months": as_of.WINDOW_MONTHS,
            "recent_months": as_of.RECENT_MONTHS,
            "days_where_there_was_none": member_features.NEVER_DAYS,
            "largest_trend": member_features.LARGEST_TREND,
        },
        "limits": {
            "high_cost_claim_usd": medical_claims.HIGH_COST,
            "high_cost_fill_usd": pharmacy_claims.HIGH_COST_RX,
            "controlled_substances": pharmacy_claims.CONTROLLED.split("|"),
            "smoking_factor": scores.SMOKING_FACTOR,
        },
        "scores": {
            "highest_composite": scores.HIGHEST_COMPOSITE,
            "risk_tiers": scores.RISK_TIERS,
            "cost_bands_usd": scores.COST_BANDS,
            "chronic_bands": scores.CHRONIC_BANDS,
            "actuarial_age_bands": scores.ACTUARIAL_AGE_BANDS,
            "bmi_categories": scores.BMI_CATEGORIES,
            "bmi_limits": scores.BMI_LIMITS,
        },
        "training_rows": {
            "horizon_months": risk_training_rows.HORIZON_MONTHS,
            "run_out_months": outcomes.RUN_OUT_MONTHS,
            "washout_months": risk_training_rows.WASHOUT_MONTHS,
            "least_exposure_months": risk_training_rows.LEAST_EXPOSURE,
        },
        "features": {n: _feature(n, t.simpleString(), contract.description[n]) for n, t in contract.columns.items()},
    }


def data_schema() -> dict[str, Any]:
    """Landing files and Delta tables, in the order of the flow."""
    recorded = [a for a in assets() if not hasattr(a, "op") and ABOUT_A_TABLE in getattr(a, "metadata", {})]
    return {
        LANDING: {
            feed.name: {
                "description": feed.description,
                "optional": feed.optional,
                "columns": [{"name": n, "required": n in feed.required} for n in feed.columns],
            }
            for feed in FEEDS.values()
        },
        "tables": {t.full_name: _table(t) for t in tables()} | {".".join(a.key.path): _recorded(a) for a in recorded},  # pyright: ignore[reportAttributeAccessIssue]
    }


def _model(model: RiskModel) -> dict[str, Any]:
    demands = thresholds.CLASSIFIER if model.is_classifier else thresholds.REGRESSION
    left_out = [n for n in INPUTS if n not in model.inputs]
    return {
        "outcome": f"outcome_{model.outcome}",
        "event_from": model.at_least,
        "high_from_quantile": model.high_share,
        "scale": model.scale,
        "highest": model.highest,
        "column": model.column,
        "prediction": model.prediction,
        "rule_of_thumb": model.history,
        "aim": asdict(model.aim) if model.aim else None,
        "parameters": model.parameters,
        "baseline": asdict(model.baseline),
        "inputs": "all model inputs of feature_config.yaml" if not left_out else model.inputs,
        "compared_by": demands.primary,
        "floors": [
            {"measure": f.measure, "at_most" if f.at_most else "at_least": f.limit, "source": f.source}
            for f in thresholds.FLOORS[model.name]
        ],
        "implausible_above": dict(demands.implausible),
    }


def _feature(name: str, kind: str, description: str) -> dict[str, Any]:
    found: dict[str, Any] = {"type": kind, "description": description}
    if name in INPUTS:
        found["model_input"] = "source_project" if name in SOURCE_INPUTS else "added"
    if name in MONOTONE:
        found["may_only_move_risk"] = "up" if MONOTONE[name] > 0 else "down"
    if name in CATEGORIES:
        found["codes"] = CATEGORIES[name]
    return found


def _table(table: Table) -> dict[str, Any]:
    contract = compiled(table.contract)
    about, nullable = contract.description, contract.nullable
    return {
        "description": (table.contract.__doc__ or "").strip(),
        "phi": table.phi,
        "grain": contract.grain,
        "partitioned_by": "claim_month" if table.partitioned else None,
        "columns": [
            {"name": n, "type": t.simpleString(), "nullable": nullable[n], "description": about[n]}
            for n, t in contract.columns.items()
        ],
        "rules": contract.severity_of(),
    }


def _recorded(asset: Any) -> dict[str, Any]:
    columns = asset.metadata[ABOUT_A_TABLE].columns
    return {
        "description": (asset.description or "").strip(),
        "phi": asset.tags["phi"],
        "partitioned_by": None,
        "columns": [
            {"name": c.name, "type": c.type, "nullable": c.constraints.nullable, "description": c.description}
            for c in columns
        ],
    }


def _yaml(content: Mapping[str, Any]) -> str:
    """In the order given, lists in one line where they fit."""
    return yaml.safe_dump(_plain(content), sort_keys=False, allow_unicode=True, width=120, default_flow_style=None)


def _plain(value: Any) -> Any:
    """Without tuples, which YAML's safe form does not know."""
    if isinstance(value, Mapping):
        return {k: _plain(v) for k, v in value.items()}
    return [_plain(v) for v in value] if isinstance(value, list | tuple) else value


def _json(value: Any, indent: str = "") -> str:
    """One line for whatever holds no list or object itself, so that a column is a line."""
    inner = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    if not any(isinstance(v, dict | list) for v in inner):
        return json.dumps(value, ensure_ascii=False)
    deeper = indent + " "
    if isinstance(value, dict):
        parts, ends = [f"{json.dumps(k)}: {_json(v, deeper)}" for k, v in value.items()], "{}"
    else:
        parts, ends = [_json(v, deeper) for v in inner], "[]"
    return f"{ends[0]}\n{deeper}" + f",\n{deeper}".join(parts) + f"\n{indent}{ends[1]}"


if __name__ == "__main__":
    main()
