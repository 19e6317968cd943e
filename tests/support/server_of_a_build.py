"""A server of one of the broken builds as a process from its first instruction on.

For faults that must be there before Python is: `LD_PRELOAD`. `BUILD` in the environment names it.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from embedded_server.__main__ import main
from tests.support.broken_builds import BUILDS

BUILD = "LAKEDROP_TEST_BUILD"

if __name__ == "__main__":
    sys.exit(main(disk=BUILDS[os.environ[BUILD]]()))
