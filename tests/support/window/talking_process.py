"""The test's end of a Qt program that answers JSON lines, and what that wrote to its log."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.support.window.waiting import LONGEST_S

_REPOSITORY = Path(__file__).resolve().parents[3]


class ProcessGone(AssertionError):
    """It ended instead of answering."""


class TalkingProcess:
    def __init__(self, words: Sequence[str], environ: Mapping[str, str], log: Path) -> None:
        """`words` follow `python`; `log` takes its standard error."""
        self._log = log
        with log.open("ab") as errors:
            self.process = subprocess.Popen(
                [sys.executable, *words],
                cwd=_REPOSITORY,
                env=environ,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                encoding="utf-8",
            )
        self._lines: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def ask(self, what: str, *, within_s: float = LONGEST_S, **fields: object) -> Any:
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps({"ask": what, **fields}) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError as cause:
            raise ProcessGone(self._story("it is gone")) from cause
        try:
            line = self._lines.get(timeout=within_s)
        except queue.Empty as cause:
            raise AssertionError(self._story(f"no answer to {what} in {within_s} s")) from cause
        if not line:
            raise ProcessGone(self._story("it ended"))
        answer = json.loads(line)
        if "error" in answer:
            raise LookupError(answer["error"])
        return answer["answer"]

    def errors(self) -> str:
        """What it wrote to standard error so far."""
        return self._log.read_text("utf-8", "replace")

    def wait(self, within_s: float = LONGEST_S) -> int:
        """Its exit code, when it ends by itself."""
        try:
            return self.process.wait(within_s)
        except subprocess.TimeoutExpired as cause:
            raise AssertionError(self._story(f"it did not end in {within_s} s")) from cause

    def end(self) -> None:
        """Whatever state it is in. Lets go of the pipes."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._reader.join()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            try:
                pipe.close()
            except BrokenPipeError:
                continue  # a question that it did not read any more

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put("")

    def _story(self, what: str) -> str:
        return f"{what} (exit code {self.process.poll()}); it wrote:\n{self.errors()}"
