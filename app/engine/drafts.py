"""Drafts: jobs that are still put together. Their files are looked for on a thread of each."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from app.domain.connections import Connection
from app.domain.errors import Cancelled, JournalFailed, LakeDropError, WrongUse
from app.domain.picking import USUAL, Picking
from app.domain.ports import Clock, Journal, SourceFiles
from app.domain.snapshots import JobSnapshot
from app.domain.upload_job import (
    MOST_SHRINK_PERCENT,
    JobState,
    Source,
    UploadJob,
    checked_destination,
)
from app.engine.intake import Intake
from app.engine.known_jobs import OWN_FAULT, KnownJobs, in_words
from app.engine.picker import Picker
from embedded_server.contract import SyncType

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DraftChange:
    """What is to be other than before; None leaves it."""

    destination: str | None = None
    mode: SyncType | None = None
    name: str | None = None
    contents_only: bool | None = None
    connection: Connection | None = None


class Drafts:
    """Safe from any thread. The intake of a draft goes on until it has no pending source."""

    def __init__(
        self, jobs: KnownJobs, journal: Journal, sources: SourceFiles, clock: Clock
    ) -> None:
        self._jobs = jobs
        self._journal = journal
        self._sources = sources
        self._clock = clock
        self._intakes: set[int] = set()
        self._given_up: set[int] = set()  # jobs whose intake was told to stop

    @property
    def is_busy(self) -> bool:
        return bool(self._intakes)

    def add(
        self,
        connection: Connection,
        destination: str,
        mode: SyncType,
        name: str,
        sources: Sequence[Source],
        *,
        contents_only: bool = False,
        kept: bool = False,
        picking: Picking = USUAL,
        most_shrink_percent: int = MOST_SHRINK_PERCENT,
        send_all: bool = False,
    ) -> int:
        """A draft; its files are looked for at once."""
        if not sources and not kept:
            raise WrongUse("Name at least one file or folder to upload.")
        if not 0 <= most_shrink_percent <= 100:
            raise WrongUse("The share that data may shrink by lies between 0 and 100 percent.")
        Picker(picking)  # raises for patterns that are none, before there is a job
        now_ms = self._clock.now_ms()
        folder = checked_destination(destination)
        job = UploadJob(
            0,
            connection,
            folder,
            mode,
            name.strip() or _default_name(folder, mode, now_ms),
            intake_done=not sources,
            created_at_ms=now_ms,
            contents_only=contents_only,
            kept=kept,
            picking=picking,
            most_shrink_percent=most_shrink_percent,
            send_all=send_all,
        )
        with self._jobs.deciding:
            job = self._journal.add_job(job, sources)
            self._jobs.made(job)
            if sources:
                self._begin_intake(job.job_id)
        self._jobs.tell(job.job_id)
        return job.job_id

    def add_sources(self, job_id: int, sources: Sequence[Source]) -> None:
        with self._jobs.deciding:
            job = self._draft(job_id)
            if sources:
                self._journal.add_sources(job_id, sources)
                self._jobs.publish(replace(job, intake_done=False))
                self._begin_intake(job_id)

    def edit(self, job_id: int, change: DraftChange) -> JobSnapshot:
        """No item is touched, however many there are: their lake paths follow from the job."""
        with self._jobs.deciding:
            before = self._draft(job_id)
            after = before
            if change.destination is not None:
                after = replace(after, destination=checked_destination(change.destination))
            if change.mode is not None:
                after = replace(after, mode=change.mode)
            if change.contents_only is not None:
                after = replace(after, contents_only=change.contents_only)
            if change.connection is not None:
                after = replace(after, connection=change.connection)
            name = before.name if change.name is None else change.name.strip()
            if not name or name == _default_name_of(before):
                name = _default_name_of(after)  # nobody gave it one: it says what the job does
            after = replace(after, name=name)
            if after != before:
                self._journal.save_job(after)
                if _place(after) != _place(before):
                    self._jobs.ledger(job_id).rows_changed()
                self._jobs.publish(after)
            return self._jobs.snapshot(job_id)

    def remove_items(self, job_id: int, ranges: Sequence[tuple[int, int]]) -> int:
        with self._jobs.deciding:
            self._draft(job_id)
            removed = self._journal.remove_items(job_id, ranges)
            self._jobs.ledger(job_id).removed(removed)
        self._jobs.tell(job_id)
        return sum(removed.files.values())

    def wait_intake(self, job_id: int) -> JobSnapshot:
        """Blocks until all files are found, or the looking failed or was cancelled."""

        def is_over() -> bool:
            job = self._jobs.job(job_id)
            return self._jobs.leaving or job.intake_done or job.state is not JobState.DRAFT

        with self._jobs.changed:
            self._jobs.changed.wait_for(is_over)
        return self._jobs.snapshot(job_id)

    def go_on(self, job_id: int) -> None:
        """Takes in what an earlier engine left pending."""
        with self._jobs.deciding:
            self._begin_intake(job_id)

    def give_up(self, job_id: int) -> None:
        """Stops the looking for files of a job that is cancelled or removed."""
        with self._jobs.deciding:
            if job_id in self._intakes:
                self._given_up.add(job_id)

    # -- inside ------------------------------------------------------------------------------

    def _draft(self, job_id: int) -> UploadJob:
        job = self._jobs.job(job_id)
        if job.state is not JobState.DRAFT:
            raise WrongUse(
                f"Job {job_id} is {in_words(job.state)}; only a job that was not started yet can "
                "be changed."
            )
        return job

    def _begin_intake(self, job_id: int) -> None:
        if job_id not in self._intakes and not self._jobs.leaving:
            self._intakes.add(job_id)
            self._jobs.begin(self._take_in, job_id, "intake")

    def _take_in(self, job_id: int) -> None:
        def is_given_up() -> bool:
            return self._jobs.leaving or job_id in self._given_up

        try:
            job, ledger = self._jobs.job(job_id), self._jobs.ledger(job_id)
            while True:
                Intake(job, self._sources, self._journal, ledger.found, is_given_up).run()
                if self._is_all_taken_in(job_id):
                    break
        except Cancelled:
            log.info("intake of job %s given up", job_id)
            self._stopped(job_id)
        except LakeDropError as error:
            self._stopped(job_id, error.message, error.kind)
        except Exception:
            log.critical("the intake of job %s met a fault", job_id, exc_info=True)
            self._stopped(job_id, OWN_FAULT)
        self._jobs.tell(job_id)

    def _is_all_taken_in(self, job_id: int) -> bool:
        """Decided together with `add_sources`: none is added that nobody takes in."""
        with self._jobs.deciding:
            if job_id not in self._given_up and self._journal.pending_sources(job_id, 1):
                return False
            self._over(job_id)
            if self._jobs.has(job_id):
                job = self._jobs.job(job_id)
                if job.state is JobState.DRAFT:
                    self._jobs.save(replace(job, intake_done=True))
                self._drop_rest_of_cancelled(job)
            return True

    def _stopped(self, job_id: int, message: str = "", problem: str = "") -> None:
        with self._jobs.deciding:
            self._over(job_id)
            if not self._jobs.has(job_id):
                return  # removed meanwhile, which the intake met as an error
            job = self._jobs.job(job_id)
            if message and job.state is JobState.DRAFT:
                ended = replace(job, ended_at_ms=self._clock.now_ms())
                self._jobs.save_if_possible(ended.moved_to(JobState.FAILED, message, problem))
            self._drop_rest_of_cancelled(job)

    def _over(self, job_id: int) -> None:
        self._intakes.discard(job_id)
        self._given_up.discard(job_id)

    def _drop_rest_of_cancelled(self, job: UploadJob) -> None:
        """What the intake still wrote while its job was cancelled."""
        if job.state is JobState.CANCELLED:
            try:
                self._jobs.cancel_items(job.job_id)
            except JournalFailed as error:
                log.critical("the journal cannot be written: %s", error.message)


def _place(job: UploadJob) -> tuple[str, bool]:
    return job.destination, job.contents_only


def _default_name_of(job: UploadJob) -> str:
    return _default_name(job.destination, job.mode, job.created_at_ms)


def _default_name(folder: str, mode: SyncType, now_ms: int) -> str:
    word = "full" if mode is SyncType.FULL else "incremental"
    when = datetime.fromtimestamp(now_ms / 1000).astimezone()
    return f"{folder.rpartition('/')[2]} {word} sync {when:%Y-%m-%d %H:%M}"
