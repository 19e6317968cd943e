"""Small uploads that are here at the same time go through the lake together.

Each alone would wait for three journal commits of the disk and change threads twice; a group does
it once for all of its members. One group goes at a time, the next is gathered meanwhile. Clients
that send one file after the other come back right after their answer: the next group waits for
as many as were answered with the last one, but never longer than a millisecond.

    whole body ──join──> waiting ──gathered──> committed together ──> each its own answer
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

from embedded_server.contract import UploadAnswer
from embedded_server.domain.errors import LakeError
from embedded_server.routes.body_pump import BUG_MESSAGE
from embedded_server.routes.upload_form import UploadForm
from embedded_server.services.open_syncs import SyncGate
from embedded_server.services.upload_service import Upload, UploadService

_MAX_GROUP_FILES = 64
_MAX_GROUP_BYTES = 4 << 20
# How long a group waits for members that are expected: those who were answered a moment ago.
_GATHERING_S = 0.001

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Member:
    form: UploadForm
    body: bytes
    answer: asyncio.Future[UploadAnswer]
    outcome: UploadAnswer | BaseException | None = None


class UploadGroups:
    """Used by the event loop's thread alone; the work itself is done by the workers."""

    def __init__(
        self, service: UploadService, workers: Executor, gathering_s: float = _GATHERING_S
    ) -> None:
        self._service = service
        self._workers = workers
        self._gathering_s = gathering_s
        self._waiting: deque[_Member] = deque()
        self._is_running = False
        self._expected = 1
        self._gathering: asyncio.TimerHandle | None = None

    async def join(self, form: UploadForm, body: bytes) -> UploadAnswer:
        """Feeds and commits it; raises a `LakeError`. It goes on even if the caller does not."""
        loop = asyncio.get_running_loop()
        member = _Member(form, body, loop.create_future())
        self._waiting.append(member)
        if not self._is_running and len(self._waiting) >= self._expected:
            self._start(loop)
        return await member.answer

    def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._gathering is not None:
            self._gathering.cancel()
            self._gathering = None
        self._expected = 1
        if not self._waiting:
            return
        group = self._next_group()

        def work() -> None:
            try:
                self._commit(group)
            finally:
                loop.call_soon_threadsafe(self._answer, loop, group)

        self._workers.submit(work)
        self._is_running = True

    def _next_group(self) -> Sequence[_Member]:
        group = [self._waiting.popleft()]
        size_bytes = len(group[0].body)
        while self._waiting and len(group) < _MAX_GROUP_FILES:
            size_bytes += len(self._waiting[0].body)
            if size_bytes > _MAX_GROUP_BYTES:
                break
            group.append(self._waiting.popleft())
        return group

    def _answer(self, loop: asyncio.AbstractEventLoop, group: Sequence[_Member]) -> None:
        self._is_running = False
        for member in group:
            if member.answer.done():  # its caller was cancelled meanwhile
                continue
            if isinstance(member.outcome, UploadAnswer):
                member.answer.set_result(member.outcome)
            else:
                member.answer.set_exception(member.outcome or RuntimeError("a group was given up"))
        self._expected = min(len(group) + len(self._waiting), _MAX_GROUP_FILES)
        if len(self._waiting) >= self._expected:
            self._start(loop)
        else:
            self._gathering = loop.call_later(self._gathering_s, self._start, loop)

    # -- in a worker -------------------------------------------------------------------------

    def _commit(self, group: Sequence[_Member]) -> None:
        """Gives each member its outcome; raises nothing but what ends the process."""
        arrived: list[tuple[_Member, tuple[SyncGate, Upload]]] = []
        for member in group:
            try:
                member.form.open()
                member.form.feed(member.body)
                arrived.append((member, member.form.arrived()))
            except Exception as error:  # noqa: BLE001  # told to its own caller
                _give_up(member, error)
        try:
            outcomes = self._service.commit([file for _, file in arrived])
        except Exception as error:  # noqa: BLE001  # the catalog failed: told to every caller
            for member, _ in arrived:
                _give_up(member, error)
            return
        for (member, _), failure in zip(arrived, outcomes, strict=True):
            try:
                member.outcome = member.form.committed(failure)
            except LakeError as error:
                member.outcome = error


def _give_up(member: _Member, error: Exception) -> None:
    member.form.abort(error.message if isinstance(error, LakeError) else BUG_MESSAGE)
    member.outcome = error
