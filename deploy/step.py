"""What a workspace starts for a step: puts the deployed code first, then runs the step's program.

`--code <folder>` names the folder that holds the package `claims_assets`; a file that a workspace runs can't rely on
knowing its own place.
"""

import sys

sys.path.insert(0, sys.argv[sys.argv.index("--code") + 1])

from claims_assets.runtime.pipes_entry import main  # the line above makes it importable

if __name__ == "__main__":
    main()
