"""A landing folder and a lake for one test: write files, refresh a feed, read back what was staged."""

from pathlib import Path
from typing import Any

from claims_assets.sources import parts, stage
from claims_assets.sources.folder import FilesOf, files_by_path
from claims_assets.sources.refreshed import Refreshed

CLAIMS = "claim_id,member_id,claim_date,service_from_date"


class Zone:
    """Literal files in, rows out."""

    def __init__(self, root: Path) -> None:
        self.landing, self.lake = root / "landing", root / "lake"
        self.landing.mkdir(parents=True, exist_ok=True)
        self.told: list[str] = []

    def put(self, path: str, content: str | bytes) -> Path:
        """Write a landing file."""
        file = self.landing / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return file

    def claims(self, path: str, *rows: str) -> Path:
        """Write medical claims: one text `claim,day` a row."""
        lines = [f"{claim},M1,{day},{day}" for claim, day in (row.split(",") for row in rows)]
        return self.put(f"medical_claims/{path}", "\n".join([CLAIMS, *lines, ""]))

    def refresh(
        self,
        feed: str = "medical_claims",
        *,
        start: str = "2022-01",
        latest: str = "2024-12",
        files_of: FilesOf = files_by_path,
    ) -> Refreshed:
        """Refresh a feed; each one must account for every row."""
        months = {"start_month": start, "latest_month": latest}
        found = stage.refresh(feed, self.landing, self.lake, **months, progress=self.told.append, files_of=files_of)
        assert found.nothing_is_lost
        return found

    def table(self, schema: str, name: str) -> list[dict[str, Any]]:
        """The rows of a table of the lake."""
        from deltalake import DeltaTable

        return parts.read(DeltaTable(str(self.lake / schema / name))).to_pylist()

    def staged(self, feed: str = "medical_claims") -> list[dict[str, Any]]:
        """The stage of a feed by file and line."""
        return sorted(self.table("landing", feed), key=lambda r: (r["source_file"], r["source_line"]))

    def aside(self, feed: str = "medical_claims") -> list[dict[str, Any]]:
        """The quarantine of a feed by file and line."""
        return sorted(self.table("quarantine", f"landing_{feed}"), key=lambda r: (r["source_file"], r["source_line"]))

    def ids(self) -> list[str]:
        """Claim ids of the stage."""
        return sorted(r["claim_id"] for r in self.staged())

    def version(self, feed: str = "medical_claims") -> int:
        """Version of a feed's stage."""
        from deltalake import DeltaTable

        return DeltaTable(str(self.lake / "landing" / feed)).version()
