"""curl as the client of both sides of a comparison, so that neither is held up by it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

CLIENTS = 4


class Transfers:
    """A curl configuration with many requests, to be sent by `CLIENTS` connections."""

    def __init__(self, file: Path, requests: Iterable[Sequence[tuple[str, str]]]) -> None:
        """A request is its options, as (name, value)."""
        lines = [
            "no-progress-meter",
            "parallel",
            f"parallel-max = {CLIENTS}",
            "fail",
            "silent",
            "show-error",
        ]
        for number, options in enumerate(requests):
            # `next` forgets what was set for the request before; `output` keeps bodies off stdout.
            lines += ["next", "fail", "silent", "show-error"] if number else []
            lines += [f'{name} = "{value}"' for name, value in options]
            lines += ['output = "/dev/null"']
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        self._file = file

    @classmethod
    def none(cls) -> Transfers:
        return cls(Path(os.devnull), [])

    def send(self) -> None:
        subprocess.run(["curl", "--config", str(self._file)], check=True)


def form_file(path: Path) -> tuple[str, str]:
    """The documented field."""
    return "form", f"file=@{path}"


def send_one(*arguments: str) -> None:
    quiet = ("--fail", "--silent", "--show-error", "--output", "/dev/null")
    subprocess.run(["curl", *quiet, *arguments], check=True)
