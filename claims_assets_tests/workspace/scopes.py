"""Secret scopes: names are listed, values are handed out to running tasks only."""

import base64
from collections.abc import Mapping
from typing import Any

from claims_assets_tests.workspace.errors import missing


class SecretScopes:
    """Scope -> key -> value."""

    def __init__(self, scopes: Mapping[str, Mapping[str, str]] | None = None):
        self._scopes = {name: dict(values) for name, values in (scopes or {}).items()}

    def create(self, body: dict[str, Any]) -> dict[str, Any]:
        self._scopes.setdefault(body["scope"], {})
        return {}

    def put(self, body: dict[str, Any]) -> dict[str, Any]:
        self._keys(body["scope"])[body["key"]] = body["string_value"]
        return {}

    def list_scopes(self, _: dict[str, Any]) -> dict[str, Any]:
        return {"scopes": [{"name": name, "backend_type": "DATABRICKS"} for name in sorted(self._scopes)]}

    def list(self, body: dict[str, Any]) -> dict[str, Any]:
        return {"secrets": [{"key": key} for key in sorted(self._keys(body["scope"]))]}

    def get(self, body: dict[str, Any]) -> dict[str, Any]:
        scope, key = body["scope"], body["key"]
        keys = self._keys(scope)
        if key not in keys:
            raise missing(f"Secret does not exist with scope: {scope} and key: {key}")
        return {"key": key, "value": base64.b64encode(keys[key].encode()).decode()}

    def _keys(self, scope: str) -> dict[str, str]:
        if scope not in self._scopes:
            raise missing(f"Scope {scope} does not exist!")
        return self._scopes[scope]
