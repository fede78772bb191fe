"""Where extracts lie, and the key of their pseudonyms.

Here: folders, files as written, the key. Elsewhere: how a file is written (`extract_files.py`), what is in it (one
module an extract).
"""

import contextlib
import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

import dagster as dg

from claims_assets.settings import PSEUDONYM_KEY

MANIFEST = "extract.json"
FORMATS = ("csv", "parquet")
OWNER_ONLY = 0o600


class NoKey(Exception):
    """There is no key to make pseudonyms with."""


class NoExtract(Exception):
    """The extract of a month does not exist, or is not whole."""


@dataclass(frozen=True)
class Manifest:
    """What was written for one month of one extract; written after its files."""

    name: str
    claim_month: str
    rows: int
    columns: tuple[str, ...]
    inputs: str
    """Hash of the contents that were read."""
    sha256: dict[str, str]
    """Format -> hash of the file."""


class ExtractFolder(dg.ConfigurableResource):
    """Files of extracts at `<folder>/<name>/claim_month=YYYY-MM/<name>.<format>`."""

    folder: str
    pseudonym_key: str | None = None
    key_file: str | None = None
    """File with a key of this installation alone, made when it is first needed; None: there must be a key."""

    def of_month(self, name: str, month: str) -> Path:
        """Folder of one month of an extract."""
        return Path(self.folder) / name / f"claim_month={month}"

    def manifest(self, name: str, month: str) -> Manifest | None:
        """What was written for the month; None where nothing was, or a step was ended before it was done."""
        try:
            found = json.loads((self.of_month(name, month) / MANIFEST).read_text(encoding="utf-8"))
        except (FileNotFoundError, json.JSONDecodeError):
            return None
        return Manifest(**found | {"columns": tuple(found["columns"])})

    def keep(self, manifest: Manifest) -> None:
        """Write the manifest of files that are in place."""
        path = self.of_month(manifest.name, manifest.claim_month) / MANIFEST
        new = path.with_name(f".{MANIFEST}.new")
        with private(new) as file:
            file.write(json.dumps(asdict(manifest), indent=1).encode())
        new.replace(path)

    def key(self) -> bytes:
        """The secret with which pseudonyms are made.

        Raises:
            NoKey: none is set, and this is not a local installation.
        """
        if self.pseudonym_key:
            return self.pseudonym_key.encode()
        if self.key_file is None:
            raise NoKey(
                f"Pseudonyms need a secret, and {PSEUDONYM_KEY} is not set: set it to at least 32 random characters,"
                " on Databricks through CLAIMS_SECRETS. There is no default outside a local installation."
            )
        path = Path(self.key_file)
        path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError), private(path) as file:
            file.write(secrets.token_hex(32).encode())
        return path.read_bytes()


def private(path: Path):
    """A new file for writing that its owner alone may read, from its first byte on.

    Raises:
        FileExistsError: it exists.
    """
    return open(path, "xb", opener=lambda name, flags: os.open(name, flags, OWNER_ONLY))
