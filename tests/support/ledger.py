"""What a server has told, kept outside of it: each line is on stable storage at once."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The server answered `code` 0 for this file. `path`: on the lake, as `/data/x/a.csv`."""

    sync_id: int
    path: str
    sha256: str

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Told:
    """The server told this offset of a resumable upload: bytes before it never have to come again.

    `upload` is its address; `version` says of `path` which bytes they are.
    """

    sync_id: int
    path: str
    version: int
    upload: str
    offset_bytes: int


Received = Acknowledged | Told


def whole(received: Iterable[Received]) -> list[Acknowledged]:
    """Those that tell of a whole file."""
    return [one for one in received if isinstance(one, Acknowledged)]


class Ledger:
    """Any thread may write; `read_ledger` reads it back, also after the writer died."""

    def __init__(self, file: Path) -> None:
        self._descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._changed = threading.Condition()
        self._lines = 0

    def acknowledge(self, received: Sequence[Received]) -> None:
        text = "".join(json.dumps(asdict(one)) + "\n" for one in received)
        with self._changed:
            os.write(self._descriptor, text.encode())
            os.fdatasync(self._descriptor)
            self._lines += len(received)
            self._changed.notify_all()

    def wait_for(self, lines: int, timeout_s: float) -> bool:
        """Whether that much was told in time."""
        with self._changed:
            return self._changed.wait_for(lambda: self._lines >= lines, timeout_s)

    def close(self) -> None:
        os.close(self._descriptor)


def read_ledger(file: Path) -> list[Acknowledged]:
    return [Acknowledged(**line) for line in _lines(file) if "sha256" in line]


def read_told(file: Path) -> list[Told]:
    return [Told(**line) for line in _lines(file) if "upload" in line]


def _lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]
