"""A clock of a process that jumps when a test says so (libfaketime); monotonic time stays real."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.support.needs import needs_tool


class JumpingClock:
    """Give `environment` to the process; files' time stamps seem to jump with its clock."""

    def __init__(self, folder: Path) -> None:
        self._offset = folder / "clock"
        self.jump_to("+0")
        self.environment = {
            "LD_PRELOAD": _library(),
            "FAKETIME_TIMESTAMP_FILE": str(self._offset),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def jump_to(self, offset: str) -> None:
        """From the real time: `+30d`, `-1y`. A running process meets it within a second."""
        whole = self._offset.with_suffix(".new")
        whole.write_text(offset + "\n", encoding="ascii")
        whole.replace(self._offset)


def _library() -> str:
    """As the command names it, wherever the system keeps it."""
    _clear_up_after_the_dead()
    command = [needs_tool("faketime"), "-f", "+0", "printenv", "LD_PRELOAD"]
    told = subprocess.run(command, capture_output=True, text=True, check=True, env=dict(os.environ))
    return told.stdout.strip()


def _clear_up_after_the_dead() -> None:
    """The library makes two names of its process's number, which a killed one leaves behind: with
    that number given again the command would fail."""
    for name in ("faketime_shm_", "sem.faketime_sem_"):
        for left in Path("/dev/shm").glob(f"{name}*"):  # where the system has them
            if not Path("/proc", left.name.removeprefix(name)).exists():
                left.unlink(missing_ok=True)
