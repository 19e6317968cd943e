"""A job from *start* to *end*: start → uploads → reconcile → end.

A full sync with a missing file is never ended. An incremental one is ended without its failed
files only by consent. After a crash the run goes on under the same `sync_id`; an *end* whose
answer was lost is sent again, and *already ended* then means success. A sync that the server let
expire meanwhile is begun anew, with all its files, and the job says so.
"""

from __future__ import annotations

import logging
import random
import threading
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from app.domain import sentences
from app.domain.errors import (
    Cancelled,
    ConnectionNotUsable,
    ContractBroken,
    InvalidApiKey,
    JournalFailed,
    LakeDropError,
    LakeFull,
    LakeUnreachable,
    LocalLakeFailed,
    Remedy,
    SourceGone,
    SyncAlreadyEnded,
    SyncExpired,
    WrongUse,
)
from app.domain.ports import LakeGateway
from app.domain.queue_item import ARRIVED, IN_FLIGHT, ItemState
from app.domain.upload_job import JobState, UploadJob
from app.engine.already_there import already_there_of
from app.engine.claims import BatchLimits, Claims
from app.engine.lanes import Lanes
from app.engine.pacing import Pacing
from app.engine.progress_ledger import ProgressLedger
from app.engine.run_ports import RunPorts, RunSettings, aborted_on_server
from app.engine.shrink_guard import data_before, remember, shrinks_told
from app.engine.upload_task import UploadTask
from app.engine.workers import work
from embedded_server.contract import EXTENSION_BATCH, EXTENSION_TUS, Capabilities, SyncType

log = logging.getLogger(__name__)

# What a person or time can mend: the job waits with all its files, nothing is given up.
_NEEDS_ATTENTION = (
    LakeFull,
    LocalLakeFailed,
    ContractBroken,
    ConnectionNotUsable,
    InvalidApiKey,
    JournalFailed,
    SourceGone,
)

Result = TypeVar("Result")


class SyncRunner:
    """Runs one job on its own thread; `cancel` and `leave` may come from any other.

    `leave` (the engine ends) puts everything back into the queue, `pause` as well, but the job
    stays there until somebody resumes it; `cancel` gives it up.
    """

    def __init__(
        self,
        job: UploadJob,
        ports: RunPorts,
        ledger: ProgressLedger,
        settings: RunSettings,
        on_change: Callable[[UploadJob], None],
        pacing: Pacing,
    ) -> None:
        self._pacing = pacing
        self._job = job
        self._ports = ports
        self._ledger = ledger
        self._settings = settings
        self._on_change = on_change
        self._cancelled = threading.Event()
        self._leaving = threading.Event()
        self._paused = threading.Event()
        self._halt = threading.Event()  # any of the three
        self._claims: Claims | None = None
        self._key: str | None = None
        self._key_is_read = False
        self._note = ""  # told with every state from now on
        self._lock = threading.Lock()

    def cancel(self) -> None:
        self._cancelled.set()
        self._stop_uploads()

    @property
    def is_cancelled(self) -> bool:
        """Whether somebody asked for it; the run may have come to rest without having seen it."""
        return self._cancelled.is_set()

    def pause(self) -> None:
        self._paused.set()
        self._stop_uploads()

    def leave(self) -> None:
        self._leaving.set()
        self._stop_uploads()

    def _stop_uploads(self) -> None:
        self._halt.set()
        with self._lock:
            if self._claims:
                self._claims.stop()

    def run(self) -> None:
        """Brings the job to a state in which it rests; never raises for what a user may meet."""
        try:
            self._run()
        except Cancelled:
            self._ledger.came_to_rest()
            self._rest_after_halt()
        except LakeDropError as error:
            self._ledger.came_to_rest()
            self._rest_after(error)

    # -- the way of a job --------------------------------------------------------------------

    def _run(self) -> None:
        try:
            self._run_sync()
        except SyncExpired:
            self._start_over()
            self._run_sync()

    def _start_over(self) -> None:
        """The server keeps nothing of a full sync that expired, so all files go again."""
        journal, job_id = self._ports.journal, self._job.job_id
        log.warning("job %s: sync %s has expired and starts over", job_id, self._job.sync_id)
        again = ARRIVED | IN_FLIGHT | {ItemState.FAILED}
        journal.move_items(job_id, again, ItemState.QUEUED)
        self._ledger.load(journal.counts(job_id))
        self._note = (
            f"Nothing came for sync {self._job.sync_id} for so long that the server gave it up;"
            " all files went again, under a new one."
        )
        self._job = replace(self._job, sync_id=None, start_key="", end_sent=False, started_at_ms=0)
        self._move(JobState.QUEUED)

    def _run_sync(self) -> None:
        again = self._job.end_sent  # by an earlier run, which did not get to see the answer
        if self._job.state is not JobState.ENDING:
            capabilities = self._called(lambda gateway: gateway.capabilities())
            self._job = replace(self._job, plain_server=capabilities is None)
            if capabilities is None:
                self._check_same_names()
            else:
                self._check_names()
            if question := self._shrinks():
                self._move(JobState.NEEDS_ATTENTION, question)
                return
            self._start()
            self._upload(capabilities)
            if not self._reconcile():
                return
            self._raise_if_halted()
            self._job = replace(self._job, end_sent=True)
            self._move(JobState.ENDING)
        self._end(again)

    def _check_same_names(self) -> None:
        if self._job.consents.same_names_on_plain_server:
            return
        if twice := self._ports.journal.same_names(self._job.job_id, 1):
            raise WrongUse(sentences.SAME_NAMES(name=twice[0]))

    def _check_names(self) -> None:
        """A screen tells them before the start; whoever asks the engine itself is told here."""
        if self._job.mode is not SyncType.FULL or self._job.sync_id is not None:
            return
        for path, reason in self._ports.journal.odd_names(self._job.job_id, 1).refused:
            raise WrongUse(sentences.NAME_REFUSED(path=path, reason=reason))

    def _shrinks(self) -> str:
        """Asked anew when the sync begins: the job may have waited, and the data have grown."""
        job, journal = self._job, self._ports.journal
        if job.mode is not SyncType.FULL or job.sync_id is not None or job.consents.shrink:
            return ""
        counts = journal.counts(job.job_id)
        if not counts.files and job.consents.empty_full_sync:
            return ""
        usage = self._called(lambda gateway: gateway.usage(job.destination))
        return shrinks_told(job, data_before(job, usage, journal), counts)

    def _start(self) -> None:
        if self._job.sync_id is not None:  # goes on after a crash or a retry
            self._move(JobState.UPLOADING)
            return
        # Durable before the call: should its answer be lost, whoever asks again gets the same sync.
        self._job = replace(self._job, start_key=self._job.start_key or uuid.uuid4().hex)
        self._move(JobState.STARTING)
        job = self._job
        sync_id = self._called(
            lambda gateway: gateway.start_sync(job.name, job.destination, job.mode, job.start_key)
        )
        # Durable before the first upload: after a crash the run goes on under this id.
        self._job = replace(self._job, sync_id=sync_id, started_at_ms=self._ports.clock.now_ms())
        self._move(JobState.UPLOADING)

    def _upload(self, capabilities: Capabilities | None) -> None:
        sync_id = self._job.sync_id
        if sync_id is None:
            raise ContractBroken("The server gave no sync id.")
        journal = self._ports.journal
        clock, settings, pacing = self._ports.clock, self._settings, self._pacing
        limits = self._limits(capabilities)
        claims = Claims(journal, self._job.job_id, limits, clock, lambda: pacing.most_batch_bytes)
        with self._lock:
            self._claims = claims
        self._raise_if_halted()
        lanes = Lanes(
            settings.workers,
            lambda: pacing.parallel,
            clock,
            lambda: self._ledger.sent_ever_bytes,
            adaptive=settings.adaptive,
        )
        task = UploadTask(
            sync_id,
            self._gateway,
            self._ports.sources,
            journal,
            self._ledger,
            claims,
            settings.retry,
            self._halt.is_set,
            pacing,
            lanes,
            self._resumed_from_bytes(capabilities),
            already_there_of(self._job, capabilities, self._gateway, self._ports),
        )
        lanes.run(lambda number: work(claims, task, lanes, number))
        journal.flush()
        self._raise_if_halted()
        if claims.error:
            raise claims.error

    def _reconcile(self) -> bool:
        """True when the sync may be ended: planned = arrived, or consent to the gap."""
        counts = self._ports.journal.counts(self._job.job_id)
        planned = sum(counts.files.values())
        if (
            not planned
            and self._job.mode is SyncType.FULL
            and not self._job.consents.empty_full_sync
        ):
            self._move(JobState.NEEDS_ATTENTION, sentences.EMPTY_FULL_SYNC())
            return False
        missing = planned - sum(counts.files.get(state, 0) for state in ARRIVED)
        if not missing:
            return True
        files = "1 file" if missing == 1 else f"{missing:,} files"
        if self._job.mode is SyncType.FULL:
            self._move(
                JobState.NEEDS_ATTENTION,
                sentences.SOME_MISSING_OF_FULL(files=files, planned=f"{planned:,}"),
            )
            return False
        if not self._job.consents.end_without_failed_files:
            self._move(
                JobState.NEEDS_ATTENTION,
                sentences.SOME_MISSING(files=files, planned=f"{planned:,}"),
            )
            return False
        return True

    def _end(self, again: bool) -> None:
        sync_id = self._job.sync_id
        if sync_id is None:
            raise ContractBroken("The server gave no sync id.")
        tries = 1 if again else 0

        def end(gateway: LakeGateway) -> None:
            nonlocal tries
            tries += 1
            try:
                gateway.end_sync(sync_id)
            except SyncAlreadyEnded:
                # Ours, when an earlier try may have got through; somebody else's otherwise.
                if tries == 1:
                    raise

        self._called(end, stoppable=False)
        # Before the job is done: a crash in between ends it once more, and this is not missed.
        journal = self._ports.journal
        remember(self._job, journal.counts(self._job.job_id), journal)
        self._job = replace(self._job, ended_at_ms=self._ports.clock.now_ms())
        self._move(JobState.FINISHED)

    # -- calls with back-off -----------------------------------------------------------------

    def _called(self, call: Callable[[LakeGateway], Result], *, stoppable: bool = True) -> Result:
        """One call of the contract, tried again while that may help."""
        tries = 0
        while True:
            tries += 1
            if stoppable:
                self._raise_if_halted()
            try:
                result = call(self._gateway())
            except LakeDropError as error:
                chance = random.random()  # noqa: S311  jitter, not a secret
                wait_s = self._settings.retry.wait_s(error, tries, chance)
                if wait_s is None:
                    raise
                log.info("trying again in %.1f s: %s", wait_s, error.message)
                self._ledger.waiting(error.message, wait_s)
            else:
                self._ledger.waiting("")
                return result
            # An *end* under way is not cancelled half-way; when the engine leaves, the next
            # engine sends it again.
            if (self._halt if stoppable else self._leaving).wait(wait_s):
                raise Cancelled

    def _gateway(self) -> LakeGateway:
        if not self._key_is_read:
            # Once a run: a keyring asks its own process, and may be locked half-way.
            self._key, self._key_is_read = self._ports.key_of(self._job), True
        return self._ports.gateways.open(self._job.connection, self._key)

    def _limits(self, capabilities: Capabilities | None) -> BatchLimits:
        if capabilities is None or EXTENSION_BATCH not in capabilities.extensions:
            return BatchLimits()
        settings = self._settings
        limit_bytes = min(settings.batch_bytes, capabilities.batch_max_bytes)
        return BatchLimits(
            min(settings.batch_files, capabilities.batch_max_files),
            limit_bytes,
            min(settings.batched_file_bytes, limit_bytes),
        )

    def _resumed_from_bytes(self, capabilities: Capabilities | None) -> int | None:
        if capabilities is None or EXTENSION_TUS not in capabilities.extensions:
            return None
        return self._settings.resumed_from_bytes

    # -- states ------------------------------------------------------------------------------

    def _move(self, state: JobState, message: str = "", problem: str = "") -> None:
        moved = self._job.moved_to(state, message or self._note, problem)
        self._ports.journal.save_job(moved)
        self._job = moved
        self._on_change(moved)

    def _raise_if_halted(self) -> None:
        if self._halt.is_set():
            raise Cancelled

    def _rest_after_halt(self) -> None:
        journal, job_id = self._ports.journal, self._job.job_id
        if self._job.state is JobState.ENDING:
            return  # only leaving interrupts it; cancelled or not, the next engine ends it
        cancelled = self._cancelled.is_set()
        try:
            if cancelled:
                journal.move_items(job_id, IN_FLIGHT | {ItemState.QUEUED}, ItemState.CANCELLED)
                self._ledger.load(journal.counts(job_id))
                aborted = aborted_on_server(self._job, self._ports)
                ended_at_ms = self._ports.clock.now_ms()
                self._job = replace(self._job, aborted=aborted, ended_at_ms=ended_at_ms)
                self._move(JobState.CANCELLED)
            else:
                journal.move_items(job_id, IN_FLIGHT, ItemState.QUEUED)
                if self._paused.is_set():
                    self._move(JobState.PAUSED)
                elif self._job.state is not JobState.QUEUED:  # not begun: nobody was asked
                    self._move(JobState.QUEUED)
        except JournalFailed as error:
            log.critical("the journal cannot be written: %s", error.message)
            if cancelled:
                self._job = self._job.moved_to(JobState.CANCELLED, error.message, error.kind)
                self._on_change(self._job)

    def _rest_after(self, error: LakeDropError) -> None:
        state = JobState.FAILED
        if isinstance(error, _NEEDS_ATTENTION) or error.remedy is Remedy.TRY_LATER:
            state = JobState.NEEDS_ATTENTION
        log.warning("job %s: %s: %s", self._job.job_id, error.kind, error.message)
        try:
            self._ports.journal.move_items(self._job.job_id, IN_FLIGHT, ItemState.QUEUED)
            if state is JobState.FAILED:
                self._job = replace(self._job, ended_at_ms=self._ports.clock.now_ms())
            self._move(state, _told(error), error.kind)
        except JournalFailed as cause:
            log.critical("the journal cannot be written: %s", cause.message)
            self._job = self._job.moved_to(state, _told(cause), cause.kind)
            self._on_change(self._job)


def _told(error: LakeDropError) -> str:
    if isinstance(error, LakeUnreachable):
        return sentences.FILES_WAIT(what=error.message)
    return error.message
