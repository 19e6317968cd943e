"""A real server whose disk takes as long to exchange two folders as the test wants.

The test makes a FIFO and names it in the environment: opening it for writing waits until the swap
has come to the exchange, closing it lets the swap go on.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from embedded_server.__main__ import main
from embedded_server.storage.disk import Disk

FIFO = "SLOW_SWAP_FIFO"


class _SlowSwap(Disk):
    def exchange(self, one: str, other: str) -> bool:
        Path(os.environ[FIFO]).read_bytes()
        return super().exchange(one, other)


if __name__ == "__main__":
    sys.exit(main(disk=_SlowSwap()))
