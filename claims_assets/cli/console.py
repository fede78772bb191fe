"""Where commands print."""

from rich.console import Console

PIPE_WIDTH = 150


def console_for() -> Console:
    """A console as wide as the terminal; wide enough for the summary where there is none (a pipe, a log)."""
    console = Console()
    return console if console.is_terminal else Console(width=PIPE_WIDTH)
