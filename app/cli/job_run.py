"""Following one job to where it rests, or giving it up, whichever command set it going."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from typing import Any

from app.cli import exits, words
from app.cli.context import CommandContext
from app.cli.engine_session import EngineSession
from app.cli.interrupts import Interrupted, Interrupts
from app.cli.upload_report import SHOWN_ROWS, UploadReport, shrinks
from app.domain.errors import ConnectionNotUsable, LakeDropError, WrongUse
from app.domain.queue_item import ItemState
from app.domain.snapshots import JobSnapshot
from app.domain.upload_job import ENDED, JobState
from app.link.engine_errors import EngineGone
from embedded_server.contract import SyncType

RESTS = ENDED | {JobState.NEEDS_ATTENTION}
CANCEL_WITHIN_S = 15.0
_LOOK_EVERY_S = 1.0
_PAGE = 1_000


class JobRun:
    """`job_id` is None as long as an interruption has nothing to cancel."""

    nothing_begun = "Cancelled before anything was sent."
    allow_shrink = False  # agreed to with a retry

    def __init__(
        self,
        context: CommandContext,
        report: UploadReport,
        session: EngineSession,
        interrupts: Interrupts,
    ) -> None:
        self.context = context
        self.report = report
        self.session = session
        self.interrupts = interrupts
        self.job_id: int | None = None
        self.began_s = time.monotonic()

    def give_up(self, exit_code: int) -> None:
        """After Ctrl-C: cancels, waits a moment for it, and says what stays on the server.

        Another Ctrl-C ends the waiting; the engine cancels all the same.
        """
        if self.job_id is None:
            self.report.stays(self.nothing_begun)
            return
        self.report.pause()
        try:
            self.cancel(self.job_id)
            with self.interrupts.let_in():
                job = self.cancelled(self.job_id)
            self.report.stays(what_stays(job))
            self.report.result(job, exit_code, time.monotonic() - self.began_s)
        except Interrupted:
            self.report.stays("The upload engine goes on cancelling by itself.")
        except LakeDropError as error:
            self.report.error(error)

    def follow(self, job_id: int) -> JobSnapshot:
        """Until it rests."""
        deaths_at_key = 0
        while True:
            job = self.until(job_id, lambda job: job.state in RESTS, self.report.progress)
            # A new engine may have missed the key by a moment, before this screen gave it.
            wants_key = job.problem == ConnectionNotUsable.__name__
            if not wants_key or self.session.deaths == deaths_at_key:
                return job
            deaths_at_key = self.session.deaths
            if not self.session.give_key_again():
                return job

    def until(
        self,
        job_id: int,
        done: Callable[[JobSnapshot], bool],
        tell: Callable[[JobSnapshot], None],
        within_s: float = math.inf,
    ) -> JobSnapshot:
        """The first change that is `done`, or the last within the time; each one is told.

        Goes on through the deaths of engines: the next one takes the job up again.
        """
        deadline_s = time.monotonic() + within_s
        watch = self.session.watch(job_id)
        before = watch.now
        while True:
            now = watch.now
            if (now.files_arrived, now.bytes_sent) > (before.files_arrived, before.bytes_sent):
                self.session.moved()
            before = now
            tell(now)
            if done(now) or time.monotonic() > deadline_s:
                return now
            try:
                watch.wait(_LOOK_EVERY_S)
            except EngineGone as gone:
                self.session.lost(gone)
                watch = self.session.watch(job_id)

    def retried(self, job: JobSnapshot) -> JobSnapshot:
        """Followed until it rests again. Raises `WrongUse` where there is nothing to retry."""
        agreed = {"allow_shrink": True} if self.allow_shrink else {}
        return self._set_going("retry_job", job, **agreed)

    def resumed(self, job: JobSnapshot) -> JobSnapshot:
        """A paused one, followed until it rests again."""
        return self._set_going("resume_job", job)

    def _set_going(self, command: str, job: JobSnapshot, **agreed: bool) -> JobSnapshot:
        deaths = self.session.deaths
        try:
            self.session.request(command, job_id=job.job_id, **agreed)
        except WrongUse:
            if self.session.deaths == deaths:
                raise
            # The engine died with its answer; the next one runs the job already.
        return self.follow(job.job_id)

    def ended_with_retries(self, job: JobSnapshot, *, retry_asked: bool) -> int:
        """On a terminal, where `retry_asked`, offers to try again what needs attention."""
        while retry_asked and self.wants_retry(job):
            job = self.retried(job)
        return self.ended(job)

    def wants_retry(self, job: JobSnapshot) -> bool:
        terminal = self.context.terminal
        if job.state is not JobState.NEEDS_ATTENTION or not terminal.can_ask:
            return False
        if shrinks(job):  # trying again is no consent to it
            return False
        self.report.pause()
        return terminal.ask(f"{words.shown(job.message)} Try what is left again?")

    def cancel(self, job_id: int) -> None:
        self.session.request("cancel_job", CANCEL_WITHIN_S, job_id=job_id)

    def cancelled(self, job_id: int) -> JobSnapshot:
        return self.until(job_id, lambda job: job.state in ENDED, lambda _: None, CANCEL_WITHIN_S)

    def ended(self, job: JobSnapshot) -> int:
        took_s = time.monotonic() - self.began_s
        if job.receipt_due:
            job = self.until(job.job_id, lambda job: not job.receipt_due, lambda _: None)
        self.report.pause()
        for item in self._told_items(job):
            self.report.file(item)
        exit_code = exit_code_of(job)
        if staged := what_is_staged(job):
            self.report.stays(staged)
        if job.state is JobState.FINISHED and job.message:
            self.report.stays(words.shown(job.message))
        if job.receipt_problem:
            self.report.stays(words.shown(job.receipt_problem))
        self.report.result(job, exit_code, took_s)
        return exit_code

    def _told_items(self, job: JobSnapshot) -> Iterator[dict[str, Any]]:
        """All files, page by page, or the first that failed."""
        states = None if self.report.every_file else [ItemState.FAILED.value]
        limit = _PAGE if self.report.every_file else SHOWN_ROWS
        if states is not None and not job.files_failed:
            return
        after = 0
        while True:
            page = self.session.request(
                "items", job_id=job.job_id, states=states, after=after, limit=limit
            )["items"]
            yield from page
            if len(page) < limit or not self.report.every_file:
                return
            after = int(page[-1]["item_id"])


def run_guarded(run: JobRun, work: Callable[[], int]) -> int:
    """`work`'s exit code, or the interruption's once the job is given up."""
    try:
        return work()
    except Interrupted as interrupted:
        run.give_up(interrupted.exit_code)
        return interrupted.exit_code
    finally:
        run.report.pause()


def exit_code_of(job: JobSnapshot) -> int:
    """0 only if the sync ended with every file verified, or on a plain server acknowledged."""
    sure = job.files_arrived if job.plain_server else job.files_verified
    return exits.DONE if job.state is JobState.FINISHED and sure == job.files else exits.FAILED


def what_stays(job: JobSnapshot) -> str:
    """What an interrupted job leaves behind, in plain words."""
    destination = words.shown(job.destination)
    if job.state is JobState.FINISHED:
        return f"It was too late to cancel: the sync has ended, {destination} is complete."
    if job.state is not JobState.CANCELLED:
        return (
            f"The job is still {words.STATES[job.state]} and was told to stop. How it ended "
            "will be seen with: lakedrop jobs"
        )
    if job.sync_id is None:
        return "Cancelled before anything was sent."
    on_server = "was aborted" if job.aborted else "stays open"
    if job.mode is SyncType.INCREMENTAL:
        return (
            f"Cancelled. What was published by then ({words.files(job.files_arrived)}) stays at "
            f"{destination}; sync {job.sync_id} {on_server} on the server."
        )
    stands = f"Cancelled. {destination} stands as it was; sync {job.sync_id} {on_server}."
    return f"{stands} {what_is_staged(job)}".rstrip()


def what_is_staged(job: JobSnapshot) -> str:
    """The warning after a full sync on a plain server that began and did not finish, else empty."""
    unfinished = job.state is not JobState.FINISHED and job.sync_id is not None
    if not unfinished or not job.plain_server or job.mode is not SyncType.FULL:
        return ""
    return (
        f"Beware: what was sent so far ({words.files(job.files_arrived)}) is kept staged by this "
        f"server and published by the next full sync of {words.shown(job.destination)} too, "
        "whoever makes it."
    )
