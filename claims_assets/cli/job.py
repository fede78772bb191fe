"""Entry of a Databricks job's task: the console script, ending as a task must.

A task that a job starts is loaded as a function, and an exit, even with success, can be taken for a failure there. So
this returns, or raises with the one sentence that the console script would print.
"""

import click

from claims_assets.cli.main import claims


def main() -> None:
    """Run `claims` with the parameters of the task.

    Raises:
        RuntimeError: what a user can mend, in one sentence.
    """
    try:
        claims(standalone_mode=False)
    except click.ClickException as error:
        raise RuntimeError(error.format_message()) from None
