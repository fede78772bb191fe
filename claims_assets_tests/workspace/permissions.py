"""Access control lists of jobs and clusters: kept and given back, not enforced."""

from typing import Any


class Permissions:
    """Object type and id -> what was granted."""

    def __init__(self) -> None:
        self.granted: dict[tuple[str, str], list[dict[str, Any]]] = {}

    def update(self, kind: str, name: str, body: dict[str, Any]) -> dict[str, Any]:
        self.granted.setdefault((kind, name), []).extend(body.get("access_control_list", []))
        return self.get(kind, name)

    def get(self, kind: str, name: str) -> dict[str, Any]:
        entries = self.granted.get((kind, name), [])
        return {"object_id": f"/{kind}/{name}", "object_type": kind, "access_control_list": entries}
