"""Small uploads that are here at the same time go through the lake together.

Each alone would wait for the disk and change threads twice; a group does it once for all of its
members. One group goes at a time, the next is gathered meanwhile. Clients that send one file after
the other come back right after their answer: the next group waits for as many as were answered with
the last one, but never longer than a millisecond.

    whole body ──join──> parsed, waiting ──gathered──> committed together ──> each its own answer

What needs no wait for anybody (a known full sync, folders that stand, a free process to write) is
done by the event loop itself, which is told when the disk and the catalog are done. Else a worker
does it.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

from embedded_server.contract import UploadAnswer
from embedded_server.domain.errors import LakeError
from embedded_server.domain.undisturbed import begin_undisturbed, undisturbed
from embedded_server.routes.body_pump import BUG_MESSAGE, STOPPING_MESSAGE
from embedded_server.routes.upload_form import UploadForm
from embedded_server.services.open_syncs import SyncGate
from embedded_server.services.upload_service import Upload, UploadService

_MAX_GROUP_FILES = 64
_MAX_GROUP_BYTES = 4 << 20
# More would keep the loop from its other connections for too long.
_PARSED_HERE_BYTES = 160 << 10
# How long a group waits for members that are expected: those who were answered a moment ago.
_GATHERING_S = 0.001

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Member:
    form: UploadForm
    body: bytes
    answer: asyncio.Future[UploadAnswer]
    arrived: tuple[SyncGate, Upload] | None = None  # once it was parsed
    outcome: UploadAnswer | BaseException | None = None


class UploadGroups:
    """Used by the event loop's thread alone; what waits is done by the workers."""

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
        self._committing: asyncio.Task[None] | None = None  # else nobody would hold it

    async def join(self, form: UploadForm, body: bytes) -> UploadAnswer:
        """Feeds and commits it; raises a `LakeError`. Once begun it goes on without its caller."""
        loop = asyncio.get_running_loop()
        member = _Member(form, body, loop.create_future())
        if len(body) <= _PARSED_HERE_BYTES and form.open_now():
            try:
                _parse(member)
            except Exception as error:
                why = error.message if isinstance(error, LakeError) else BUG_MESSAGE
                await undisturbed(loop.run_in_executor(self._workers, form.abort, why))
                raise
        self._waiting.append(member)
        if not self._is_running and len(self._waiting) >= self._expected:
            self._start(loop)
        return await member.answer

    def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._gathering is not None:
            self._gathering.cancel()
            self._gathering = None
        self._expected = 1
        self._give_up_the_cancelled()
        if not self._waiting:
            return
        group = self._next_group()
        self._is_running = True
        begun = self._begun(group)
        if begun is not None:
            self._committing = begin_undisturbed(self._commit_soon(loop, group, begun))
            return

        def work() -> None:
            try:
                self._commit(group)
            finally:
                loop.call_soon_threadsafe(self._answer, loop, group)

        self._workers.submit(work)

    def _give_up_the_cancelled(self) -> None:
        """Only the end of a server cancels: what has not begun by then does not begin any more."""
        for member in [it for it in self._waiting if it.answer.cancelled()]:
            self._waiting.remove(member)
            self._workers.submit(member.form.abort, STOPPING_MESSAGE)

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

    # -- by the event loop -------------------------------------------------------------------

    def _begun(self, group: Sequence[_Member]) -> Awaitable[Sequence[LakeError | None]] | None:
        """None where it would have to wait."""
        files = [member.arrived for member in group if member.arrived is not None]
        gate = files[0][0] if files else None
        if gate is None or len(files) < len(group) or any(it is not gate for it, _ in files):
            return None
        return self._service.commit_soon(gate, [upload for _, upload in files])

    async def _commit_soon(
        self,
        loop: asyncio.AbstractEventLoop,
        group: Sequence[_Member],
        begun: Awaitable[Sequence[LakeError | None]],
    ) -> None:
        try:
            _set_outcomes(group, await begun)
        except Exception as error:  # noqa: BLE001  # the catalog failed: told to every caller
            for member in group:
                work = loop.run_in_executor(self._workers, _give_up, member, error)
                await undisturbed(work)
        finally:
            self._answer(loop, group)

    # -- in a worker -------------------------------------------------------------------------

    def _commit(self, group: Sequence[_Member]) -> None:
        """Gives each member its outcome; raises nothing but what ends the process."""
        for member in group:
            if member.arrived is None:
                try:
                    member.form.open()
                    _parse(member)
                except Exception as error:  # noqa: BLE001  # told to its own caller
                    _give_up(member, error)
        whole = [member for member in group if member.outcome is None]
        try:
            files = [member.arrived for member in whole if member.arrived is not None]
            outcomes = self._service.commit(files)
        except Exception as error:  # noqa: BLE001  # the catalog failed: told to every caller
            for member in whole:
                _give_up(member, error)
            return
        _set_outcomes(whole, outcomes)


def _parse(member: _Member) -> None:
    member.form.feed(member.body)
    member.arrived = member.form.arrived()


def _set_outcomes(members: Sequence[_Member], outcomes: Sequence[LakeError | None]) -> None:
    for member, failure in zip(members, outcomes, strict=True):
        try:
            member.outcome = member.form.committed(failure)
        except LakeError as error:
            member.outcome = error


def _give_up(member: _Member, error: Exception) -> None:
    member.form.abort(error.message if isinstance(error, LakeError) else BUG_MESSAGE)
    member.outcome = error
