"""Steps on a local Databricks workspace: the launchers, their failures, and one month end to end."""
