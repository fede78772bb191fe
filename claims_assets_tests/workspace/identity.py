"""Who calls: personal access tokens, and OAuth tokens that a service principal gets for its client id and secret."""

import base64
import time
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from claims_assets_tests.workspace.errors import ApiError

DEFAULT_LIFETIME = 3600
"""Seconds that an OAuth token lives, as on the real service."""


class Identity:
    """Tokens and service principals of a workspace."""

    def __init__(self, tokens: Sequence[str] = (), clients: Mapping[str, str] | None = None):
        self._expires = dict.fromkeys(tokens, float("inf"))
        self.clients = dict(clients or {})
        self.lifetime = DEFAULT_LIFETIME

    def check(self, authorization: str | None) -> None:
        """Let the bearer of a living token in; the codes of these three answers are numbers on the real service too."""
        if not authorization:
            message = "Credential was not sent or was of an unsupported type for this API."
            raise ApiError(401, 401, message)
        kind, _, token = authorization.partition(" ")
        if kind != "Bearer" or token not in self._expires:
            raise ApiError(403, 403, "Invalid access token.")
        if self._expires[token] <= time.time():
            raise ApiError(403, 403, "JWT has expired")

    def endpoints(self, host: str) -> dict[str, Any]:
        return {"authorization_endpoint": f"{host}/oidc/v1/authorize", "token_endpoint": f"{host}/oidc/v1/token"}

    def token(self, authorization: str | None) -> dict[str, Any]:
        """A token for the client credentials of a Basic header."""
        _, _, encoded = (authorization or "").partition(" ")
        client, _, secret = base64.b64decode(encoded).decode().partition(":")
        if not secret or self.clients.get(client) != secret:
            raise ApiError(401, "invalid_client", "Client authentication failed")
        return {"access_token": self.issue(self.lifetime), "token_type": "Bearer", "expires_in": self.lifetime}

    def issue(self, seconds: float) -> str:
        """A new token; a running task gets one of its own, to ask for secrets."""
        token = f"oauth-{uuid.uuid4().hex}"
        self._expires[token] = time.time() + seconds
        return token

    def expire_all(self) -> None:
        """Every token is refused as expired from now on."""
        self._expires = dict.fromkeys(self._expires, 0.0)
