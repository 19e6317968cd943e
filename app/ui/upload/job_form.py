"""What a job is to do: destination, mode, name, connection; to edit while it is a draft."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from app.domain.errors import LakeDropError, WrongUse
from app.domain.snapshots import JobSnapshot
from app.domain.upload_job import JobState, checked_destination
from app.ui.context import UiContext
from app.ui.engine_client import Result
from app.ui.shown import shown
from app.ui.upload.job_words import JobWords
from app.ui.widgets.buttons import ElidedLabel, label, restyle
from app.ui.widgets.choice_box import ChoiceBox
from app.ui.widgets.segmented import Segmented
from embedded_server.contract import SyncType

_SAVE_AFTER_MS = 300
_MODES = (SyncType.INCREMENTAL, SyncType.FULL)


class JobForm(QWidget):
    """Edits go to the engine a moment after the last key; a field in use is never overwritten.

    `valid_changed` tells whether the destination can be used as it stands.
    """

    valid_changed = Signal()
    edited = Signal()  # a person changes the job; the engine may not know of it yet
    manage_connections = Signal()

    def __init__(self, context: UiContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._words = JobWords(context, self)
        self._job: JobSnapshot | None = None
        self._wanted: dict[str, Any] = {}
        self._under_way: Counter[int] = Counter()  # edits of each job without an answer
        self._then: list[tuple[int, Callable[[JobSnapshot], None]]] = []  # and the job's number
        self._listed: list[str] = ["local"]
        self._saving = QTimer(self)
        self._saving.setSingleShot(True)
        self._saving.setInterval(_SAVE_AFTER_MS)
        self._saving.timeout.connect(self._save)
        self._fields, self._summary = self._made_fields(), self._made_summary()
        both = QVBoxLayout(self)
        both.setContentsMargins(0, 0, 0, 0)
        both.addWidget(self._fields)
        both.addWidget(self._summary)
        context.navigator.connections_changed.connect(self.look_for_connections)

    # -- layout ------------------------------------------------------------------------------

    def _made_fields(self) -> QWidget:
        fields = QWidget()
        self._destination = QLineEdit()
        self._destination.setObjectName("upload.destination")
        self._destination.setAccessibleName(self.tr("Destination folder on the lake"))
        self._destination.setPlaceholderText("/data/uploads")
        self._name = QLineEdit()
        self._name.setObjectName("upload.name")
        self._name.setAccessibleName(self.tr("Name of the sync"))
        for line in (self._destination, self._name):
            line.setAcceptDrops(False)  # a dropped file is for the upload, not for the field
        self._connection = ChoiceBox()
        self._connection.setObjectName("upload.connection")
        self._connection.setAccessibleName(self.tr("Connection"))
        self._connection.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self._connection.setMinimumContentsLength(14)
        self._mode = Segmented()
        self._mode.offer(
            (
                (self._context.states.mode(SyncType.INCREMENTAL), "upload.modeIncremental"),
                (self._context.states.mode(SyncType.FULL), "upload.modeFull"),
            )
        )
        self._contents_only = QCheckBox(self.tr("Contents only"))
        self._contents_only.setObjectName("upload.contentsOnly")
        self._contents_only.setAccessibleName(self.tr("Contents only"))
        self._contents_only.setToolTip(
            self.tr("Leaves out the dropped folder's own name on the lake.")
        )
        self._problem = label(role="problem", name="upload.destinationProblem")
        self._problem.setWordWrap(True)
        self._problem.hide()
        self._sentence = label(role="muted", name="upload.modeSentence")
        self._sentence.setWordWrap(True)
        grid = QGridLayout(fields)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(4)
        grid.addWidget(label(self.tr("Destination"), role="field"), 0, 0)
        grid.addWidget(label(self.tr("Connection"), role="field"), 0, 1)
        grid.addWidget(self._destination, 1, 0)
        grid.addWidget(self._connection, 1, 1)
        grid.addWidget(self._problem, 2, 0, 1, 2)
        grid.addWidget(label(self.tr("Name"), role="field"), 3, 0)
        grid.addWidget(label(self.tr("Mode"), role="field"), 3, 1)
        grid.addWidget(self._name, 4, 0)
        grid.addWidget(self._mode, 4, 1)
        below = QHBoxLayout()
        below.setSpacing(16)
        below.addWidget(self._sentence, 1)
        below.addWidget(self._contents_only)
        grid.addLayout(below, 5, 0, 1, 2)
        grid.setColumnStretch(0, 1)
        self._destination.textEdited.connect(self._on_destination)
        self._name.textEdited.connect(lambda text: self._want("name", text))
        for line in (self._destination, self._name):
            line.editingFinished.connect(self._finish_line)
        self._connection.activated.connect(self._on_connection)
        self._mode.chosen.connect(lambda number: self._want_now("mode", _MODES[number].value))
        self._contents_only.clicked.connect(lambda on: self._want_now("contents_only", on))
        return fields

    def _made_summary(self) -> QWidget:
        summary = QWidget()
        self._heading = ElidedLabel(role="heading")
        self._heading.setObjectName("upload.jobName")
        self._facts = ElidedLabel(role="muted", middle=True)
        self._facts.setObjectName("upload.jobFacts")
        column = QVBoxLayout(summary)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3)
        column.addWidget(self._heading)
        column.addWidget(self._facts)
        return summary

    # -- what is shown -----------------------------------------------------------------------

    def show_job(self, job: JobSnapshot | None) -> None:
        if job is None:
            self._job = None
            return
        other = self._job is None or self._job.job_id != job.job_id
        if other:
            self._save()  # what was typed for the one before
            self._wanted = {}
        self._job = job
        draft = job.state is JobState.DRAFT
        self._fields.setVisible(draft)
        self._summary.setVisible(not draft)
        if draft:
            self._fill(job, other)
        else:
            self._heading.setText(self._words.name(job))
            mode = self._context.states.mode(job.mode)
            self._facts.setText(
                f"{mode} · {self._words.connection(job)} · {shown(job.destination)}"
            )

    def _fill(self, job: JobSnapshot, other: bool) -> None:
        saving = self._under_way[job.job_id] > 0
        for field, line, text in (
            ("destination", self._destination, job.destination),
            ("name", self._name, job.name),
        ):
            in_use = line.hasFocus() or field in self._wanted or saving
            if (other or not in_use) and line.text() != text:
                line.setText(text)
        if other:
            self._check_destination()
        if "mode" not in self._wanted and not saving:
            self._mode.choose(_MODES.index(job.mode))
        if "contents_only" not in self._wanted and not saving:
            self._contents_only.setChecked(job.contents_only)
        if not saving:
            self._list_connections()
        self._say_what_happens(job)

    def _say_what_happens(self, job: JobSnapshot) -> None:
        if _MODES[self._mode.choice] is SyncType.INCREMENTAL:
            sentence = self.tr(
                "Files are added. What is there stays; a file of the same name is replaced."
            )
        elif job.connection == "local":
            sentence = self.tr(
                "Replaces everything at the destination. The old data moves to the trash once all "
                "files are there."
            )
        else:
            sentence = self.tr(
                "Replaces everything at the destination once all files are there. Whether the old "
                "data can be had back is up to the server."
            )
        self._sentence.setText(sentence)

    # -- connections -------------------------------------------------------------------------

    def look_for_connections(self) -> None:
        self._context.link.ask("connections", self._take_connections, owner=self)

    def _take_connections(self, result: Result) -> None:
        self._listed = ["local", *(str(row["name"]) for row in result["connections"])]
        self._list_connections()

    def _list_connections(self) -> None:
        chosen = self._job.connection if self._job else "local"
        names = self._listed if chosen in self._listed else [*self._listed, chosen]
        if [self._connection.itemData(row) for row in range(self._connection.count() - 1)] != names:
            self._connection.clear()
            for name in names:
                self._connection.addItem(shown(self._context.states.connection(name)), name)
            self._connection.addItem(self.tr("Manage connections…"), None)
        self._connection.setCurrentIndex(names.index(chosen))

    def _on_connection(self, row: int) -> None:
        name = self._connection.itemData(row)
        if name is None:
            self._list_connections()
            self.manage_connections.emit()
        else:
            self._want_now("connection", {"name": name})

    # -- edits -------------------------------------------------------------------------------

    @property
    def is_valid(self) -> bool:
        return not self._destination.property("wrong")

    def when_saved(self, do: Callable[[JobSnapshot], None]) -> None:
        """Calls `do` with the job once the engine has all that was typed.

        Never if the engine refused it.
        """
        if self._job is None:
            return
        self._then.append((self._job.job_id, do))
        self._save()
        self._go_on(self._job)

    def focus_destination(self) -> None:
        self._destination.setFocus()
        self._destination.selectAll()

    def _on_destination(self, text: str) -> None:
        if self._check_destination():
            self._want("destination", text)
        else:
            self._wanted.pop("destination", None)
            self.edited.emit()

    def _check_destination(self) -> bool:
        try:
            checked_destination(self._destination.text())
        except WrongUse:
            self._tell_problem(
                self.tr(
                    "A folder of the lake such as /data/sales: it begins with / and has no // or .."
                )
            )
            return False
        self._tell_problem("")
        return True

    def _tell_problem(self, text: str) -> None:
        was_valid = self.is_valid
        restyle(self._destination, wrong=bool(text))
        self._problem.setText(text)
        self._problem.setVisible(bool(text))
        if was_valid == bool(text):
            self.valid_changed.emit()

    def _want(self, field: str, value: Any) -> None:
        self._wanted[field] = value
        self._saving.start()
        self.edited.emit()

    def _want_now(self, field: str, value: Any) -> None:
        self._wanted[field] = value
        if self._job is not None:
            self._say_what_happens(self._job)
        self.edited.emit()
        self._save()

    def _finish_line(self) -> None:
        self._save()
        if self._job is not None and self._job.state is JobState.DRAFT:
            self._fill(self._job, False)  # what the engine made of it while the field was in use

    def _save(self) -> None:
        self._saving.stop()
        job, wanted = self._job, self._wanted
        if job is None or not wanted or job.state is not JobState.DRAFT:
            return
        self._wanted = {}
        job_id = job.job_id
        self._under_way[job_id] += 1
        # No key of its own: a connection's key is the engine's to find.
        self._context.link.ask(
            "edit_job",
            lambda result: self._saved(job_id, JobSnapshot.from_wire(result)),
            lambda error: self._refused(job_id, error),
            owner=self,
            job_id=job_id,
            **wanted,
        )

    def _saved(self, job_id: int, now: JobSnapshot) -> None:
        self._under_way[job_id] -= 1
        if self._is_shown(job_id) and not self._under_way[job_id]:
            self._job = now
            self._fill(now, False)
        self._go_on(now)

    def _refused(self, job_id: int, error: LakeDropError) -> None:
        self._under_way[job_id] -= 1
        self._then = [(waits_for, do) for waits_for, do in self._then if waits_for != job_id]
        self._context.link.failed.emit(error)
        newest = self._context.link.jobs.get(job_id)
        if self._is_shown(job_id) and newest is not None:
            self._fill(newest, True)

    def _is_shown(self, job_id: int) -> bool:
        job = self._job
        return job is not None and job.job_id == job_id and job.state is JobState.DRAFT

    def _go_on(self, now: JobSnapshot) -> None:
        job_id = now.job_id
        if self._under_way[job_id]:
            return
        if self._is_shown(job_id) and (self._wanted or not self.is_valid):
            return
        ready = [do for waits_for, do in self._then if waits_for == job_id]
        self._then = [(waits_for, do) for waits_for, do in self._then if waits_for != job_id]
        for do in ready:
            do(now)
