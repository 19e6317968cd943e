"""A machine for set-up's tests: it notes what is done to it, and nothing is."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from system_needs import Machine


class Terminal:
    """A machine that notes what set-up does to it; `venv` makes a `.venv` that starts."""

    def __init__(self) -> None:
        self.commands: list[str] = []
        self.said: list[str] = []
        self.has: set[str] = set()
        self.failing = ""

    def run(self, command: Sequence[str]) -> int:
        line = " ".join(command)
        self.commands.append(line)
        if " -m venv " in line:
            python = Path(command[-1]) / "bin" / "python"
            python.parent.mkdir(parents=True, exist_ok=True)
            python.unlink(missing_ok=True)
            python.symlink_to(sys.executable)
        return 1 if self.failing and self.failing in line else 0

    def machine(self, *, is_root: bool = False, in_ci: bool = False) -> Machine:
        return Machine(
            run=self.run,
            has=lambda need: need in self.has,
            is_root=is_root,
            in_ci=in_ci,
            say=self.said.append,
        )

    def steps(self) -> list[str]:
        """What was run since the last look, each by its telling word."""
        words = {
            " -m venv ": "venv",
            "requirements-dev.lock": "dev",
            "requirements.lock": "run",
            "shiboken6": "helpers",
        }
        seen = [
            next((word for part, word in words.items() if part in line), "project")
            for line in self.commands
        ]
        self.commands.clear()
        return seen
