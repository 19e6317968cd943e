"""The jobs of this user with their counters: looked up, changed, saved and told, one at a time."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from app.domain import sentences
from app.domain.errors import JournalFailed, WrongUse
from app.domain.ports import Clock, Journal
from app.domain.queue_item import IN_FLIGHT, ItemState
from app.domain.snapshots import JobSnapshot
from app.domain.upload_job import ENDED, JobState, UploadJob
from app.engine.progress_ledger import ProgressLedger

log = logging.getLogger(__name__)

OWN_FAULT = sentences.OWN_FAULT()


class KnownJobs:
    """Safe from any thread. `on_change` is called, without the lock, after a job changed.

    Who looks at a job and then moves it holds `deciding` meanwhile. `changed` is told of every
    change of a job's state.
    """

    def __init__(self, journal: Journal, clock: Clock, on_change: Callable[[int], None]) -> None:
        self._journal = journal
        self._clock = clock
        self._on_change = on_change
        self.deciding = threading.RLock()  # one look-and-move of a job at a time
        self.changed = threading.Condition()
        self.leaving = False
        self._jobs: dict[int, UploadJob] = {}
        self._ledgers: dict[int, ProgressLedger] = {}
        self._threads: list[threading.Thread] = []

    # -- looking -----------------------------------------------------------------------------

    def job(self, job_id: int) -> UploadJob:
        job = self._jobs.get(job_id)
        if job is None:
            raise WrongUse(f"There is no job {job_id}.")
        return job

    def has(self, job_id: int) -> bool:
        return job_id in self._jobs

    def all(self) -> list[UploadJob]:
        with self.changed:
            return list(self._jobs.values())

    def ledger(self, job_id: int) -> ProgressLedger:
        """The ended ones are counted when somebody asks."""
        self.job(job_id)
        ledger = self._ledgers.get(job_id)
        if ledger is None:
            counted = ProgressLedger(self._clock)
            counted.load(self._journal.counts(job_id))
            ledger = self._ledgers.setdefault(job_id, counted)
        return ledger

    def snapshot(self, job_id: int) -> JobSnapshot:
        return self.ledger(job_id).snapshot(self.job(job_id))

    def version(self, job_id: int) -> int:
        """Grows with every change of the job."""
        return self.ledger(job_id).version

    # -- changing ----------------------------------------------------------------------------

    def found(self, job: UploadJob) -> None:
        """One that the journal had from an earlier engine."""
        with self.changed:
            self._jobs[job.job_id] = job
        if job.state not in ENDED:
            self.ledger(job.job_id)

    def made(self, job: UploadJob) -> None:
        """A new one, without any item so far."""
        with self.changed:
            self._ledgers[job.job_id] = ProgressLedger(self._clock)
            self._jobs[job.job_id] = job

    def forget(self, job_id: int) -> None:
        with self.changed:
            self._jobs.pop(job_id, None)
            self._ledgers.pop(job_id, None)
            self.changed.notify_all()
        self._on_change(job_id)

    def recount(self, job_id: int) -> None:
        self.ledger(job_id).load(self._journal.counts(job_id))

    def cancel_items(self, job_id: int) -> None:
        """All that are not at their end."""
        states = IN_FLIGHT | {ItemState.QUEUED}
        self._journal.move_items(job_id, states, ItemState.CANCELLED)
        self.recount(job_id)

    def save(self, job: UploadJob) -> None:
        self._journal.save_job(job)
        self.publish(job)

    def save_if_possible(self, job: UploadJob) -> None:
        """A job that comes to rest is shown at rest, also when that cannot be written."""
        try:
            self._journal.save_job(job)
        except JournalFailed as error:
            log.critical("the journal cannot be written: %s", error.message)
        self.publish(job)

    def publish(self, job: UploadJob) -> None:
        with self.changed:
            self._jobs[job.job_id] = job
            self._ledgers[job.job_id].touched()
            self.changed.notify_all()
        self._on_change(job.job_id)

    def tell(self, job_id: int) -> None:
        """Something about the job is other than before, though not its state."""
        with self.changed:
            self.changed.notify_all()
        self._on_change(job_id)

    # -- threads -----------------------------------------------------------------------------

    def begin(self, target: Callable[[int], None], job_id: int, name: str) -> None:
        """A thread that works on the job; it must end soon once `leaving` is set."""
        thread = threading.Thread(target=target, args=(job_id,), name=f"{name}-{job_id}")
        with self.changed:
            self._threads = [old for old in self._threads if old.is_alive()]
            thread.start()
            self._threads.append(thread)

    def leave(self) -> list[threading.Thread]:
        """No more work is begun; these threads are still to be waited for."""
        with self.changed:
            self.leaving = True
            self.changed.notify_all()
            return list(self._threads)


def in_words(state: JobState) -> str:
    return state.value.replace("_", " ")
