"""How far a job is, and what can be done with it now."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget

from app.domain.snapshots import JobSnapshot
from app.domain.upload_job import ENDED, RUNNING, JobState
from app.ui.context import UiContext
from app.ui.shown import shown
from app.ui.upload.job_words import JobWords
from app.ui.widgets.buttons import ElidedLabel, button, restyle
from embedded_server.contract import SyncType

_STEPS = 1_000
_SMOOTHING = 0.2


class JobFooter(QWidget):
    """A signal a button; which ones are there is up to the job's state."""

    start = Signal()
    pause = Signal()
    resume = Signal()
    cancel = Signal()
    retry = Signal()
    finish_without = Signal()
    remove_rows = Signal()
    show_left_out = Signal()

    def __init__(self, context: UiContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._words = JobWords(context, self)
        self._job_id = 0
        self._seconds_left: float | None = None
        self._paced: JobSnapshot | None = None
        self._bar = QProgressBar()
        self._bar.setObjectName("upload.progress")
        self._bar.setAccessibleName(self.tr("Progress of this upload"))
        self._bar.setRange(0, _STEPS)
        self._bar.setTextVisible(False)
        self._totals = ElidedLabel()
        self._totals.setObjectName("upload.totals")
        self._pace = ElidedLabel(role="muted")
        self._pace.setObjectName("upload.pace")
        self._left_out = button(context.theme, "", name="upload.leftOut", kind="quiet")
        self._left_out.clicked.connect(self.show_left_out)
        self._buttons = {
            name: self._made(name, text, icon, kind)
            for name, text, icon, kind in (
                ("remove", self.tr("Remove selected"), "trash-2", ""),
                ("cancel", self.tr("Cancel"), "x", "danger"),
                ("pause", self.tr("Pause"), "pause", ""),
                ("finishWithout", self.tr("Finish without them"), "check", ""),
                ("resume", self.tr("Resume"), "play", "primary"),
                ("retry", self.tr("Retry"), "rotate-cw", "primary"),
                ("start", self.tr("Start"), "play", "primary"),
            )
        }
        self._buttons["start"].setToolTip(self.tr("Start this upload (Ctrl+Enter)"))
        for name, signal in (
            ("remove", self.remove_rows),
            ("cancel", self.cancel),
            ("pause", self.pause),
            ("finishWithout", self.finish_without),
            ("resume", self.resume),
            ("retry", self.retry),
            ("start", self.start),
        ):
            self._buttons[name].clicked.connect(signal)
        self._lay_out()

    def _made(self, name: str, text: str, icon: str, kind: str) -> QPushButton:
        return button(self._context.theme, text, name=f"upload.{name}", icon=icon, kind=kind)

    def _lay_out(self) -> None:
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self._totals)
        words.addWidget(self._pace)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addLayout(words, 1)
        row.addWidget(self._left_out)
        for made in self._buttons.values():
            row.addWidget(made)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self._bar)
        column.addLayout(row)

    def show_job(self, job: JobSnapshot, *, may_start: bool, may_remove: bool) -> None:
        if job.job_id != self._job_id:
            self._job_id, self._seconds_left = job.job_id, None
        draft = job.state is JobState.DRAFT
        self._bar.setVisible(not draft)
        self._bar.setValue(round(self._words.fraction(job) * _STEPS))
        tone = self._context.states.job(job.state).tone.value
        restyle(self._bar, tone=tone)
        self._totals.setText(self._words.totals(job))
        self._pace.setText(self._pace_of(job))
        self._pace.setVisible(not draft or not job.intake_done)
        left_out = job.files_left_out
        self._left_out.setVisible(left_out > 0)
        number = self._context.formats.number(left_out)
        self._left_out.setText(self.tr("{0} left out").format(number))
        self._left_out.setAccessibleName(self._left_out.text())
        self._show_buttons(job, may_remove)
        self._buttons["start"].setEnabled(may_start)

    def _show_buttons(self, job: JobSnapshot, may_remove: bool) -> None:
        state = job.state
        resting = state is JobState.NEEDS_ATTENTION
        may_finish = resting and job.mode is SyncType.INCREMENTAL and job.files_failed > 0
        shown_now = {
            "remove": state is JobState.DRAFT,
            "start": state is JobState.DRAFT,
            "cancel": state not in ENDED and state not in (JobState.DRAFT, JobState.ENDING),
            "pause": state in RUNNING and state is not JobState.ENDING,
            "resume": state is JobState.PAUSED,
            "retry": resting,
            "finishWithout": may_finish and not job.problem,
        }
        for name, made in self._buttons.items():
            made.setVisible(shown_now[name])
        self._buttons["remove"].setEnabled(may_remove)

    def _pace_of(self, job: JobSnapshot) -> str:
        if job.state is JobState.DRAFT:
            return self._words.state(job).text  # seen while its files are looked for
        sent = self._words.sent(job)
        if job.state not in RUNNING:
            self._seconds_left = None
            return sent
        if job.waiting_reason:
            return f"{sent} · {self._context.errors.said(shown(job.waiting_reason))}"
        if job.speed_bytes_s < 1:
            return sent
        left_s = max(job.bytes - job.bytes_sent, 0) / job.speed_bytes_s
        before = self._seconds_left
        if before is None:
            before = self._seconds_left = left_s
        elif job != self._paced:  # once for each news, however often it is shown
            before = self._seconds_left = before + _SMOOTHING * (left_s - before)
        self._paced = job
        return self.tr("{0} · {1} · {2} left").format(
            sent,
            self._context.formats.speed(job.speed_bytes_s),
            self._context.formats.duration(max(round(before), 1)),
        )
