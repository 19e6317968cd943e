"""`lakedrop retry`: what an upload left unfinished, or paused, goes on under the same sync."""

from __future__ import annotations

from argparse import Namespace

from app.cli.context import CommandContext
from app.cli.engine_session import EngineSession
from app.cli.interrupts import Interrupts
from app.cli.job_run import JobRun, run_guarded
from app.cli.upload_report import report_of
from app.domain.connections import LOCAL
from app.domain.snapshots import JobSnapshot
from app.domain.upload_job import JobState


def retry(options: Namespace, context: CommandContext) -> int:
    """As `upload` returns. Raises `WrongUse` for a job that is not there or needs no retry."""
    report = report_of(options, context.terminal)
    with Interrupts() as interrupts, EngineSession(context.attach_engine) as session:
        run = _RetryRun(context, report, session, interrupts)
        run.allow_shrink = options.allow_shrink
        return run_guarded(run, lambda: run.run(options.job, retry_asked=not options.json))


class _RetryRun(JobRun):
    nothing_begun = "Interrupted before the job was tried again; it stands as it was."

    def run(self, job_id: int, *, retry_asked: bool) -> int:
        job = self.session.watch(job_id).now
        if job.state is JobState.NEEDS_ATTENTION:
            self.job_id = job_id
            self._give_key(job)
            job = self.session.watch(job_id).now  # the key alone may have set it going
            job = (
                self.retried(job) if job.state is JobState.NEEDS_ATTENTION else self.follow(job_id)
            )
        elif job.state is JobState.PAUSED:
            self.job_id = job_id
            self._give_key(job)
            job = self.resumed(job)
        else:
            job = self.retried(job)  # the engine says why not
        return self.ended_with_retries(job, retry_asked=retry_asked)

    def _give_key(self, job: JobSnapshot) -> None:
        """The environment's, as `upload` does; without one the engine asks the keyring."""
        key = self.context.environment_key
        if key and job.connection != LOCAL and self._is_known(job.connection):
            self.session.remember_key(job.job_id, key)
            self.session.give_key_again()

    def _is_known(self, label: str) -> bool:
        """Not so for the name of a connection that was removed: whose key would this one be?"""
        rows = self.session.request("connections")["connections"]
        return label.startswith(("http://", "https://")) or any(r["name"] == label for r in rows)
