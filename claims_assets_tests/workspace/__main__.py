"""`python -m claims_assets_tests.workspace --root FOLDER`: a workspace until Ctrl-C."""

import threading
from pathlib import Path

import click

from claims_assets_tests.workspace.server import serving


@click.command()
@click.option("--root", type=click.Path(path_type=Path), required=True, help="Folder of DBFS and of running tasks.")
@click.option("--port", default=8765, show_default=True)
@click.option("--token", default="dapi-local", show_default=True, help="Personal access token that is let in.")
@click.option("--client", "client", default="local-client:local-secret", show_default=True, help="OAuth id:secret.")
@click.option("--scope", default="claims", show_default=True, help="An empty secret scope.")
@click.option("--warm/--cold", default=False, help="Fork tasks from a process that has imported the libraries.")
def main(root: Path, port: int, token: str, client: str, scope: str, warm: bool) -> None:
    """Serve a local Databricks workspace."""
    name, _, secret = client.partition(":")
    options = {"tokens": [token], "clients": {name: secret}, "secrets": {scope: {}}}
    with serving(root, port=port, warm=warm, **options) as workspace:
        click.echo(f"Workspace at {workspace.url}; end it with Ctrl-C.")
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            click.echo("Stopped.")


if __name__ == "__main__":
    main()
