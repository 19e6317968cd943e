"""What a server has acknowledged, kept outside of it: each line is on stable storage at once."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The server answered `code` 0 for this file. `path`: on the lake, as `/data/x/a.csv`."""

    sync_id: int
    path: str
    sha256: str

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]


class Ledger:
    """Any thread may write; `read_ledger` reads it back, also after the writer died."""

    def __init__(self, file: Path) -> None:
        self._descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._changed = threading.Condition()
        self._lines = 0

    def acknowledge(self, received: Sequence[Acknowledged]) -> None:
        text = "".join(json.dumps(asdict(one)) + "\n" for one in received)
        with self._changed:
            os.write(self._descriptor, text.encode())
            os.fdatasync(self._descriptor)
            self._lines += len(received)
            self._changed.notify_all()

    def wait_for(self, lines: int, timeout_s: float) -> bool:
        """Whether that many were acknowledged in time."""
        with self._changed:
            return self._changed.wait_for(lambda: self._lines >= lines, timeout_s)

    def close(self) -> None:
        os.close(self._descriptor)


def read_ledger(file: Path) -> list[Acknowledged]:
    return [Acknowledged(**json.loads(line)) for line in file.read_text("utf-8").splitlines()]
