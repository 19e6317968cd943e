"""The talk before a start, a cancel or a removal: one question at a time, in place.

A question stands for what it says: as soon as the job is another than the one it was asked about,
it goes away, and what it asked is not done.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QApplication, QPushButton, QWidget

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


@dataclass(frozen=True, slots=True)
class _Asked:
    """A start that was asked for: the job as it stood then, and what the start would do."""

    job: JobSnapshot
    impact: Impact

    def fits(self, now: JobSnapshot) -> bool:
        """Whether the job is still to do this. Its newest edit may not have come as news yet."""
        if now.state is not JobState.DRAFT or not now.intake_done:
            return False
        before, impact = self.job, self.impact
        then = (before.connection, before.destination, before.mode, before.files, before.bytes)
        told = (
            before.connection,
            impact.destination,
            impact.mode,
            impact.new_files,
            impact.new_bytes,
        )
        return (now.connection, now.destination, now.mode, now.files, now.bytes) in (then, told)


class StartTalk(QObject):
    """Starts a job once all is agreed; nothing happens on a no.

    Told by `show_job` which job the page shows. Another one may be started meanwhile: what there is
    to ask about it waits until it is shown again.
    """

    failed = Signal(int, object)  # job_id, LakeDropError
    changed = Signal()  # whether a question stands here, or a start is being prepared

    def __init__(self, context: UiContext, banner: Banner, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._banner = banner
        self._questions = StartQuestions(context, self)
        self._asking: dict[int, object] = {}  # whose impact is being asked for, by which start
        self._sent: set[int] = set()  # started, though the news of it may not be here yet
        self._held: dict[int, _Asked] = {}  # to be asked when the job is shown
        self._shown: JobSnapshot | None = None
        self._asked: _Asked | None = None
        self._about = ""
        self._job_id = 0
        self._return_to: QWidget | None = None

    @property
    def is_open(self) -> bool:
        return not self._banner.isHidden()

    def is_preparing(self, job_id: int) -> bool:
        """Whether the job's start is under way: nothing is to be pressed twice."""
        return job_id in self._asking or job_id in self._sent

    def show_job(self, job: JobSnapshot | None) -> None:
        """The job that the page shows, as it stands now."""
        self._shown = job
        if self.is_open and (job is None or not self._fits(job)):
            self.close()
        if job is not None and not self.is_open and job.job_id in self._held:
            held = self._held.pop(job.job_id)
            if held.fits(job):
                self._decide(held)

    def close(self) -> None:
        had_keyboard = self._banner.isAncestorOf(QApplication.focusWidget() or self._banner)
        self._banner.hide()
        self._job_id, self._about, self._asked = 0, "", None
        self.changed.emit()
        if had_keyboard and self._return_to is not None and self._return_to.isVisible():
            self._return_to.setFocus()
        self._return_to = None

    def forget_start(self, job_id: int) -> None:
        """The job is being changed: what was said about its start no longer counts."""
        if self._asking.pop(job_id, None) is not None:
            self.changed.emit()
        if self.is_open and self._about == "start" and self._job_id == job_id:
            self.close()

    def _fits(self, job: JobSnapshot) -> bool:
        if job.job_id != self._job_id:
            return False
        if self._about == "cancel":
            return job.state not in ENDED and job.state is not JobState.DRAFT
        if self._about == "start":
            return self._asked is not None and self._asked.fits(job)
        return job.state is JobState.DRAFT

    # -- start -------------------------------------------------------------------------------

    def start(self, job: JobSnapshot) -> None:
        """`job` is the newest that is known of it."""
        job_id = job.job_id
        if self.is_preparing(job_id):
            return
        this = self._asking[job_id] = object()
        self._return_to = QApplication.focusWidget()
        self.changed.emit()

        def is_over() -> bool:
            if self._asking.get(job_id) is not this:
                return False  # edited meanwhile: it is another start by now
            del self._asking[job_id]
            self.changed.emit()
            return True

        def known(result: Result) -> None:
            if is_over():
                self._decide(_Asked(job, Impact.from_wire(result)))

        def unknown(error: LakeDropError) -> None:
            if is_over():
                self.failed.emit(job_id, error)

        self._context.link.ask("impact", known, unknown, owner=self, job_id=job_id)

    def _decide(self, asked: _Asked) -> None:
        job_id, impact = asked.job.job_id, asked.impact
        if impact.mode is SyncType.INCREMENTAL and not impact.new_files:
            self.failed.emit(
                job_id,
                WrongUse(
                    self.tr("There is no file in this upload yet. Drop files or folders first.")
                ),
            )
            return
        questions = self._questions.for_start(impact)
        if questions and (self._shown is None or self._shown.job_id != job_id):
            self._held[job_id] = asked
            return
        self._asked = asked
        self._ask_next(job_id, questions, Consents())

    def _ask_next(self, job_id: int, questions: list[Question], agreed: Consents) -> None:
        if not questions:
            self._send_start(job_id, agreed)
            return
        first, rest = questions[0], questions[1:]
        self._job_id, self._about = job_id, "start"
        self._put(
            first.title,
            first.text,
            first.yes,
            first.no,
            lambda: self._ask_next(job_id, rest, first.agreed),
        )

    def _send_start(self, job_id: int, agreed: Consents) -> None:
        def refused(error: LakeDropError) -> None:
            self._sent.discard(job_id)
            self.changed.emit()
            self.failed.emit(job_id, error)

        self._sent.add(job_id)
        if self._job_id == job_id:
            self.close()
        self.changed.emit()
        self._context.link.ask(
            "start_job", on_error=refused, owner=self, job_id=job_id, consents=asdict(agreed)
        )

    # -- cancel and remove -------------------------------------------------------------------

    def ask_cancel(self, job: JobSnapshot) -> None:
        self._begin(job.job_id, "cancel")
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
        self.forget_start(job.job_id)
        self._begin(job.job_id, "remove")
        self._put(
            self.tr("Remove this upload from the list?"),
            self.tr("{0} were added to it. The files themselves stay where they are.").format(
                self._context.formats.files(job.files)
            ),
            self.tr("Remove"),
            self.tr("Keep it"),
            lambda: self._do("remove_job", job.job_id),
        )

    def _begin(self, job_id: int, about: str) -> None:
        if not self.is_open:
            self._return_to = QApplication.focusWidget()
        self._job_id, self._about = job_id, about

    def _do(self, command: str, job_id: int) -> None:
        self.close()
        self._context.link.ask(
            command,
            on_error=lambda error: self.failed.emit(job_id, error),
            owner=self,
            job_id=job_id,
        )

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
        self.changed.emit()
        # Enter must not agree by accident: the keyboard stands on the no.
        refuse = self._banner.findChild(QPushButton, "upload.confirmNo")
        if refuse is not None:
            refuse.setFocus()
