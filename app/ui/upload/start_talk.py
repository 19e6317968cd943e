"""The talk before a start, a cancel or a removal: one question at a time, in place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QPushButton

from app.domain.errors import LakeDropError, WrongUse
from app.domain.impact import Impact
from app.domain.snapshots import JobSnapshot
from app.domain.upload_job import ENDED, Consents, JobState
from app.ui.context import UiContext
from app.ui.engine_client import Result
from app.ui.shown import shown
from app.ui.tokens import Tone
from app.ui.upload.question import Question, StartQuestions
from app.ui.widgets.banner import Banner, BannerAction
from embedded_server.contract import SyncType


class StartTalk(QObject):
    """Starts a job once all is agreed; nothing happens on a no."""

    failed = Signal(object)  # LakeDropError

    def __init__(self, context: UiContext, banner: Banner, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._banner = banner
        self._questions = StartQuestions(context, self)
        self._asking_impact = False
        self._about: str = ""
        self.job_id = 0

    @property
    def is_open(self) -> bool:
        return not self._banner.isHidden()

    def close(self) -> None:
        self._banner.hide()
        self.job_id = 0
        self._about = ""

    def close_unless(self, job: JobSnapshot) -> None:
        """A question that no longer fits what the job is now goes away."""
        fits = job.job_id == self.job_id and (
            (self._about == "cancel" and job.state not in ENDED)
            or (self._about in ("start", "remove") and job.state is JobState.DRAFT)
        )
        if self.is_open and not fits:
            self.close()

    # -- start -------------------------------------------------------------------------------

    def start(self, job_id: int) -> None:
        if self._asking_impact:
            return
        self._asking_impact = True
        self.job_id = job_id
        self._about = "start"

        def known(result: Result) -> None:
            self._asking_impact = False
            if self.job_id == job_id:
                self._decide(job_id, Impact.from_wire(result))

        def unknown(error: LakeDropError) -> None:
            self._asking_impact = False
            self.failed.emit(error)

        self._context.link.ask("impact", known, unknown, owner=self, job_id=job_id)

    def _decide(self, job_id: int, impact: Impact) -> None:
        if impact.mode is SyncType.INCREMENTAL and not impact.new_files:
            self.failed.emit(
                WrongUse(
                    self.tr("There is no file in this upload yet. Drop files or folders first.")
                )
            )
            return
        self._ask_next(job_id, self._questions.for_start(impact), Consents())

    def _ask_next(self, job_id: int, questions: list[Question], agreed: Consents) -> None:
        if not questions:
            self._banner.hide()
            self._context.link.ask(
                "start_job",
                on_error=self.failed.emit,
                owner=self,
                job_id=job_id,
                consents=asdict(agreed),
            )
            return
        first, rest = questions[0], questions[1:]
        self._put(
            first.title,
            first.text,
            first.yes,
            first.no,
            lambda: self._ask_next(job_id, rest, first.agreed),
        )

    # -- cancel and remove -------------------------------------------------------------------

    def ask_cancel(self, job: JobSnapshot) -> None:
        self.job_id, self._about = job.job_id, "cancel"
        if job.plain_server and job.mode is SyncType.FULL:
            text = self.tr(
                "What was uploaded stays staged on this server, where the next full sync of {0} "
                "would publish it; the sync stays Syncing there. The data that is there now stays."
            ).format(shown(job.destination))
        elif job.mode is SyncType.FULL:
            text = self.tr("The data at {0} stays as it was.").format(shown(job.destination))
        else:
            text = self.tr("Files that have arrived stay at {0}; the rest is not uploaded.").format(
                shown(job.destination)
            )
        self._put(
            self.tr("Cancel this upload?"),
            text,
            self.tr("Cancel the upload"),
            self.tr("Go on uploading"),
            lambda: self._do("cancel_job", job.job_id),
        )

    def ask_remove(self, job: JobSnapshot) -> None:
        self.job_id, self._about = job.job_id, "remove"
        self._put(
            self.tr("Remove this upload from the list?"),
            self.tr("{0} were added to it. The files themselves stay where they are.").format(
                self._context.formats.files(job.files)
            ),
            self.tr("Remove"),
            self.tr("Keep it"),
            lambda: self._do("remove_job", job.job_id),
        )

    def _do(self, command: str, job_id: int) -> None:
        self.close()
        self._context.link.ask(command, on_error=self.failed.emit, owner=self, job_id=job_id)

    def _put(self, title: str, text: str, yes: str, no: str, agree: Callable[[], None]) -> None:
        self._banner.forget_actions()
        self._banner.tell(
            Tone.WARN,
            title,
            text,
            [
                BannerAction(no, "upload.confirmNo", self.close),
                BannerAction(yes, "upload.confirmYes", agree, "danger"),
            ],
        )
        # Enter must not agree by accident: the keyboard stands on the no.
        refuse = self._banner.findChild(QPushButton, "upload.confirmNo")
        if refuse is not None:
            refuse.setFocus()
