"""Steps in another process through Dagster Pipes: what arrives equals a local run."""
