"""Ctrl-C and SIGTERM as one exception that knows the exit code."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any

from app.cli.exits import INTERRUPTED, TERMINATED


class Interrupted(BaseException):
    """The user or the system wants the command to end. No `Exception`: nothing may swallow it."""

    def __init__(self, exit_code: int) -> None:
        super().__init__(exit_code)
        self.exit_code = exit_code


class Interrupts:
    """While entered, the two signals raise `Interrupted` in the main thread, or wait while held.

    The first one holds all that follow: whoever deals with it is not torn out of that, wherever it
    stands. `let_in` is the place to listen again.
    """

    def __init__(self) -> None:
        self._held = False
        self._pending: Interrupted | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Interrupts:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @contextmanager
    def held(self) -> Iterator[None]:
        """What must not be cut in two, such as asking for a job and learning its number."""
        self._held = True
        try:
            yield
        finally:
            self._held = False
        self._raise_pending()

    @contextmanager
    def let_in(self) -> Iterator[None]:
        """A wait that another signal may cut, also one that came since the first."""
        self._held = False
        try:
            self._raise_pending()
            yield
        finally:
            self._held = True

    def _raise_pending(self) -> None:
        if self._pending is not None:
            pending, self._pending, self._held = self._pending, None, True
            raise pending

    def _on_signal(self, number: int, _: FrameType | None) -> None:
        interrupted = Interrupted(TERMINATED if number == signal.SIGTERM else INTERRUPTED)
        if self._held:
            self._pending = interrupted
        else:
            self._held = True
            raise interrupted
