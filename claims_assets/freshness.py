"""A cadence as Dagster's freshness policy. Dagster asks when an asset was last built, whatever month that build was of;
whether all claim months are there is asked elsewhere (`automation/completeness.py`).
"""

import dagster as dg

from claims_assets.layers import Cadence


def policy(cadence: Cadence) -> dg.FreshnessPolicy:
    """WARN when the last build is older than `warn_after`, FAIL when older than `fail_after`."""
    return dg.FreshnessPolicy.time_window(fail_window=cadence.fail_after, warn_window=cadence.warn_after)
