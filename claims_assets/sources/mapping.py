"""How a payer's own files become a feed of landing contract v1: one YAML a feed, `<landing>/<feed>.yaml`.

Here: finding the file and the ready mapping it uses, and joining the two. Elsewhere: what each key may hold
(`mapping_keys.py`), applying a mapping to records (`shape.py`). A feed without a YAML brings the contract's own names.
"""

import hashlib
import json
from collections.abc import Mapping as Map
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from claims_assets.sources import mapping_keys as keys
from claims_assets.sources.feeds import FEEDS, Feed
from claims_assets.sources.mapping_keys import MappingError, ReceivedOn
from claims_assets.sources.yaml_text import load_text

UNKNOWN = ReceivedOn()
READY = resources.files("claims_assets.sources") / "mappings"


@dataclass(frozen=True)
class Mapping:
    """One feed's mapping, complete and judged; build it with `Mapping.load`."""

    feed: str
    files: str = keys.ALL_FILES
    """Glob below the feed's folder."""
    table: str = keys.PROVIDERS_TABLE
    delimiter: str | None = None
    rename: Map[str, tuple[str, ...]] = field(default_factory=dict)
    """Their column -> our columns."""
    constants: Map[str, str] = field(default_factory=dict)
    """Our column -> its value in files that do not have it."""
    date_format: Map[str, str] = field(default_factory=dict)
    """Our column -> strptime format."""
    value_map: Map[str, Map[str, str]] = field(default_factory=dict)
    """Our column -> their value -> our value."""
    received_on: ReceivedOn = UNKNOWN
    drop: tuple[str, ...] = ()
    """Their columns whose values are kept nowhere."""
    own: frozenset[str] = frozenset()
    """Their columns that the user's file itself renames or drops, as against a ready mapping's."""

    @staticmethod
    def load(landing: Path, feed: str) -> "Mapping":
        """The mapping of a feed: `<landing>/<feed>.yaml` over the ready mapping it uses; the plain one without a file.

        Raises:
            MappingError: the file says something that can't be meant.
        """
        where = f"{feed}.yaml"
        path = landing / where
        if not path.exists():
            return Mapping(feed)
        given = keys.known_keys(load_text(path), where)
        judged = _build(given, FEEDS[feed], where)
        if "use" not in given:
            return judged
        return _build(_merged(_ready(given["use"], FEEDS[feed], where), given), FEEDS[feed], where, judged.own)

    @property
    def fingerprint(self) -> str:
        """Stable hash of everything that changes what a file becomes."""
        parts = {n: getattr(self, n) for n in ("delimiter", "rename", "constants", "date_format", "value_map")}
        parts |= {"received_on": vars(self.received_on), "drop": sorted(self.drop), "columns": FEEDS[self.feed].columns}
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def ready_names() -> list[str]:
    """Names that `use` knows."""
    return sorted(p.name.removesuffix(".yaml") for p in READY.iterdir() if p.name.endswith(".yaml"))


def _ready(name: Any, feed: Feed, where: str) -> dict[str, Any]:
    """The document of a ready mapping, judged for this feed."""
    if name not in ready_names():
        raise MappingError(f"{where}: use: there is no ready mapping {name!r}: use one of {', '.join(ready_names())}.")
    with resources.as_file(READY / f"{name}.yaml") as path:
        document = keys.known_keys(load_text(path), f"{name}.yaml")
    _build(document, feed, f"{where}: use: {name}.yaml")
    return document


def _merged(ready: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """The user's keys over the ready ones: maps are joined, and a column of ours that the user names is the user's."""
    taken = {t for ours in (given.get("rename") or {}).values() for t in keys.targets(ours)} | set(
        given.get("constants") or {}
    )
    free = {
        theirs: [t for t in keys.targets(ours) if t not in taken]
        for theirs, ours in (ready.get("rename") or {}).items()
    }
    dropped = given.get("drop") or []
    rename = {theirs: ours for theirs, ours in free.items() if ours and theirs not in dropped}
    old, new = ready.get("value_map") or {}, given.get("value_map") or {}
    return {
        **ready,
        **given,
        "rename": rename | (given.get("rename") or {}),
        "constants": {k: v for k, v in (ready.get("constants") or {}).items() if k not in taken}
        | (given.get("constants") or {}),
        "value_map": {c: {**(old.get(c) or {}), **(new.get(c) or {})} for c in {**old, **new}},
        "drop": [*(d for d in ready.get("drop") or [] if d not in (given.get("rename") or {})), *dropped],
    }


def _build(given: dict[str, Any], feed: Feed, where: str, own: frozenset[str] | None = None) -> Mapping:
    """A judged mapping of a YAML document; `own` defaults to all columns of theirs that it names."""
    rename, constants = keys.rename(given, feed, where), keys.constants(given, feed, where)
    drop = tuple(dict.fromkeys(keys.drop(given, where)))
    keys.one_source_each(rename, constants, drop, where)
    return Mapping(
        feed=feed.name,
        files=keys.files(given, where),
        table=keys.table(given, feed, where),
        delimiter=keys.delimiter(given, where),
        rename=rename,
        constants=constants,
        date_format=keys.date_format(given, feed, where),
        value_map=keys.value_map(given, feed, where),
        received_on=keys.received_on(given, where),
        drop=drop,
        own=frozenset([*rename, *drop]) if own is None else own,
    )
