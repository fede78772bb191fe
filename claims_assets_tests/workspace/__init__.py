"""A local Databricks workspace: the REST calls of the step launcher, answered on loopback, with tasks that really run.

`server.py` speaks HTTP, one module answers each API (`dbfs.py`, `runs.py`, `identity.py`, `scopes.py`,
`permissions.py`), `cluster.py` starts the process of a task and `driver.py` is that process. `faults.py` makes the
service fail on demand. Standard library only; nothing here knows what the tasks do.

It is no cluster: one machine, no Unity Catalog, no FUSE mount of `/dbfs` (parameters that begin with `/dbfs/` are
rewritten to a folder), and libraries are looked up rather than installed.
"""
