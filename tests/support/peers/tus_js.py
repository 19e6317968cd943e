"""Runs tus-js-client, as it comes from npm, in a process of its own."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.support.needs import needs_folder, needs_tool

_ROOT = Path(__file__).resolve().parents[3]
_PACKAGES = _ROOT / ".venv" / "node"
_SCRIPT = Path(__file__).with_name("tus_upload.mjs")


class TusJsUpload:
    """One run of the client; `rows` waits until it has ended."""

    def __init__(
        self,
        endpoint: str,
        file: Path,
        metadata: dict[str, str],
        storage: Path,
        chunk_bytes: int | None = None,
        die_at_bytes: int | None = None,
    ) -> None:
        """`die_at_bytes`: it kills itself, as a crash would, once it has sent so many."""
        needs_folder(_PACKAGES / "node_modules" / "tus-js-client", "npm's packages")
        self._process = subprocess.Popen(
            [needs_tool("node"), str(_SCRIPT), str(_PACKAGES)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdin is not None
        wanted: dict[str, Any] = {
            "endpoint": endpoint,
            "file": str(file),
            "metadata": metadata,
            "storage": str(storage),
        }
        if chunk_bytes is not None:
            wanted["chunkSize"] = chunk_bytes
        if die_at_bytes is not None:
            wanted["dieAt"] = die_at_bytes
        self._process.stdin.write(json.dumps(wanted))
        self._process.stdin.close()

    def rows(self) -> list[dict[str, Any]]:
        """What it told until it ended."""
        assert self._process.stdout is not None
        return [json.loads(line) for line in self._process.stdout]

    def __enter__(self) -> TusJsUpload:
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.wait(60)
        if self._process.stdout is not None:
            self._process.stdout.close()
