"""Read the bundle as the databricks CLI does: includes, a target's values, variables put in.

The CLI itself is no Python package and may be used with the service only, so tests can't rely on it.
"""

import re
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
SERVING = ROOT / "deploy" / "serving"
TARGETS = ("dev", "staging", "prod", "dev_aws", "staging_aws", "prod_aws")
REFERENCE = re.compile(r"\$\{([^}]+)}")
ASKED_FOR = {
    "landing_location": "abfss://landing@lake.dfs.core.windows.net/",
    "warehouse_id": "1234567890abcdef",
    "alert_email": "claims-data@example.org",
    "service_principal": "00000000-0000-0000-0000-000000000001",
    "champion_version": 7,
}
"""What whoever deploys must give."""


@cache
def raw(folder: Path = ROOT) -> dict[str, Any]:
    """databricks.yml and what it includes, as one mapping."""
    whole = yaml.safe_load((folder / "databricks.yml").read_text())
    for pattern in whole.get("include", []):
        files = sorted(folder.glob(pattern))
        assert files, pattern
        for file in files:
            _merge(whole, yaml.safe_load(file.read_text()))
    return whole


def _merge(into: dict[str, Any], other: dict[str, Any]) -> None:
    for key, value in other.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            assert key not in into, f"{key} is stated twice"
            into[key] = value


@cache
def resolved(target: str, folder: Path = ROOT) -> dict[str, Any]:
    """The bundle of a target; references to other resources stay, for they are known only after a deployment."""
    whole = raw(folder)
    chosen = whole["targets"][target]
    variables = {n: v.get("default") for n, v in whole["variables"].items()}
    variables |= {n: v for n, v in ASKED_FOR.items() if n in variables} | chosen.get("variables", {})
    lacking = sorted(n for n, v in variables.items() if v is None)
    assert not lacking, f"{target} gives no value to {lacking}"
    known = {f"var.{n}": v for n, v in variables.items()}
    known |= {"bundle.name": whole["bundle"]["name"], "bundle.target": target}
    without_variables = {k: v for k, v in whole.items() if k not in ("targets", "variables")}
    return {**_filled(without_variables, known), "target": _filled(chosen, known)}


def _filled(value: Any, known: dict[str, Any]) -> Any:
    if isinstance(value, dict):
        return {k: _filled(v, known) for k, v in value.items()}
    if isinstance(value, list):
        return [_filled(v, known) for v in value]
    if not isinstance(value, str):
        return value
    alone = REFERENCE.fullmatch(value)
    if alone and alone[1] in known:
        return _filled(known[alone[1]], known)
    return REFERENCE.sub(lambda found: str(_known(found, known)), value)


def _known(found: re.Match[str], known: dict[str, Any]) -> Any:
    if found[1].startswith("resources."):
        return found[0]
    assert found[1] in known, f"{found[0]} is not defined"
    return _filled(known[found[1]], known)


def references(value: Any) -> set[str]:
    """Resources that are referred to, as `resources.<kind>.<name>`."""
    if isinstance(value, dict):
        return set().union(*map(references, value.values()))
    if isinstance(value, list):
        return set().union(*map(references, value)) if value else set()
    found = REFERENCE.findall(value) if isinstance(value, str) else []
    return {".".join(name.split(".")[:3]) for name in found if name.startswith("resources.")}
