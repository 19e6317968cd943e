"""The only crossing between window and engine: commands out, batches of changes in.

Everything slow happens on threads of its own; what they bring is handed to the window's thread in
one go, a few milliseconds at a time, so that no flood of news holds the window up.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6 import QtCore
from PySide6.QtCore import QObject, Signal, Slot
from shiboken6 import isValid

from app.domain.errors import JournalSetAside, LakeDropError

if TYPE_CHECKING:
    from app.domain.snapshots import JobSnapshot
    from app.link.engine_client import Answer, EngineClient

log = logging.getLogger(__name__)

Result = Mapping[str, Any]
OnResult = Callable[[Result], None]
OnError = Callable[[LakeDropError], None]

_DRAIN_S = 0.004
_FIRST_PAUSE_S = 0.25
_LONGEST_PAUSE_S = 5.0


class LinkState(StrEnum):
    CONNECTING = "connecting"
    READY = "ready"
    LOST = "lost"  # told in `trouble`; another try is under way


class EngineLink(QObject):
    """The engine as the window sees it. All methods and signals belong to the window's thread.

    `jobs` holds the newest snapshot of every job; `jobs_changed` names those that are newer than
    before, `jobs_gone` those that were removed. A command given before the engine is ready waits
    for it. An error that nobody asked to hear comes by `failed`.
    """

    state_changed = Signal()
    jobs_changed = Signal(object)  # set[int]
    jobs_gone = Signal(object)  # set[int]
    failed = Signal(object)  # LakeDropError
    _news = Signal()

    def __init__(self, attach: Callable[[], EngineClient], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._attach = attach
        self.state = LinkState.CONNECTING
        self.trouble: LakeDropError | None = None
        self.jobs: dict[int, JobSnapshot] = {}
        self._client: EngineClient | None = None
        self._early: list[tuple[str, OnAnswer, Mapping[str, Any]]] = []
        self._lock = threading.Lock()  # guards the four below, which any thread may touch
        self._inbox: deque[Callable[[], None]] = deque()
        self._changed: dict[int, JobSnapshot] = {}
        self._removed: set[int] = set()
        self._news_are_told = False
        self._arriving: EngineClient | None = None  # attached, and not yet taken by the window
        self._closing = threading.Event()
        self._listens = False
        self._noticed: set[str] = set()

    def open(self) -> None:
        """Attaches to the engine, starting it when none lives; again whenever it was lost."""
        self._in_thread(self._connect)

    def close(self) -> None:
        """No more calls; the engine goes on by itself with what it has to do."""
        self._closing.set()
        self._close_arriving()
        if self._client is not None:
            self._client.close()

    def ask(
        self,
        command: str,
        on_result: OnResult | None = None,
        on_error: OnError | None = None,
        *,
        owner: QObject | None = None,
        **args: Any,
    ) -> None:
        """Sends a command (`app.link.protocol`) and returns at once.

        Exactly one of the two is called later, unless `owner` (the widget that asks) is gone.
        """

        def answered(answer: Answer) -> None:
            self._post(lambda: self._deliver(answer, on_result, on_error, owner))

        if self._client is None:
            self._early.append((command, answered, args))
        else:
            self._client.post(command, answered, **args)

    def in_background(
        self,
        work: Callable[[], object],
        then: Callable[[Any], None],
        *,
        owner: QObject | None = None,
    ) -> None:
        """Runs `work` on a thread and hands what it returns to the window's thread.

        For what is slow and touches no widget; `work` must not raise.
        """

        def run() -> None:
            made = work()
            self._post(lambda: then(made) if owner is None or isValid(owner) else None)

        self._in_thread(run)

    # -- on threads --------------------------------------------------------------------------

    def _in_thread(self, work: Callable[[], None]) -> None:
        if not self._listens:  # nothing can have happened on a thread before the first one
            self._listens = True
            self._news.connect(self._take_news, QtCore.Qt.ConnectionType.QueuedConnection)
        threading.Thread(target=work, name="window", daemon=True).start()

    def _connect(self) -> None:
        pause_s = _FIRST_PAUSE_S
        while not self._closing.is_set():
            try:
                client = self._attach()
            except LakeDropError as error:
                log.warning("no engine: %s", error.message)
                self._post(partial(self._set_lost, error))
                self._closing.wait(pause_s)
                pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
            else:
                with self._lock:
                    self._arriving = client
                self._post(partial(self._set_ready, client))
                if self._closing.is_set():  # nobody takes it any more
                    self._close_arriving()
                return

    def _close_arriving(self) -> None:
        with self._lock:
            client, self._arriving = self._arriving, None
        if client is not None:
            client.close()

    def _heard(self, changed: dict[int, JobSnapshot], removed: list[int]) -> None:
        with self._lock:
            self._changed.update(changed)
            for job_id in removed:
                self._changed.pop(job_id, None)
                self._removed.add(job_id)
        self._tell_news()

    def _post(self, call: Callable[[], None]) -> None:
        with self._lock:
            self._inbox.append(call)
        self._tell_news()

    def _tell_news(self) -> None:
        with self._lock:
            if self._news_are_told or self._closing.is_set():
                return
            self._news_are_told = True
        self._news.emit()

    # -- on the window's thread --------------------------------------------------------------

    @Slot()
    def _take_news(self) -> None:
        with self._lock:
            self._news_are_told = False
            changed, self._changed = self._changed, {}
            removed, self._removed = self._removed, set()
        if self._closing.is_set():
            return
        try:
            self._take_jobs(changed, removed)
            self._drain_inbox()
        finally:
            # The rest after whatever else the window has to do; also when one of them failed.
            if self._inbox:
                self._tell_news()

    def _drain_inbox(self) -> None:
        until_s = time.monotonic() + _DRAIN_S
        while time.monotonic() < until_s:
            with self._lock:
                if not self._inbox:
                    return
                call = self._inbox.popleft()
            call()

    def _take_jobs(self, changed: dict[int, JobSnapshot], removed: set[int]) -> None:
        if changed:
            self.jobs.update(changed)
            self.jobs_changed.emit(set(changed))
        gone = {job_id for job_id in removed if self.jobs.pop(job_id, None) is not None}
        if gone:
            self.jobs_gone.emit(gone)

    def _deliver(
        self,
        answer: Answer,
        on_result: OnResult | None,
        on_error: OnError | None,
        owner: QObject | None,
    ) -> None:
        if owner is not None and not isValid(owner):
            return
        if answer.error is None:
            if on_result is not None:
                on_result(answer.result or {})
        elif on_error is not None:
            on_error(answer.error)
        else:
            self.failed.emit(answer.error)

    def _set_ready(self, client: EngineClient) -> None:
        with self._lock:
            self._arriving = None
        self._client = client
        # The engine's answer is the whole list: what it does not have is gone.
        before = set(self.jobs)
        first = True

        def on_news(changed: dict[int, JobSnapshot], removed: list[int]) -> None:
            nonlocal first
            gone = list(removed)
            if first:
                first = False
                gone += before - set(changed)
            self._heard(changed, gone)

        def on_lost(error: LakeDropError) -> None:
            self._post(lambda: self._lose(client, error))

        client.watch_jobs(on_news, on_lost)
        early, self._early = self._early, []
        for command, answered, args in early:
            client.post(command, answered, **args)
        self._set_state(LinkState.READY, None)
        if client.notice and client.notice not in self._noticed:
            self._noticed.add(client.notice)
            self.failed.emit(JournalSetAside(client.notice))

    def _lose(self, client: EngineClient, error: LakeDropError) -> None:
        if client is not self._client:
            return
        client.close()
        self._client = None
        self._set_lost(error)
        self.open()

    def _set_lost(self, error: LakeDropError) -> None:
        self._set_state(LinkState.LOST, error)

    def _set_state(self, state: LinkState, trouble: LakeDropError | None) -> None:
        self.state, self.trouble = state, trouble
        self.state_changed.emit()


OnAnswer = Callable[["Answer"], None]
