"""Text of environment variables as typed values; what can't be used is refused by name, with the remedy."""

import re
from collections.abc import Mapping
from typing import Any

from claims_assets.runtime.memory import machine

MONTH_PATTERN = re.compile(r"^\d{4}-(0[1-9]|1[0-2])$")
NAME_PATTERN = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*$")
UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}


class SettingError(ValueError):
    """A setting that can't be used; the message names the variable and the remedy."""


def one_of(name: str, value: str, legal: tuple[Any, ...]) -> Any:
    """The value, if it is legal."""
    if value not in legal:
        raise SettingError(f"{name}={value!r} is not one of {', '.join(legal)}: set it to one of these or unset it.")
    return value


def plain_name(name: str, value: str | None) -> str | None:
    """A name that needs no quotes in SQL; None where none is given."""
    if value and not NAME_PATTERN.match(value):
        raise SettingError(f"{name}={value!r} is no plain name: use letters, digits and underscores.")
    return value or None


def month(name: str, value: str) -> str:
    """A month as YYYY-MM."""
    if not MONTH_PATTERN.match(value):
        raise SettingError(f"{name}={value!r} is not a month: write it as YYYY-MM, for example 2022-01.")
    return value


def month_or_none(name: str, value: str | None) -> str | None:
    """A month as YYYY-MM, or None where none is given."""
    return month(name, value) if value else None


def size_in_bytes(name: str, value: str | None) -> int:
    """A size such as 2GB; half of the memory that this process could have where none is given."""
    if value is None or value == "":
        return machine() // 2
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)I?B?", value.strip().upper())
    if not found:
        raise SettingError(f"{name}={value!r} is not a size: write for example 2GB or 512MB.")
    return int(float(found[1]) * UNITS[found[2]])


def number(name: str, value: str, *, least: float) -> float:
    """A number of at least `least`."""
    try:
        found = float(value)
    except ValueError:
        found = least - 1
    if not found >= least:
        raise SettingError(f"{name}={value!r} is not a number of at least {least:g}: correct or unset it.")
    return found


def names(value: str | None) -> tuple[str, ...]:
    """A list of names with commas between them."""
    return tuple(part.strip() for part in (value or "").split(",") if part.strip())


def pairs(name: str, value: str) -> tuple[tuple[str, str], ...]:
    """A list key=value,key=value."""
    found = [tuple(part.strip() for part in text.split("=")) for text in names(value)]
    if any(len(pair) != 2 for pair in found):
        raise SettingError(f"{name}={value!r} is no list of tags: write key=value,key=value.")
    return tuple((key, text) for key, text in found)


def needed(env: Mapping[str, str], name: str, what: str, by: str) -> str:
    """A variable that must be set because of the setting `by`."""
    value = env.get(name)
    if not value:
        raise SettingError(f"{by} needs {name}: set it to {what}.")
    return value
