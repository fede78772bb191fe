"""The copy of this package that is sent to a cluster: modules and code sets, and nothing that lies beside them."""

import re
import shutil
from pathlib import Path

from dagster_pyspark.utils import DEFAULT_EXCLUDE

import claims_assets
from claims_assets.setting_values import SettingError

SENT = (".py", ".yaml", ".csv", ".gz", ".properties", ".sql")
"""Suffixes of what the package consists of; a `.env` or a notebook that someone left in it is none of them."""


def staged_in(folder: Path) -> Path:
    """Copy the package into `folder`, which becomes the root of the uploaded archive.

    Raises:
        SettingError: the launcher would leave out every file, because of a word in the path of `folder`.
    """
    package = Path(claims_assets.__file__).parent
    target = folder / package.name
    if any(re.search(pattern, str(target / "module.py")) for pattern in DEFAULT_EXCLUDE):
        raise SettingError(f"The launcher archives nothing under {folder}: set TMPDIR to a path without 'pytest'.")
    for source in sorted(package.rglob("*")):
        if source.suffix in SENT and source.is_file() and "__pycache__" not in source.parts:
            copy = target / source.relative_to(package)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, copy)
    return folder
