"""Steps on Databricks: the same graph, each step on a cluster of its layer's size, chosen by settings alone.

`launchers.py` maps sizes to resources, `clusters.py` and `libraries.py` say what a cluster is and has, `code.py` what
is sent to it, `launcher.py` runs a step there, `failures.py` says in one sentence what went wrong. Nothing else in the
package knows about Databricks.
"""
