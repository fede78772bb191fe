"""Where an asset is written, as a link in the Dagster UI.

Dagster's own helper would point at the decorator that makes the assets, which is the same line for all of them.
"""

import inspect
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg

PACKAGE = Path(__file__).parent
KEY = "dagster/code_references"

# Dagster marks links to the code as beta, and would say so once for every table.
warnings.filterwarnings(
    "ignore", "Class `(LocalFileCodeReference|CodeReferencesMetadataValue)`", category=dg.BetaWarning
)


def link_to(file: Path, line: int = 1) -> dict[str, Any]:
    """Metadata that links to a line of a file."""
    label = str(file.relative_to(PACKAGE.parent))
    return {
        KEY: dg.CodeReferencesMetadataValue(
            code_references=[dg.LocalFileCodeReference(file_path=str(file), line_number=line, label=label)]
        )
    }


def link_to_function(function: Callable[..., Any]) -> dict[str, Any]:
    """Metadata that links to the first line of a function, its decorator."""
    return link_to(Path(inspect.getfile(function)), inspect.getsourcelines(function)[1])
