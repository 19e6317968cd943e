"""All jobs of this user: made, taken in, started, cancelled, and gone on with after a crash."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from app.domain.connections import Connection, no_key
from app.domain.errors import Cancelled, JournalFailed, LakeDropError, WrongUse
from app.domain.impact import Impact
from app.domain.ports import LakeGateway
from app.domain.queue_item import IN_FLIGHT, ItemState
from app.domain.snapshots import JobSnapshot
from app.domain.upload_job import (
    ENDED,
    RUNNING,
    Consents,
    JobState,
    Source,
    UploadJob,
    checked_destination,
)
from app.engine.intake import take_in
from app.engine.progress_ledger import ProgressLedger
from app.engine.sync_runner import RunPorts, RunSettings, SyncRunner
from embedded_server.contract import SyncType

log = logging.getLogger(__name__)

_SHOWN_NAMES = 5
_OWN_FAULT = "LakeDrop met a fault of its own; its log has the details. Try again."
_MAX_RUNS = 4


class TransferEngine:
    """Safe from any thread. `on_change` is called, without the lock, after a job changed."""

    def __init__(
        self, ports: RunPorts, settings: RunSettings, on_change: Callable[[int], None]
    ) -> None:
        self._ports = ports
        self._settings = settings
        self._on_change = on_change
        self._deciding = threading.RLock()  # one look-and-move of a job at a time
        self._changed = threading.Condition()
        self._jobs: dict[int, UploadJob] = {}
        self._ledgers: dict[int, ProgressLedger] = {}
        self._runs: dict[int, SyncRunner] = {}
        self._intakes: set[int] = set()
        self._given_up: set[int] = set()  # jobs whose intake was told to stop
        self._threads: list[threading.Thread] = []
        self._leaving = False

    # -- life --------------------------------------------------------------------------------

    def recover(self) -> None:
        """Goes on with what an earlier engine left; call once, before any screen attaches."""
        journal = self._ports.journal
        now_ms = self._ports.clock.now_ms()
        for job in journal.jobs():
            if job.may_be_forgotten(now_ms):
                journal.remove_job(job.job_id)
                continue
            if job.state is JobState.DRAFT and not job.intake_done:
                # Whoever waited for the files to be found is gone with the engine that looked.
                job = job.moved_to(JobState.CANCELLED, "LakeDrop ended before it had all files.")
                journal.save_job(job)
            elif job.state in RUNNING:
                journal.move_items(job.job_id, IN_FLIGHT, ItemState.QUEUED)
                if job.state in (JobState.STARTING, JobState.UPLOADING):
                    job = job.moved_to(JobState.QUEUED)
                    journal.save_job(job)
            self._jobs[job.job_id] = job
            if job.state not in ENDED:  # the ended ones are counted when somebody asks
                self._ledger(job.job_id)
        self._run_what_waits()

    def close(self) -> None:
        """Stops all runs, so that the next engine goes on with them; waits for their threads."""
        with self._changed:
            self._leaving = True
            self._changed.notify_all()
            for run in self._runs.values():
                run.leave()
            threads = list(self._threads)
        for thread in threads:
            thread.join()

    @property
    def is_busy(self) -> bool:
        with self._changed:
            return bool(self._runs) or bool(self._intakes)

    # -- what screens ask --------------------------------------------------------------------

    def add_job(
        self,
        connection: Connection,
        destination: str,
        mode: SyncType,
        name: str,
        sources: tuple[Source, ...],
    ) -> int:
        """A draft; its files are looked for at once, on a thread of their own."""
        if not sources:
            raise WrongUse("Name at least one file or folder to upload.")
        now_ms = self._ports.clock.now_ms()
        folder = checked_destination(destination)
        job = self._ports.journal.add_job(
            UploadJob(
                0,
                connection,
                folder,
                mode,
                name.strip() or _default_name(folder, mode, now_ms),
                sources,
                created_at_ms=now_ms,
            )
        )
        with self._changed:
            self._jobs[job.job_id] = job
            self._ledgers[job.job_id] = ProgressLedger(self._ports.clock)
            self._intakes.add(job.job_id)
        self._thread(self._take_in, job, f"intake-{job.job_id}")
        return job.job_id

    def wait_intake(self, job_id: int) -> JobSnapshot:
        """Blocks until all files are found, or the looking failed or was cancelled."""
        with self._changed:
            self._changed.wait_for(
                lambda: (
                    self._leaving
                    or self._job(job_id).intake_done
                    or self._job(job_id).state is not JobState.DRAFT
                )
            )
        return self.snapshot(job_id)

    def impact(self, job_id: int) -> Impact:
        """What the job will do; asks the server what is at the destination."""
        job = self._job(job_id)
        key = self._ports.key_of(job)
        if not key and not job.connection.is_local:
            raise no_key(job.connection.label)  # before a question is asked and nothing can start
        gateway = self.gateway(job.connection, key)
        plain = gateway.capabilities() is None
        # Counting a large folder takes a while, and an incremental sync trashes it not.
        usage = gateway.usage(job.destination) if job.mode is SyncType.FULL else None
        journal = self._ports.journal
        counts = journal.counts(job_id)
        return Impact(
            job.mode,
            job.destination,
            sum(counts.files.values()),
            sum(counts.bytes.values()),
            usage.files if usage else None,
            usage.bytes if usage else None,
            plain,
            tuple(journal.same_names(job_id, _SHOWN_NAMES)) if plain else (),
            counts.left_out,
        )

    def start_job(self, job_id: int, consents: Consents) -> None:
        """Puts the draft into the queue; raises `WrongUse` where something speaks against it."""
        job = self._startable(job_id)
        journal = self._ports.journal
        if twice := journal.same_places(job_id, _SHOWN_NAMES):
            raise WrongUse(
                "Several files would be written to the same place, and only one would stay: "
                f"{', '.join(twice)}. Upload them to different folders."
            )
        planned = sum(journal.counts(job_id).files.values())
        if not planned and job.mode is SyncType.FULL and not consents.empty_full_sync:
            raise WrongUse(
                "There is no file to upload. Ending this full sync would leave the destination "
                "empty; that needs a consent of its own."
            )
        with self._deciding:
            self._requeue(replace(self._startable(job_id), consents=consents))

    def retry_job(self, job_id: int) -> None:
        """Failed files are queued again under the same sync."""
        with self._deciding:
            job = self._job(job_id)
            if job.state is not JobState.NEEDS_ATTENTION:
                raise WrongUse(f"Job {job_id} is {_words(job.state)}: there is nothing to retry.")
            failed = frozenset({ItemState.FAILED})
            self._ports.journal.move_items(job_id, failed, ItemState.QUEUED)
            self._requeue(job)

    def cancel_job(self, job_id: int) -> None:
        """Nothing happens to a job that has ended, or whose *end* goes through."""
        with self._deciding:
            job = self._job(job_id)
            self._given_up.add(job_id)
            run = self._runs.get(job_id)
            if run:
                run.cancel()  # should it rest already, its thread sees to it in `_run`
            else:
                self._cancel_resting(job)

    def key_arrived(self, job_id: int) -> None:
        """This job goes on if it rested only for want of a key.

        No other one, though it may want the same key: whoever asked for it was told that it did
        not happen, and the data at its destination may be newer by now.
        """
        with self._deciding:
            job = self._job(job_id)
            if job.waits_for_key:
                self._requeue(job)

    def snapshot(self, job_id: int) -> JobSnapshot:
        return self._ledger(job_id).snapshot(self._job(job_id))

    def version(self, job_id: int) -> int:
        """Grows with every change of the job."""
        return self._ledger(job_id).version

    def gateway(self, connection: Connection, key: str | None) -> LakeGateway:
        return self._ports.gateways.open(connection, key)

    # -- inside ------------------------------------------------------------------------------

    def _job(self, job_id: int) -> UploadJob:
        job = self._jobs.get(job_id)
        if job is None:
            raise WrongUse(f"There is no job {job_id}.")
        return job

    def _ledger(self, job_id: int) -> ProgressLedger:
        self._job(job_id)
        ledger = self._ledgers.get(job_id)
        if ledger is None:
            counted = ProgressLedger(self._ports.clock)
            counted.load(self._ports.journal.counts(job_id))
            ledger = self._ledgers.setdefault(job_id, counted)
        return ledger

    def _startable(self, job_id: int) -> UploadJob:
        job = self._job(job_id)
        if job.state is not JobState.DRAFT or not job.intake_done:
            raise WrongUse(f"Job {job_id} is {_words(job.state)} and cannot be started now.")
        return job

    def _take_in(self, job: UploadJob) -> None:
        ledger = self._ledgers[job.job_id]

        def given_up() -> bool:
            return self._leaving or job.job_id in self._given_up

        try:
            take_in(job, self._ports.sources, self._ports.journal, ledger.found, given_up)
            self._taken_in(job.job_id)
        except Cancelled:
            log.info("intake of job %s given up", job.job_id)
            self._drop_rest_of_cancelled(job.job_id)
        except LakeDropError as error:
            self._fail_draft(job.job_id, error.message, error.kind)
        except Exception:
            log.critical("the intake of job %s met a fault", job.job_id, exc_info=True)
            self._fail_draft(job.job_id, _OWN_FAULT)
        finally:
            with self._changed:
                self._intakes.discard(job.job_id)
        self._on_change(job.job_id)

    def _taken_in(self, job_id: int) -> None:
        with self._deciding:
            job = self._job(job_id)
            if job.state is JobState.DRAFT:
                self._save(replace(job, intake_done=True))
        self._drop_rest_of_cancelled(job_id)

    def _drop_rest_of_cancelled(self, job_id: int) -> None:
        """What the intake still wrote while its job was cancelled."""
        if self._job(job_id).state is JobState.CANCELLED:
            try:
                self._cancel_items(job_id)
            except JournalFailed as error:
                log.critical("the journal cannot be written: %s", error.message)

    def _fail_draft(self, job_id: int, message: str, problem: str = "") -> None:
        with self._deciding:
            job = self._job(job_id)
            if job.state is JobState.DRAFT:
                self._save_if_possible(job.moved_to(JobState.FAILED, message, problem))

    def _cancel_items(self, job_id: int) -> None:
        journal = self._ports.journal
        journal.move_items(job_id, IN_FLIGHT | {ItemState.QUEUED}, ItemState.CANCELLED)
        self._ledger(job_id).load(journal.counts(job_id))

    def _cancel_resting(self, job: UploadJob) -> None:
        if job.state in (JobState.DRAFT, JobState.QUEUED, JobState.NEEDS_ATTENTION):
            self._cancel_items(job.job_id)
            ended = replace(job, ended_at_ms=self._ports.clock.now_ms())
            self._save(ended.moved_to(JobState.CANCELLED))

    def _requeue(self, job: UploadJob) -> None:
        self._ledger(job.job_id).load(self._ports.journal.counts(job.job_id))
        self._save(job.moved_to(JobState.QUEUED))
        self._run_what_waits()

    def _run_what_waits(self) -> None:
        with self._changed:
            waiting = [
                job
                for job in self._jobs.values()
                if job.state in (JobState.QUEUED, JobState.ENDING) and job.job_id not in self._runs
            ]
            for job in waiting[: _MAX_RUNS - len(self._runs)]:
                if self._leaving:
                    return
                run = SyncRunner(
                    job, self._ports, self._ledgers[job.job_id], self._settings, self._publish
                )
                self._runs[job.job_id] = run
                self._thread(self._run, job, f"sync-{job.job_id}")

    def _run(self, job: UploadJob) -> None:
        run = self._runs[job.job_id]
        try:
            run.run()
        except Exception:
            # A bug: the log has it whole, the job must not look as if it still moved.
            log.critical("job %s met a fault of LakeDrop's own", job.job_id, exc_info=True)
            stuck = self._job(job.job_id)
            if stuck.state in RUNNING:
                attention = replace(stuck, state=JobState.NEEDS_ATTENTION, message=_OWN_FAULT)
                self._save_if_possible(attention)
        with self._deciding:
            with self._changed:
                del self._runs[job.job_id]
            if run.is_cancelled and not self._leaving:
                self._cancel_after_run(job.job_id)
        self._run_what_waits()
        self._on_change(job.job_id)

    def _cancel_after_run(self, job_id: int) -> None:
        """The wish came when the run had just come to rest, or while it ended in vain."""
        try:
            self._cancel_resting(self._job(job_id))
        except JournalFailed as error:
            log.critical("the journal cannot be written: %s", error.message)

    def _thread(self, target: Callable[[UploadJob], None], job: UploadJob, name: str) -> None:
        thread = threading.Thread(target=target, args=(job,), name=name)
        with self._changed:
            self._threads = [old for old in self._threads if old.is_alive()]
            thread.start()
            self._threads.append(thread)

    def _save(self, job: UploadJob) -> None:
        self._ports.journal.save_job(job)
        self._publish(job)

    def _save_if_possible(self, job: UploadJob) -> None:
        """A job that comes to rest is shown at rest, also when that cannot be written."""
        try:
            self._ports.journal.save_job(job)
        except JournalFailed as error:
            log.critical("the journal cannot be written: %s", error.message)
        self._publish(job)

    def _publish(self, job: UploadJob) -> None:
        with self._changed:
            self._jobs[job.job_id] = job
            self._ledgers[job.job_id].touched()
            self._changed.notify_all()
        self._on_change(job.job_id)


def _default_name(folder: str, mode: SyncType, now_ms: int) -> str:
    word = "full" if mode is SyncType.FULL else "incremental"
    when = datetime.fromtimestamp(now_ms / 1000).astimezone()
    return f"{folder.rpartition('/')[2]} {word} sync {when:%Y-%m-%d %H:%M}"


def _words(state: JobState) -> str:
    return state.value.replace("_", " ")
