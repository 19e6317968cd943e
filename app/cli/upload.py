"""`lakedrop upload`: find, ask, start, follow to the end, and tell how it went."""

from __future__ import annotations

import time
from argparse import Namespace
from dataclasses import asdict, dataclass, field
from typing import Any

from app.cli.context import CommandContext
from app.cli.engine_session import EngineSession
from app.cli.interrupts import Interrupts
from app.cli.job_run import CANCEL_WITHIN_S, RESTS, JobRun, run_guarded
from app.cli.limit import pace_of
from app.cli.sources import sources_of
from app.cli.target import Target, key_for, target_of
from app.cli.upload_questions import Agreed, consents_for, refused_names, twins_told
from app.cli.upload_report import SHOWN_ROWS, UploadReport, report_of
from app.domain.errors import LakeDropError, WrongUse
from app.domain.impact import Impact
from app.domain.picking import Picking
from app.domain.snapshots import JobSnapshot
from app.domain.upload_job import (
    MOST_SHRINK_PERCENT,
    Consents,
    JobState,
    Source,
    checked_destination,
)
from embedded_server.contract import SyncType

_ADD_WITHIN_S = 60.0


@dataclass(frozen=True, slots=True)
class UploadOrder:
    """What the command line asks for, checked as far as this machine can."""

    target: Target
    sources: tuple[Source, ...]
    destination: str
    mode: SyncType
    name: str = ""
    agreed: Agreed = field(default_factory=Agreed)
    picking: Picking = field(default_factory=Picking)
    most_shrink_percent: int = MOST_SHRINK_PERCENT
    send_all: bool = False
    pace: dict[str, Any] = field(default_factory=dict)


def upload(options: Namespace, context: CommandContext) -> int:
    """The exit code. Raises `LakeDropError` for what is wrong before a job begins."""
    modes = {"full": SyncType.FULL, "incremental": SyncType.INCREMENTAL}
    order = UploadOrder(
        target_of(options),
        sources_of(options.paths),
        checked_destination(options.to),
        modes[options.mode],
        options.name,
        Agreed(options.yes, options.allow_empty, options.allow_same_names, options.allow_shrink),
        Picking(tuple(options.include), tuple(options.exclude), options.keep_junk),
        options.max_shrink,
        options.send_all,
        pace_of(options.limit, options.parallel),
    )
    report = report_of(options, context.terminal)
    return run_upload(order, context, report, retry_asked=not options.json)


def run_upload(
    order: UploadOrder, context: CommandContext, report: UploadReport, *, retry_asked: bool
) -> int:
    """`retry_asked`: on a terminal, offers to try again what needs attention."""
    with Interrupts() as interrupts, EngineSession(context.attach_engine) as session:
        run = _UploadRun(order, context, report, session, interrupts)
        return run_guarded(run, lambda: run.run(retry_asked))


class _UploadRun(JobRun):
    def __init__(
        self,
        order: UploadOrder,
        context: CommandContext,
        report: UploadReport,
        session: EngineSession,
        interrupts: Interrupts,
    ) -> None:
        super().__init__(context, report, session, interrupts)
        self._order = order

    def run(self, retry_asked: bool) -> int:
        if self._order.pace:
            self.session.request("set_pace", **self._order.pace)
        target = self._order.target
        key = key_for(target, self.context, self.session)
        job = self._found(key)
        if job.state in RESTS:  # the files could not be looked for, or somebody cancelled
            return self.ended(job)
        consents = self._consents(job)
        if consents is None:
            self.cancel(job.job_id)
            return self.ended(self.cancelled(job.job_id))
        self.began_s = time.monotonic()
        self._start(job.job_id, consents)
        return self.ended_with_retries(self.follow(job.job_id), retry_asked=retry_asked)

    # -- before the start --------------------------------------------------------------------

    def _found(self, key: str | None) -> JobSnapshot:
        """The draft with all its files. Begun anew when the engine that looked for them died."""
        while True:
            deaths = self.session.deaths
            with self.interrupts.held():
                job_id = self.job_id = int(self._add(key)["job_id"])
            self.session.remember_key(job_id, key)
            job = self._look(job_id)
            if job.state is not JobState.CANCELLED or self.session.deaths == deaths:
                return job

    def _add(self, key: str | None) -> dict[str, Any]:
        order = self._order
        return self.session.request(
            "add_job",
            _ADD_WITHIN_S,
            connection=order.target.to_wire(),
            key=key,
            destination=order.destination,
            mode=order.mode.value,
            name=order.name,
            sources=[[source.path, source.contents_only] for source in order.sources],
            picking=asdict(order.picking),
            most_shrink_percent=order.most_shrink_percent,
            send_all=order.send_all,
        )

    def _look(self, job_id: int) -> JobSnapshot:
        job = self.until(
            job_id,
            lambda job: job.intake_done or job.state is not JobState.DRAFT,
            self.report.looking,
        )
        self.report.found(job)
        self._tell_left_out(job)
        return job

    def _tell_left_out(self, job: JobSnapshot) -> None:
        if job.files_left_out:
            limit = 10_000 if self.report.every_file else SHOWN_ROWS
            rows = self.session.request("left_out", job_id=job.job_id, limit=limit)["left_out"]
            entries = [(str(source), str(reason)) for source, reason in rows]
            self.report.left_out(entries, job.files_left_out)

    def _consents(self, job: JobSnapshot) -> Consents | None:
        try:
            impact = Impact.from_wire(self.session.request("impact", job_id=job.job_id))
            self.report.pause()
            if impact.odd_names.refused_count and not impact.cannot_end:
                says = "may refuse" if impact.plain_server else "will refuse"
                self.report.beware(f"The server {says} {refused_names(impact)}")
            if impact.odd_names.twins:
                self.report.beware(twins_told(impact))
            return consents_for(impact, self._order.agreed, self.context.terminal)
        except LakeDropError:
            self._withdraw()
            raise

    def _withdraw(self) -> None:
        """A draft that nobody will start."""
        job_id, self.job_id = self.job_id, None
        if job_id is not None:
            self.session.request("cancel_job", CANCEL_WITHIN_S, job_id=job_id)

    # -- from the start on -------------------------------------------------------------------

    def _start(self, job_id: int, consents: Consents) -> None:
        deaths = self.session.deaths
        wire = {name: getattr(consents, name) for name in consents.__slots__}
        try:
            self.session.request("start_job", job_id=job_id, consents=wire)
        except WrongUse:
            if self.session.deaths == deaths:
                self._withdraw()
                raise
            # The engine died with its answer; the next one runs the job already.
