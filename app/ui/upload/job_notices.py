"""What a job that rests says about itself, and what helps."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from app.domain.snapshots import JobSnapshot
from app.domain.upload_job import JobState
from app.ui.context import UiContext
from app.ui.shown import shown
from app.ui.tokens import Tone
from app.ui.upload.job_words import JobWords
from app.ui.widgets.banner import Banner, BannerAction
from embedded_server.contract import SyncType

_WANT_A_KEY = ("InvalidApiKey", "ConnectionNotUsable")


class JobNotices(QObject):
    wants_failed_only = Signal()
    wants_new_job = Signal()
    wants_folder = Signal(str)  # lake folder of the local lake

    def __init__(self, context: UiContext, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._words = JobWords(context, self)

    def show(self, job: JobSnapshot, banner: Banner) -> None:
        match job.state:
            case JobState.FINISHED:
                self._finished(job, banner)
            case JobState.NEEDS_ATTENTION:
                self._needs_attention(job, banner)
            case JobState.FAILED:
                title, text = self._trouble(job)
                banner.tell(Tone.BAD, title, text, [self._new_job()])
            case JobState.CANCELLED:
                text = self._context.errors.said(shown(job.message)) or self._after_cancel(job)
                banner.tell(Tone.ACCENT, self.tr("This upload was cancelled"), text)
            case JobState.PAUSED:
                banner.tell(
                    Tone.WARN,
                    self.tr("Paused"),
                    self.tr("Nothing is uploaded until you press Resume. Nothing is lost."),
                )
            case _:
                banner.hide()

    def _finished(self, job: JobSnapshot, banner: Banner) -> None:
        actions = []
        if job.connection == "local":
            actions.append(
                BannerAction(
                    self.tr("Open folder"),
                    "upload.openFolder",
                    lambda: self.wants_folder.emit(job.destination),
                )
            )
        actions.append(self._new_job())
        tone = Tone.WARN if job.files_failed else Tone.GOOD
        banner.tell(tone, self.tr("Finished"), self._words.outcome(job), actions)

    def _needs_attention(self, job: JobSnapshot, banner: Banner) -> None:
        actions = []
        if job.files_failed:
            actions.append(
                BannerAction(
                    self.tr("Show failed"), "upload.showFailedRows", self.wants_failed_only.emit
                )
            )
        if job.problem in _WANT_A_KEY:
            actions.append(
                BannerAction(
                    self.tr("Open connections"),
                    "upload.openConnections",
                    self._context.navigator.show_connections.emit,
                )
            )
        title, text = self._trouble(job)
        banner.tell(Tone.WARN, title, text, actions)

    def _trouble(self, job: JobSnapshot) -> tuple[str, str]:
        if job.problem:
            said = self._context.errors.present_kind(job.problem, shown(job.message))
            return said.title, said.text
        if job.files_failed and job.mode is SyncType.FULL:
            return (
                self._words.not_arrived(job),
                self.tr(
                    "So the full sync was not ended, and the data that is there stays as it was. "
                    "See to the files, then press Retry."
                ),
            )
        if job.files_failed:
            return (
                self._words.not_arrived(job),
                self.tr("See to them and press Retry, or finish this upload without them."),
            )
        return self.tr("This upload stopped"), shown(job.message)

    def _after_cancel(self, job: JobSnapshot) -> str:
        if job.sync_id is None:
            return self.tr("Nothing was sent.")
        if job.mode is SyncType.FULL:
            return self.tr("The data at {0} stays as it was.").format(shown(job.destination))
        return self.tr("Files that had arrived stay at {0}.").format(shown(job.destination))

    def _new_job(self) -> BannerAction:
        return BannerAction(self.tr("New upload"), "upload.again", self.wants_new_job.emit)
