"""The outreach policy as it is written: dated versions in one YAML file, read and judged.

Here: the file. Elsewhere: the shipped file (`policy.yaml`), the versions as a table (`outreach_policy.py`), the setting
that names another file (`settings.py`), what each key means (docs/outreach.md).
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import dagster as dg

from claims_assets.partitions import add_months
from claims_assets.setting_values import MONTH_PATTERN
from claims_assets.settings import SettingError
from claims_assets.sources.feeds import LandingError
from claims_assets.sources.yaml_text import load_text

CHANNELS = ("phone", "mail", "email", "portal")
EARLIEST = "2000-01"
"""The first version holds from here at the latest, so that every claim month has a policy."""
SHIPPED = Path(str(resources.files("claims_assets.outreach"))) / "policy.yaml"
TRUTH = {"true": True, "false": False}
WHOLE_NUMBERS = {
    "weeks": (1, 5),
    "cooldown_days": (0, 3_650),
    "program_year_starts_in": (1, 12),
    "minor_age": (1, 21),
}
"""Key -> least and largest value. A month has five weeks at most; 21 is the highest age of majority in the states."""
LARGEST_HOLDOUT = 0.5
LARGEST_CAPACITY = 10_000_000
KEYS = ("valid_from", "weekly_capacity", *WHOLE_NUMBERS, "holdout_share", "holdout_seed", "lists_no_evidence",
        "lists_discuss")  # fmt: skip


class PolicyError(SettingError):
    """A policy file that can't be used; the message names file, key and remedy."""


@dataclass(frozen=True)
class Policy:
    """One version of the policy."""

    valid_from: str
    valid_to: str | None
    """Last month; None: in force."""
    weekly_capacity: Mapping[str, int]
    """Channel -> contacts a week."""
    weeks: int
    """Weeks of contacts that one list fills."""
    cooldown_days: int
    holdout_share: float
    holdout_seed: str
    program_year_starts_in: int
    """Month, 1 to 12."""
    lists_no_evidence: bool
    """Also list members whose doses may lie where the plan does not see them."""
    lists_discuss: bool
    """Also list members for whom a clinician decides."""
    minor_age: int
    """Below it a guardian is contacted."""


class PolicyFile(dg.ConfigurableResource):
    """Where the policy is written."""

    path: str | None = None
    """None: the shipped file."""

    def versions(self) -> list[Policy]:
        return policies(Path(self.path) if self.path else SHIPPED)


def policies(path: Path) -> list[Policy]:
    """The versions of a policy file, oldest first.

    Raises:
        PolicyError: the file or one of its values can't be used.
    """
    try:
        document = load_text(path)
    except FileNotFoundError:
        raise PolicyError(f"CLAIMS_OUTREACH_POLICY: there is no file {path}: correct or unset it.") from None
    except LandingError as error:
        raise PolicyError(str(error)) from None
    written = document.get("versions") if isinstance(document, dict) else None
    if not isinstance(written, list) or not written:
        raise PolicyError(f"{path.name}: versions is missing: write a list of policies, as the shipped file has it.")
    read = [_read(given, f"{path.name}: version {n}") for n, given in enumerate(written, start=1)]
    begins = [version["valid_from"] for version in read]
    if begins != sorted(set(begins)):
        raise PolicyError(f"{path.name}: valid_from: write the versions in the order of their months, one a month.")
    if begins[0] > EARLIEST:
        raise PolicyError(
            f"{path.name}: version 1: valid_from: write {EARLIEST} or earlier: every month needs a policy."
        )
    ends = [add_months(month, -1) for month in begins[1:]]
    return [Policy(**version, valid_to=end) for version, end in zip(read, [*ends, None], strict=True)]


def fingerprint(path: Path | None) -> str:
    """Hash of the file, for the `code_version` of the table; a file that is missing is named when it is read."""
    path = path or SHIPPED
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16] if path.is_file() else "missing"


def _read(given: Any, where: str) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise PolicyError(f"{where} is no mapping: write one `key: value` a line.")
    for key in given:
        if key not in KEYS:
            raise PolicyError(f"{where}: {key} is no key of a policy: use {', '.join(KEYS)}.")
    for key in KEYS:
        if key not in given:
            raise PolicyError(f"{where}: {key} is missing: write it, as the shipped file has it.")
    return {
        "valid_from": _month(given["valid_from"], where),
        "weekly_capacity": _capacities(given["weekly_capacity"], where),
        **{key: _whole(given[key], f"{where}: {key}", *bounds) for key, bounds in WHOLE_NUMBERS.items()},
        "holdout_share": _share(given["holdout_share"], f"{where}: holdout_share"),
        "holdout_seed": str(given["holdout_seed"]),
        **{key: _truth(given[key], f"{where}: {key}") for key in ("lists_no_evidence", "lists_discuss")},
    }


def _month(value: Any, where: str) -> str:
    if not MONTH_PATTERN.match(str(value)):
        raise PolicyError(f"{where}: valid_from {value!r} is not a month: write it as YYYY-MM.")
    return str(value)


def _capacities(given: Any, where: str) -> dict[str, int]:
    if not isinstance(given, dict) or sorted(given) != sorted(CHANNELS):
        raise PolicyError(f"{where}: weekly_capacity: write a number for each of {', '.join(CHANNELS)}.")
    return {c: _whole(given[c], f"{where}: weekly_capacity.{c}", 0, LARGEST_CAPACITY) for c in CHANNELS}


def _whole(value: Any, what: str, least: int, largest: int) -> int:
    text = str(value)
    if not text.isascii() or not text.isdigit() or not least <= int(text) <= largest:
        raise PolicyError(f"{what} {value!r} is not a whole number from {least} to {largest}: correct it.")
    return int(text)


def _share(value: Any, what: str) -> float:
    try:
        share = float(value)
    except (TypeError, ValueError):
        share = -1.0
    if not 0 <= share <= LARGEST_HOLDOUT:
        raise PolicyError(f"{what} {value!r} is not a share from 0 to {LARGEST_HOLDOUT}: correct it.")
    return share


def _truth(value: Any, what: str) -> bool:
    if value not in TRUTH:
        raise PolicyError(f"{what} {value!r} is not true or false: correct it.")
    return TRUTH[value]
