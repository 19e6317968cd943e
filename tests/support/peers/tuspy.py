"""Runs tuspy, as it comes from PyPI, in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import TracebackType

_SCRIPT = Path(__file__).with_name("tuspy_upload.py")


class TuspyUpload:
    """`offset_bytes` is where the client stands, after each piece."""

    def __init__(
        self,
        endpoint: str,
        file: Path,
        metadata: dict[str, str],
        storage: Path,
        chunk_bytes: int,
        *,
        checksums: bool,
    ) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(_SCRIPT)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        wanted = {
            "endpoint": endpoint,
            "file": str(file),
            "metadata": metadata,
            "storage": str(storage),
            "chunk_bytes": chunk_bytes,
            "checksums": checksums,
        }
        self.offset_bytes = self._ask(json.dumps(wanted))

    def send_piece(self) -> None:
        self.offset_bytes = self._ask("next")

    def _ask(self, line: str) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "tuspy ended by itself: see its standard error"
        return int(answer)

    def __enter__(self) -> TuspyUpload:
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.communicate()
