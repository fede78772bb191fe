"""Run the console script as a user does: in a process of its own, with CLAIMS_HOME and nothing else set."""

import os
import subprocess
import sys
from pathlib import Path


def claims(home: Path, *arguments: str, data_limit: int | None = None, **more: str) -> subprocess.CompletedProcess[str]:
    """The finished process; `more` adds environment variables, `data_limit` is what its shell lets it hold (bytes)."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("CLAIMS_", "DAGSTER_", "MLFLOW_"))}
    environment = kept | {"CLAIMS_HOME": str(home), "MLFLOW_DISABLE_TELEMETRY": "true", **more}
    script = Path(sys.executable).with_name("claims")
    shell = ["sh", "-c", f'ulimit -d {data_limit >> 10} && exec "$0" "$@"'] if data_limit else []
    return subprocess.run([*shell, script, *arguments], env=environment, capture_output=True, text=True, check=False)
