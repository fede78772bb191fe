"""A synthetic Medicaid population as landing files: for tests, demonstrations and measurements, never in production.

`generate` is the whole interface; docs/synthetic_data.md says what the files hold. Off the production path: no other
package imports this one, except the command line.
"""

from claims_assets.synthetic.generator import generate
from claims_assets.synthetic.manifest import Summary, SyntheticError

__all__ = ["Summary", "SyntheticError", "generate"]
