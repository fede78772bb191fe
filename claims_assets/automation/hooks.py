"""Hooks: what other systems do before and after a job of `claims job`, for example open a ticket or tell a scheduler.

A plug-in is a module, or any object, with `pre_job(job)`, `post_job(job, outcome)` or both. It is found by the Python
entry point group `claims_assets.hooks`, or named in CLAIMS_HOOKS (modules with commas between them). A plug-in is told
what happens and decides nothing: it sees flags and metrics, never a member's value, and an error in it is told on the
terminal and changes neither the run nor its exit code. Elsewhere: the jobs (`cli/run_job.py`), alerts (`alerts/`).
"""

import importlib
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from types import MappingProxyType
from typing import Any

from claims_assets.setting_values import SettingError

GROUP = "claims_assets.hooks"
"""Entry point group of installed plug-ins."""
PRE, POST = "pre_job", "post_job"
Metric = float | int | str | bool
NOT_OURS = (Exception, SystemExit)
"""What a plug-in may raise without harm; an interrupt by the user still ends the command."""


@dataclass(frozen=True)
class Job:
    """A job as it was asked for."""

    name: str
    """ingest, train, score, monitor or fairness-validate."""
    environment: str
    """local, staging or production."""
    flags: Mapping[str, str] = field(default_factory=dict)
    """The flags that were given, without their dashes."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "flags", MappingProxyType(dict(self.flags)))


@dataclass(frozen=True)
class Outcome:
    """How a job ended."""

    succeeded: bool
    metrics: Mapping[str, Metric] = field(default_factory=dict)
    """Numbers and words about tables, models and groups; none about a member."""
    error: str = ""
    """Why it failed, in the sentence that the user sees; empty where it succeeded."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "metrics", MappingProxyType(dict(self.metrics)))


@dataclass(frozen=True)
class Hooks:
    """All plug-ins, in the order in which they are called."""

    plugins: Sequence[tuple[str, Any]] = field(default_factory=tuple)
    """Name of the plug-in, to speak of it, and the plug-in."""
    tell: Callable[[str], None] = print

    def before(self, job: Job) -> None:
        """Tell every plug-in that a job begins."""
        self._call(PRE, job)

    def after(self, job: Job, outcome: Outcome) -> None:
        """Tell every plug-in how a job ended."""
        self._call(POST, job, outcome)

    def _call(self, function: str, job: Job, *more: Any) -> None:
        for name, plugin in self.plugins:
            hook = getattr(plugin, function, None)
            if hook is None:
                continue
            try:
                hook(job, *more)
            except NOT_OURS as error:
                self.tell(f"The hook {name}.{function} failed at job {job.name} ({_where(error)}). The job goes on.")


def hooks_for(modules: Iterable[str], tell: Callable[[str], None]) -> Hooks:
    """The plug-ins that are installed, then those of these modules.

    An installed plug-in that can't be loaded is told and left out.

    Raises:
        SettingError: a module can't be imported, or has neither function.
    """
    found: list[tuple[str, Any]] = []
    for entry in sorted(entry_points(group=GROUP), key=lambda e: e.name):
        try:
            found.append((entry.name, entry.load()))
        except NOT_OURS as error:
            tell(f"The installed hook {entry.name} can't be loaded ({_where(error)}) and is left out.")
    return Hooks((*found, *[(name, _module(name)) for name in modules]), tell)


def _module(name: str) -> Any:
    try:
        module = importlib.import_module(name)
    except NOT_OURS as error:
        raise SettingError(
            f"CLAIMS_HOOKS names {name}, which can't be imported ({type(error).__name__}): put it on PYTHONPATH, or"
            " take it out."
        ) from error
    if not any(callable(getattr(module, function, None)) for function in (PRE, POST)):
        raise SettingError(
            f"CLAIMS_HOOKS names {name}, which has no function {PRE} or {POST}: add one, or take it out."
        )
    return module


def _where(error: BaseException) -> str:
    """Kind and place of an error. Not its text: a plug-in may have read what must not be shown."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" in {frames[-1].filename.rsplit('/', 1)[-1]}, line {frames[-1].lineno}" if frames else ""
    return type(error).__name__ + place
