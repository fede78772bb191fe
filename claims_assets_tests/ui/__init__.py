"""The Dagster UI as a person meets it: webserver, daemon and code server as `claims ui` starts them, and a browser."""
