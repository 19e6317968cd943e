"""All jobs of this user: started, paused, cancelled, ended, and gone on with after a crash."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from app.domain import sentences
from app.domain.connections import Connection, no_key, origin
from app.domain.errors import JournalFailed, WrongUse
from app.domain.impact import Impact
from app.domain.ports import LakeGateway
from app.domain.queue_item import ARRIVED, IN_FLIGHT, ItemState
from app.domain.snapshots import JobSnapshot
from app.domain.upload_job import (
    ENDED,
    PAUSABLE,
    RUNNING,
    Consents,
    JobState,
    Source,
    UploadJob,
)
from app.engine.drafts import Drafts
from app.engine.due_receipts import DueReceipts
from app.engine.known_jobs import OWN_FAULT, KnownJobs, in_words
from app.engine.pace_commands import take_kept_pace
from app.engine.pacing import Pacing
from app.engine.run_ports import RunPorts, RunSettings, aborted_on_server
from app.engine.shrink_guard import data_before, planned
from app.engine.sync_runner import SyncRunner
from embedded_server.contract import SyncType

log = logging.getLogger(__name__)

_SHOWN_NAMES = 5
_MAX_RUNS = 4
_DIGESTS_KEPT_MS = 180 * 24 * 60 * 60 * 1000


class TransferEngine:
    """Safe from any thread. `on_change` is called, without the lock, after a job changed."""

    def __init__(
        self, ports: RunPorts, settings: RunSettings, on_change: Callable[[int], None]
    ) -> None:
        self._ports = ports
        self._settings = settings
        self.pacing = Pacing(ports.clock)
        self._on_change = on_change
        self._jobs = KnownJobs(ports.journal, ports.clock, self._changed)
        self._receipts = DueReceipts(self._jobs, ports.journal, ports.receipts)
        self.drafts = Drafts(self._jobs, ports.journal, ports.sources, ports.clock)
        self._runs: dict[int, SyncRunner] = {}
        self._edited: dict[int, Callable[[int], None]] = {}  # connections edited during a run

    # -- life --------------------------------------------------------------------------------

    def recover(self) -> None:
        """Goes on with what an earlier engine left; call once, before any screen attaches."""
        journal = self._ports.journal
        now_ms = self._ports.clock.now_ms()
        journal.forget_digests(now_ms - _DIGESTS_KEPT_MS)
        take_kept_pace(journal, self.pacing)
        for job in journal.jobs():
            if job.may_be_forgotten(now_ms) and not job.wants_receipt:
                journal.remove_job(job.job_id)
                continue
            is_unfinished_draft = job.state is JobState.DRAFT and not job.intake_done
            if is_unfinished_draft and not job.kept:
                # Whoever waited for the files to be found is gone with the engine that looked.
                job = job.moved_to(JobState.CANCELLED, "LakeDrop ended before it had all files.")
                journal.save_job(job)
            elif job.state in RUNNING:
                journal.move_items(job.job_id, IN_FLIGHT, ItemState.QUEUED)
                if job.state in (JobState.STARTING, JobState.UPLOADING):
                    job = job.moved_to(JobState.QUEUED)
                    journal.save_job(job)
            self._jobs.found(job)
            if is_unfinished_draft and job.kept:
                self.drafts.go_on(job.job_id)
            self._receipts.look_at(job)
        self._run_what_waits()

    def close(self) -> None:
        """Stops all runs, so that the next engine goes on with them; waits for their threads."""
        with self._jobs.deciding:
            threads = self._jobs.leave()
            for run in self._runs.values():
                run.leave()
        for thread in threads:
            thread.join()

    @property
    def is_busy(self) -> bool:
        return bool(self._runs) or self.drafts.is_busy or self._receipts.is_busy

    # -- what screens ask --------------------------------------------------------------------

    def add_job(
        self,
        connection: Connection,
        destination: str,
        mode: SyncType,
        name: str,
        sources: tuple[Source, ...],
    ) -> int:
        """A draft that is started within the same command; see `Drafts.add`."""
        return self.drafts.add(connection, destination, mode, name, sources)

    def wait_intake(self, job_id: int) -> JobSnapshot:
        return self.drafts.wait_intake(job_id)

    def impact(self, job_id: int) -> Impact:
        """What the job will do; asks the server what is at the destination."""
        job = self._jobs.job(job_id)
        key = self._ports.key_of(job)
        if not key and not job.connection.is_local:
            raise no_key(job.connection.label)  # before a question is asked and nothing can start
        gateway = self.gateway(job.connection, key)
        plain = gateway.capabilities() is None
        # Counting a large folder takes a while, and an incremental sync trashes it not.
        usage = gateway.usage(job.destination) if job.mode is SyncType.FULL else None
        journal = self._ports.journal
        counts = journal.counts(job_id)
        new = planned(counts)
        before = data_before(job, usage, journal) if job.mode is SyncType.FULL else None
        return Impact(
            job.mode,
            job.destination,
            new.files,
            new.bytes,
            usage.files if usage else None,
            usage.bytes if usage else None,
            plain,
            tuple(journal.same_names(job_id, _SHOWN_NAMES)) if plain else (),
            counts.left_out,
            tuple(journal.empty_sources(job_id, _SHOWN_NAMES)),
            before.extent.files if before else None,
            before.extent.bytes if before else None,
            bool(before and before.is_last_sync),
            job.most_shrink_percent,
            journal.odd_names(job_id, _SHOWN_NAMES),
        )

    def start_job(self, job_id: int, consents: Consents) -> None:
        """Puts the draft into the queue; raises `WrongUse` where something speaks against it."""
        job = self._startable(job_id)
        journal = self._ports.journal
        if twice := journal.same_places(job_id, _SHOWN_NAMES):
            raise WrongUse(sentences.SAME_PLACE(names=", ".join(twice)))
        is_full = job.mode is SyncType.FULL
        has_files = planned(journal.counts(job_id)).files > 0
        if is_full and not has_files and not consents.empty_full_sync:
            raise WrongUse(sentences.EMPTY_FULL_SYNC())
        empty = journal.empty_sources(job_id, _SHOWN_NAMES) if is_full and has_files else []
        if empty and not consents.empty_sources:
            raise WrongUse(sentences.EMPTY_SOURCE(names=", ".join(empty)))
        with self._jobs.deciding:
            self._requeue(replace(self._startable(job_id), consents=consents))

    def retry_job(self, job_id: int, *, allow_shrink: bool = False) -> None:
        """Failed files are queued again under the same sync; `allow_shrink` adds that consent."""
        with self._jobs.deciding:
            job = self._jobs.job(job_id)
            if job.state is not JobState.NEEDS_ATTENTION:
                raise WrongUse(f"Job {job_id} is {in_words(job.state)}: there is nothing to retry.")
            failed = frozenset({ItemState.FAILED})
            self._ports.journal.move_items(job_id, failed, ItemState.QUEUED)
            if allow_shrink:
                job = replace(job, consents=replace(job.consents, shrink=True))
            self._requeue(job)

    def finish_job(self, job_id: int) -> None:
        """Ends an incremental sync without the files that failed, which is consent to that."""
        with self._jobs.deciding:
            job = self._jobs.job(job_id)
            if job.mode is SyncType.FULL:
                raise WrongUse("A full sync is never ended without all of its files.")
            counts = self._ports.journal.counts(job_id)
            failed = counts.files.get(ItemState.FAILED, 0)
            settled = failed + sum(counts.files.get(state, 0) for state in ARRIVED)
            is_all_tried = settled == sum(counts.files.values())
            if job.state is not JobState.NEEDS_ATTENTION or job.problem or not failed:
                raise WrongUse(
                    f"Job {job_id} is {in_words(job.state)}, but not because of files that failed; "
                    "it cannot be finished without them."
                )
            if not is_all_tried:
                raise WrongUse(f"Job {job_id} has files that were not tried yet. Retry it first.")
            consents = replace(job.consents, end_without_failed_files=True)
            self._requeue(replace(job, consents=consents))

    def pause_job(self, job_id: int) -> None:
        """Stops after the files under way were given up; they are sent again on resume."""
        with self._jobs.deciding:
            job = self._jobs.job(job_id)
            if job.state is JobState.ENDING:
                raise WrongUse(f"Job {job_id} is ending its sync, which cannot be interrupted.")
            if job.state not in PAUSABLE:
                raise WrongUse(f"Job {job_id} is {in_words(job.state)}: there is nothing to pause.")
            run = self._runs.get(job_id)
            if run:
                run.pause()
            else:
                self._jobs.save(job.moved_to(JobState.PAUSED))

    def resume_job(self, job_id: int) -> None:
        with self._jobs.deciding:
            job = self._jobs.job(job_id)
            if job.state is not JobState.PAUSED:
                raise WrongUse(f"Job {job_id} is {in_words(job.state)}, not paused.")
            self._requeue(job)

    def cancel_job(self, job_id: int) -> None:
        """Nothing happens to a job that has ended, or whose *end* goes through."""
        with self._jobs.deciding:
            job = self._jobs.job(job_id)
            self.drafts.give_up(job_id)
            run = self._runs.get(job_id)
            if run:
                run.cancel()  # should it rest already, its thread sees to it in `_run`
            else:
                self._cancel_resting(job)

    def remove_job(self, job_id: int) -> None:
        """Forgets a draft or an ended job; nothing happens to the lake or to the user's files.

        Its receipt is kept first, where it is still due.
        """
        self._receipts.wait(job_id)
        with self._jobs.deciding:
            job = self._jobs.job(job_id)
            if job.state is not JobState.DRAFT and job.state not in ENDED:
                raise WrongUse(f"Job {job_id} is {in_words(job.state)}. Cancel it first.")
            self.drafts.give_up(job_id)
            self._ports.journal.remove_job(job_id)
            self._jobs.forget(job_id)

    def key_arrived(self, job_id: int) -> None:
        """This job goes on if it rested only for want of a key.

        No other one, though it may want the same key: whoever asked for it was told that it did
        not happen, and the data at its destination may be newer by now.
        """
        with self._jobs.deciding:
            job = self._jobs.job(job_id)
            if job.waits_for_key:
                self._requeue(job)

    def follow_connection(
        self, before: Connection, after: Connection, forget_key: Callable[[int], None]
    ) -> int:
        """A named connection was edited: its jobs go where it goes now.

        A sync that has begun stays on its server, under the connection's new name where that is
        still the same server. Returns how many cannot follow. `forget_key` is called for a job
        that goes to another server, before it does: its key is not for that one.
        """
        with self._jobs.deciding:
            followers = [job for job in self._jobs.all() if job.connection.name == before.name]
            for job in followers:
                if job.job_id in self._runs:
                    # Its run has the job in hand, and must not lose it to a second writer.
                    self._edited[job.job_id] = partial(self._follow, after, forget_key)
                else:
                    self._follow(after, forget_key, job.job_id)
            return sum(
                job.state not in ENDED
                and job.sync_id is not None
                and origin(job.connection.base_url) != origin(after.base_url)
                for job in followers
            )

    def snapshot(self, job_id: int) -> JobSnapshot:
        limit = self.pacing.limit_bytes_s
        return replace(self._jobs.snapshot(job_id), limit_bytes_s=limit or 0)

    def pace_changed(self) -> None:
        """Whoever watches a job that runs is told."""
        for job_id in list(self._runs):
            self._jobs.ledger(job_id).touched()
            self._jobs.tell(job_id)

    def version(self, job_id: int) -> int:
        """Grows with every change of the job; raises `WrongUse` where there is no such job."""
        return self._jobs.version(job_id)

    def shown_jobs(self) -> list[int]:
        """Those that a window lists."""
        return [job.job_id for job in self._jobs.all() if job.is_shown]

    def gateway(self, connection: Connection, key: str | None) -> LakeGateway:
        return self._ports.gateways.open(connection, key)

    # -- inside ------------------------------------------------------------------------------

    def _changed(self, job_id: int) -> None:
        if self._jobs.has(job_id):
            self._receipts.look_at(self._jobs.job(job_id))
        self._on_change(job_id)

    def _startable(self, job_id: int) -> UploadJob:
        job = self._jobs.job(job_id)
        if job.state is not JobState.DRAFT:
            raise WrongUse(f"Job {job_id} is {in_words(job.state)} and cannot be started now.")
        if not job.intake_done:
            raise WrongUse(f"Job {job_id} is a draft whose files are still being looked for.")
        return job

    def _cancel_resting(self, job: UploadJob) -> None:
        if job.state not in RUNNING | ENDED or job.state is JobState.QUEUED:
            self._jobs.cancel_items(job.job_id)
            ended = replace(job, ended_at_ms=self._ports.clock.now_ms())
            self._jobs.save(ended.moved_to(JobState.CANCELLED))
            if job.sync_id is not None and not self._jobs.leaving:
                self._jobs.begin(self._abort, job.job_id, "abort")

    def _abort(self, job_id: int) -> None:
        """Tells the server of a job that was cancelled while it rested."""
        if not aborted_on_server(self._jobs.job(job_id), self._ports):
            return
        with self._jobs.deciding:
            if self._jobs.has(job_id):  # it may have been removed from the list meanwhile
                self._jobs.save_if_possible(replace(self._jobs.job(job_id), aborted=True))

    def _requeue(self, job: UploadJob) -> None:
        self._jobs.recount(job.job_id)
        self._jobs.save(job.moved_to(JobState.QUEUED))
        self._run_what_waits()

    def _run_what_waits(self) -> None:
        with self._jobs.deciding:
            waiting = [
                job
                for job in self._jobs.all()
                if job.state in (JobState.QUEUED, JobState.ENDING) and job.job_id not in self._runs
            ]
            for job in waiting[: _MAX_RUNS - len(self._runs)]:
                if self._jobs.leaving:
                    return
                ledger = self._jobs.ledger(job.job_id)
                self._runs[job.job_id] = SyncRunner(
                    job, self._ports, ledger, self._settings, self._jobs.publish, self.pacing
                )
                self._jobs.begin(self._run, job.job_id, "sync")

    def _run(self, job_id: int) -> None:
        run = self._runs[job_id]
        try:
            run.run()
        except Exception:
            # A bug: the log has it whole, the job must not look as if it still moved.
            log.critical("job %s met a fault of LakeDrop's own", job_id, exc_info=True)
            stuck = self._jobs.job(job_id)
            if stuck.state in RUNNING:
                attention = replace(stuck, state=JobState.NEEDS_ATTENTION, message=OWN_FAULT)
                self._jobs.save_if_possible(attention)
        with self._jobs.deciding:
            follow = self._edited.pop(job_id, None)
            if follow is not None and self._jobs.has(job_id):
                follow(job_id)
            del self._runs[job_id]
            # An ended job may have been removed in the meantime.
            if run.is_cancelled and not self._jobs.leaving and self._jobs.has(job_id):
                self._cancel_after_run(job_id)
        self._run_what_waits()
        self._jobs.tell(job_id)

    def _follow(self, after: Connection, forget_key: Callable[[int], None], job_id: int) -> None:
        job = self._jobs.job(job_id)
        is_same_server = origin(job.connection.base_url) == origin(after.base_url)
        if job.sync_id is None and job.state not in ENDED:
            if not is_same_server:
                forget_key(job.job_id)
            self._jobs.save_if_possible(replace(job, connection=after))
        elif is_same_server:
            # Its address stays the one that the sync was begun at; whom it trusts does not.
            old = job.connection
            same = replace(after, base_url=old.base_url, allow_plain_http=old.allow_plain_http)
            self._jobs.save_if_possible(replace(job, connection=same))

    def _cancel_after_run(self, job_id: int) -> None:
        """The wish came when the run had just come to rest, or while it ended in vain."""
        try:
            self._cancel_resting(self._jobs.job(job_id))
        except JournalFailed as error:
            log.critical("the journal cannot be written: %s", error.message)
