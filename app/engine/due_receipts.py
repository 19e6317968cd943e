"""A receipt for each job that is over, made of what the journal remembers, on a thread beside.

The job is told as over first: its end must not wait for the writing of a million rows. Until the
journal knows where the receipt is, it is due, also for the next engine; nobody forgets the job.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterator
from dataclasses import replace

from app.domain.errors import Cancelled, LakeDropError
from app.domain.ports import Journal, Receipts
from app.domain.receipt import Row, row_of
from app.domain.upload_job import UploadJob
from app.engine.known_jobs import KnownJobs
from app.link.protocol import item_to_wire

log = logging.getLogger(__name__)

_PAGE = 2_000


class DueReceipts:
    """Safe from any thread. One receipt is written at a time."""

    def __init__(self, jobs: KnownJobs, journal: Journal, receipts: Receipts) -> None:
        self._jobs = jobs
        self._journal = journal
        self._receipts = receipts
        self._waiting: deque[int] = deque()  # the first one is being written
        self._has_thread = False

    @property
    def is_busy(self) -> bool:
        return bool(self._waiting)

    def look_at(self, job: UploadJob) -> None:
        """To be called after every change of a job."""
        if not job.wants_receipt or job.receipt_problem:
            return
        with self._jobs.deciding:
            if job.job_id in self._waiting or self._jobs.leaving:
                return
            if self._jobs.job(job.job_id).receipt:
                return  # kept since the caller looked
            self._waiting.append(job.job_id)
            if not self._has_thread:
                self._has_thread = True
                self._jobs.begin(self._keep_all, job.job_id, "receipt")

    def wait(self, job_id: int) -> None:
        """Until that job's receipt is kept, or cannot be."""
        with self._jobs.changed:
            self._jobs.changed.wait_for(lambda: job_id not in self._waiting or self._jobs.leaving)

    def _keep_all(self, _: int) -> None:
        while True:
            with self._jobs.deciding:
                if self._jobs.leaving:
                    self._waiting.clear()
                if not self._waiting:
                    self._has_thread = False  # decided with `look_at`: never two, never none
                    return
                job_id = self._waiting[0]
            try:
                after = self._kept(job_id)
            except Cancelled:
                log.info("the receipt of job %d is left to the next engine", job_id)
                continue
            except Exception:
                log.critical("the receipt of job %d met a fault", job_id, exc_info=True)
                after = self._failed(job_id, "LakeDrop met a fault of its own.")
            with self._jobs.deciding:
                self._waiting.popleft()
                self._jobs.publish(after)

    def _kept(self, job_id: int) -> UploadJob:
        try:
            path = self._receipts.keep(self._jobs.snapshot(job_id), self._rows(job_id))
            with self._jobs.deciding:
                after = replace(self._jobs.job(job_id), receipt=path)
                self._journal.save_job(after)
        except LakeDropError as error:
            log.error("job %d: %s", job_id, error.message)  # noqa: TRY400  it is told whole
            return self._failed(job_id, error.message)
        return after

    def _failed(self, job_id: int, problem: str) -> UploadJob:
        return replace(self._jobs.job(job_id), receipt_problem=problem)

    def _rows(self, job_id: int) -> Iterator[Row]:
        after = 0
        while page := self._journal.items(job_id, None, after, _PAGE):
            if self._jobs.leaving:
                raise Cancelled
            for item in page:
                yield row_of(item_to_wire(item))
            after = page[-1].item_id
