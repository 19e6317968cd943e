"""`lakedrop upload`: find, ask, start, follow to the end, and tell how it went."""

from __future__ import annotations

import math
import time
from argparse import Namespace
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from app.cli import exits, words
from app.cli.context import CommandContext
from app.cli.engine_session import EngineSession
from app.cli.interrupts import Interrupted, Interrupts
from app.cli.progress import progress_show
from app.cli.sources import sources_of
from app.cli.target import Target, key_for, target_of
from app.cli.upload_questions import Agreed, consents_for, impact_from_wire
from app.cli.upload_report import SHOWN_ROWS, HumanReport, JsonReport, UploadReport
from app.domain.errors import ConnectionNotUsable, LakeDropError, WrongUse
from app.domain.queue_item import ItemState
from app.domain.snapshots import JobSnapshot
from app.domain.upload_job import ENDED, Consents, JobState, Source, checked_destination
from app.link.engine_errors import EngineGone
from embedded_server.contract import SyncType

_RESTS = ENDED | {JobState.NEEDS_ATTENTION}
_LOOK_EVERY_S = 1.0
_ADD_WITHIN_S = 60.0
_CANCEL_WITHIN_S = 15.0
_PAGE = 1_000


@dataclass(frozen=True, slots=True)
class UploadOrder:
    """What the command line asks for, checked as far as this machine can."""

    target: Target
    sources: tuple[Source, ...]
    destination: str
    mode: SyncType
    name: str = ""
    agreed: Agreed = field(default_factory=Agreed)


def upload(options: Namespace, context: CommandContext) -> int:
    """The exit code. Raises `LakeDropError` for what is wrong before a job begins."""
    modes = {"full": SyncType.FULL, "incremental": SyncType.INCREMENTAL}
    order = UploadOrder(
        target_of(options),
        sources_of(options.paths),
        checked_destination(options.to),
        modes[options.mode],
        options.name,
        Agreed(options.yes, options.allow_empty, options.allow_same_names),
    )
    terminal = context.terminal
    report: UploadReport = (
        JsonReport(terminal) if options.json else HumanReport(terminal, progress_show(terminal))
    )
    return run_upload(order, context, report, retry_asked=not options.json)


def run_upload(
    order: UploadOrder, context: CommandContext, report: UploadReport, *, retry_asked: bool
) -> int:
    """`retry_asked`: on a terminal, offers to try again what needs attention."""
    with Interrupts() as interrupts, EngineSession(context.attach_engine) as session:
        run = _UploadRun(order, context, report, session, interrupts)
        try:
            return run.run(retry_asked)
        except Interrupted as interrupted:
            run.give_up(interrupted.exit_code)
            return interrupted.exit_code
        finally:
            report.pause()


class _UploadRun:
    def __init__(
        self,
        order: UploadOrder,
        context: CommandContext,
        report: UploadReport,
        session: EngineSession,
        interrupts: Interrupts,
    ) -> None:
        self._order = order
        self._context = context
        self._report = report
        self._session = session
        self._interrupts = interrupts
        self._job_id: int | None = None
        self._began_s = time.monotonic()

    def run(self, retry_asked: bool) -> int:
        target = self._order.target
        key = key_for(target, self._context, self._session)
        self._session.remember_key(target.to_wire(), key)
        job = self._found(key)
        if job.state in _RESTS:  # the files could not be looked for, or somebody cancelled
            return self._ended(job)
        consents = self._consents(job)
        if consents is None:
            self._cancel(job.job_id)
            return self._ended(self._cancelled(job.job_id))
        self._began_s = time.monotonic()
        self._start(job.job_id, consents)
        job = self._follow(job.job_id)
        while retry_asked and self._wants_retry(job):
            self._session.request("retry_job", job_id=job.job_id)
            job = self._follow(job.job_id)
        return self._ended(job)

    def give_up(self, exit_code: int) -> None:
        """After Ctrl-C: cancels, waits a moment for it, and says what stays on the server.

        Another Ctrl-C ends the waiting; the engine cancels all the same.
        """
        if self._job_id is None:
            self._report.stays("Cancelled before anything was sent.")
            return
        self._report.pause()
        try:
            self._cancel(self._job_id)
            with self._interrupts.let_in():
                job = self._cancelled(self._job_id)
            self._report.stays(what_stays(job))
            self._report.result(job, exit_code, time.monotonic() - self._began_s)
        except Interrupted:
            self._report.stays("The upload engine goes on cancelling by itself.")
        except LakeDropError as error:
            self._report.error(error)

    # -- before the start --------------------------------------------------------------------

    def _found(self, key: str | None) -> JobSnapshot:
        """The draft with all its files. Begun anew when the engine that looked for them died."""
        while True:
            deaths = self._session.deaths
            with self._interrupts.held():
                job_id = self._job_id = int(self._add(key)["job_id"])
            job = self._look(job_id)
            if job.state is not JobState.CANCELLED or self._session.deaths == deaths:
                return job

    def _add(self, key: str | None) -> dict[str, Any]:
        order = self._order
        return self._session.request(
            "add_job",
            _ADD_WITHIN_S,
            connection=order.target.to_wire(),
            key=key,
            destination=order.destination,
            mode=order.mode.value,
            name=order.name,
            sources=[[source.path, source.contents_only] for source in order.sources],
        )

    def _look(self, job_id: int) -> JobSnapshot:
        job = self._until(
            job_id,
            lambda job: job.intake_done or job.state is not JobState.DRAFT,
            self._report.looking,
        )
        self._report.found(job)
        self._tell_left_out(job)
        return job

    def _tell_left_out(self, job: JobSnapshot) -> None:
        if job.files_left_out:
            limit = 10_000 if self._report.every_file else SHOWN_ROWS
            rows = self._session.request("left_out", job_id=job.job_id, limit=limit)["left_out"]
            entries = [(str(source), str(reason)) for source, reason in rows]
            self._report.left_out(entries, job.files_left_out)

    def _consents(self, job: JobSnapshot) -> Consents | None:
        try:
            impact = impact_from_wire(self._session.request("impact", job_id=job.job_id))
            self._report.pause()
            return consents_for(impact, self._order.agreed, self._context.terminal)
        except LakeDropError:
            self._withdraw()
            raise

    def _withdraw(self) -> None:
        """A draft that nobody will start."""
        job_id, self._job_id = self._job_id, None
        if job_id is not None:
            self._session.request("cancel_job", _CANCEL_WITHIN_S, job_id=job_id)

    # -- from the start on -------------------------------------------------------------------

    def _start(self, job_id: int, consents: Consents) -> None:
        deaths = self._session.deaths
        wire = {name: getattr(consents, name) for name in consents.__slots__}
        try:
            self._session.request("start_job", job_id=job_id, consents=wire)
        except WrongUse:
            if self._session.deaths == deaths:
                self._withdraw()
                raise
            # The engine died with its answer; the next one runs the job already.

    def _follow(self, job_id: int) -> JobSnapshot:
        """Until it rests."""
        deaths_at_key = 0
        while True:
            job = self._until(job_id, lambda job: job.state in _RESTS, self._report.progress)
            # A new engine may have missed the key by a moment, before this screen gave it.
            wants_key = job.problem == ConnectionNotUsable.__name__
            if not wants_key or self._session.deaths == deaths_at_key:
                return job
            deaths_at_key = self._session.deaths
            if not self._session.give_key_again():
                return job

    def _until(
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
        watch = self._session.watch(job_id)
        before = watch.now
        while True:
            now = watch.now
            if (now.files_arrived, now.bytes_sent) > (before.files_arrived, before.bytes_sent):
                self._session.moved()
            before = now
            tell(now)
            if done(now) or time.monotonic() > deadline_s:
                return now
            try:
                watch.wait(_LOOK_EVERY_S)
            except EngineGone as gone:
                self._session.lost(gone)
                watch = self._session.watch(job_id)

    def _wants_retry(self, job: JobSnapshot) -> bool:
        terminal = self._context.terminal
        if job.state is not JobState.NEEDS_ATTENTION or not terminal.can_ask:
            return False
        self._report.pause()
        return terminal.ask(f"{words.shown(job.message)} Try what is left again?")

    def _cancel(self, job_id: int) -> None:
        self._session.request("cancel_job", _CANCEL_WITHIN_S, job_id=job_id)

    def _cancelled(self, job_id: int) -> JobSnapshot:
        return self._until(job_id, lambda job: job.state in ENDED, lambda _: None, _CANCEL_WITHIN_S)

    # -- at the end --------------------------------------------------------------------------

    def _ended(self, job: JobSnapshot) -> int:
        self._report.pause()
        took_s = time.monotonic() - self._began_s
        for item in self._told_items(job):
            self._report.file(item)
        exit_code = exit_code_of(job)
        self._report.result(job, exit_code, took_s)
        return exit_code

    def _told_items(self, job: JobSnapshot) -> Iterator[dict[str, Any]]:
        """All files, page by page, or the first that failed."""
        states = None if self._report.every_file else [ItemState.FAILED.value]
        limit = _PAGE if self._report.every_file else SHOWN_ROWS
        if states is not None and not job.files_failed:
            return
        after = 0
        while True:
            page = self._session.request(
                "items", job_id=job.job_id, states=states, after=after, limit=limit
            )["items"]
            yield from page
            if len(page) < limit or not self._report.every_file:
                return
            after = int(page[-1]["item_id"])


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
    if job.mode is SyncType.INCREMENTAL:
        return (
            f"Cancelled. What was published by then ({words.files(job.files_arrived)}) stays at "
            f"{destination}; sync {job.sync_id} stays open on the server."
        )
    if job.plain_server:
        return (
            f"Cancelled. {destination} stands as it was, and sync {job.sync_id} stays open. "
            f"Beware: on this server the {words.files(job.files_arrived)} sent so far are "
            f"published by the next full sync of {destination}, whoever makes it."
        )
    return f"Cancelled. {destination} stands as it was; sync {job.sync_id} stays open."
