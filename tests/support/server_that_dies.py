"""A real server that dies, without a word, at the step of its disk that the environment names.

`DIE_AT=exchange` or `DIE_AT=rename:2` (the second one). Only steps after the first upload that the
server staged count, so that its own start is not hit. `DIE_AT=write:80@partial` counts those whose
path has `partial` in it, from the start on.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from embedded_server.__main__ import main
from tests.support.observed_disk import ObservedDisk, Step

DIE_AT = "DIE_AT"


class _DyingAt:
    def __init__(self, where: str) -> None:
        step, _, self._place = where.partition("@")
        self._what, _, number = step.partition(":")
        self._left = int(number or "1")
        self._uploads_seen = bool(self._place)

    def __call__(self, step: Step) -> None:
        if step[0] == self._what and self._uploads_seen and self._place in step[1]:
            self._left -= 1
            if self._left == 0:
                os._exit(9)
        if step[0] == "replace" and "staging" in step[1]:
            self._uploads_seen = True


if __name__ == "__main__":
    sys.exit(main(disk=ObservedDisk(_DyingAt(os.environ[DIE_AT]))))
