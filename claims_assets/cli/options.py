"""What commands share: the type of a month, and the settings with the errors that a user can mend."""

import functools
from collections.abc import Callable
from typing import Any

import click

from claims_assets.setting_values import MONTH_PATTERN
from claims_assets.settings import SettingError, settings_from_environment


class Month(click.ParamType):
    """A claim month, YYYY-MM."""

    name = "YYYY-MM"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not MONTH_PATTERN.match(str(value)):
            self.fail(f"{value!r} is not a month: write it as YYYY-MM, for example 2024-03.", param, ctx)
        return str(value)


def with_settings(command: Callable[..., None]) -> Callable[..., None]:
    """Give the command its settings, and turn the errors a user can mend into their one sentence, without a trace.

    The settings come first: most modules read the start month when they are imported.
    """

    @functools.wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> None:
        try:
            settings = settings_from_environment()
        except SettingError as error:
            raise click.ClickException(str(error)) from error
        from claims_assets.cli.errors import mendable

        try:
            command(settings, *args, **kwargs)
        except mendable() as error:
            raise click.ClickException(str(error)) from error

    return wrapped
