"""The jobs of the upload page: all on the left; the chosen one's form, files and progress right."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from PySide6.QtCore import QMimeData, Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QVBoxLayout, QWidget
from shiboken6 import isValid

from app.domain.errors import LakeDropError
from app.domain.queue_item import ItemState
from app.domain.snapshots import JobSnapshot
from app.domain.upload_job import ENDED, JobState
from app.ui.context import Page, UiContext
from app.ui.engine_client import Result
from app.ui.tokens import Tone
from app.ui.upload.drop_zone import DropZone
from app.ui.upload.dropped_paths import DroppedPaths, payload_of
from app.ui.upload.job_footer import JobFooter
from app.ui.upload.job_form import JobForm
from app.ui.upload.job_list import JobList
from app.ui.upload.job_notices import JobNotices
from app.ui.upload.new_drafts import NewDrafts
from app.ui.upload.queue_table import QueueTable
from app.ui.upload.source_sender import PIECE, NextPiece
from app.ui.upload.start_talk import StartTalk
from app.ui.widgets.banner import Banner, BannerAction
from app.ui.widgets.buttons import button
from app.ui.widgets.empty_state import EmptyState
from app.ui.widgets.segmented import Segmented

_NARROW_BELOW = 1000
_LIST_WIDE, _LIST_NARROW = 264, 216
_FAILED = frozenset({ItemState.FAILED})
_LEFT_OUT_SHOWN = 12


class UploadPage(Page):
    """Stands in `UploadFront`, which shows it when there is a job."""

    _met_refused = Signal()  # from the thread that reads a drop

    def __init__(self, context: UiContext) -> None:
        super().__init__(context)
        self._job_id = 0
        self._told_key: tuple[object, ...] = ()
        self._make_parts()
        self._lay_out()
        self._connect()
        if context.link.jobs:
            self.choose_job(max(context.link.jobs))
        self._show_chosen()

    def _make_parts(self) -> None:
        context = self.context
        self._new = button(context.theme, self.tr("New upload"), name="upload.newJob", icon="plus")
        self._list = JobList(context)
        self._form = JobForm(context)
        self._zone = DropZone(context, large=False, names="upload")
        self._table = QueueTable(context)
        self._no_files = EmptyState(context.theme, "files")
        self._no_files.setObjectName("upload.noFiles")
        self._table.set_empty(self._no_files)
        self._filter = Segmented()
        self._filter.offer(
            ((self.tr("All"), "upload.showAll"), (self.tr("Failed"), "upload.showFailed"))
        )
        self._error = Banner(context.theme, "upload.error")
        self._notice = Banner(context.theme, "upload.banner")
        self._question = Banner(context.theme, "upload.question")
        self._footer = JobFooter(context)
        self._drafts = NewDrafts(context, self)
        self._talk = StartTalk(context, self._question, self)
        self._notices = JobNotices(context, self)

    def _lay_out(self) -> None:
        left = QVBoxLayout()
        left.setSpacing(10)
        left.addWidget(self._new)
        left.addWidget(self._list, 1)
        self._left = QWidget()
        self._left.setLayout(left)
        left.setContentsMargins(0, 0, 0, 0)
        job = QWidget()
        column = QVBoxLayout(job)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        filter_row = QHBoxLayout()
        filter_row.addWidget(self._zone, 1)
        filter_row.addWidget(self._filter, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self._form)
        for banner in (self._error, self._question, self._notice):
            column.addWidget(banner)
        column.addLayout(filter_row)
        column.addWidget(self._table, 1)
        column.addWidget(self._footer)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(14)
        row.addWidget(self._left)
        row.addWidget(job, 1)

    def _connect(self) -> None:
        link = self.context.link
        link.jobs_changed.connect(self._on_jobs)
        link.jobs_gone.connect(self._on_gone)
        self._new.clicked.connect(lambda: self.new_job())
        self._list.chosen.connect(self._choose)
        self._list.removal_wanted.connect(self._remove_job)
        self._zone.add_files.connect(self.add_files)
        self._zone.add_folder.connect(self.add_folder)
        self._form.valid_changed.connect(self._show_footer)
        self._form.edited.connect(lambda: self._talk.forget_start(self._job_id))
        self._form.manage_connections.connect(self.context.navigator.show_connections)
        self._table.selection_changed.connect(self._show_footer)
        self._filter.chosen.connect(
            lambda number: self._table.show_only(_FAILED if number else None)
        )
        self._drafts.made.connect(self.choose_job)
        self._drafts.changed.connect(self._show_footer)
        self._drafts.failed.connect(self._tell_error)
        self._met_refused.connect(self._tell_refused, Qt.ConnectionType.QueuedConnection)
        self._talk.failed.connect(self._tell_error_of)
        self._talk.changed.connect(self._show_footer)
        self._notices.wants_failed_only.connect(self._show_failed)
        self._notices.wants_new_job.connect(lambda: self.new_job())
        self._notices.wants_folder.connect(self._open_lake_folder)
        footer = self._footer
        footer.start.connect(self._start)
        footer.pause.connect(lambda: self._ask("pause_job"))
        footer.resume.connect(lambda: self._ask("resume_job"))
        footer.retry.connect(lambda: self._ask("retry_job"))
        footer.finish_without.connect(lambda: self._ask("finish_job"))
        footer.cancel.connect(self._cancel)
        footer.remove_rows.connect(self._table.remove_selected)
        footer.show_left_out.connect(self._show_left_out)
        for keys in ("Ctrl+Return", "Ctrl+Enter"):
            QShortcut(QKeySequence(keys), self).activated.connect(self._start)
        QShortcut(QKeySequence("Esc"), self).activated.connect(self._escape)

    # -- what the window asks ----------------------------------------------------------------

    def entered(self) -> None:
        self._form.look_for_connections()

    def take_keyboard(self) -> None:
        self._list.setFocus(Qt.FocusReason.OtherFocusReason)

    def choose_job(self, job_id: int) -> None:
        self._list.choose(job_id)

    def new_job(self, connection: str = "") -> None:
        """An empty draft, to be filled by drops; one that nobody touched yet is taken again.

        It goes to the named connection, or where the chosen job goes.
        """
        self._drafts.begin(self._chosen(), connection)

    @property
    def untouched_drafts(self) -> list[int]:
        """Empty ones that nobody has edited: no loss when the window closes."""
        return self._drafts.untouched()

    def add_files(self) -> None:
        paths, _ = QFileDialog.getOpenFileNames(self, self.tr("Add files"))
        if paths:
            self._drafts.add(self._chosen(), _pieces_of(paths))

    def add_folder(self) -> None:
        path = QFileDialog.getExistingDirectory(self, self.tr("Add folder"))
        if path:
            self._drafts.add(self._chosen(), _pieces_of([path]))

    def show_drop_target(self, over: bool) -> None:
        self._zone.show_over(over)

    def take(self, mime: QMimeData) -> None:
        """Files dropped or pasted; read off the window's thread, however many they are."""
        payload = payload_of(mime)
        if payload is None:
            self._tell_refused()
            return
        dropped = DroppedPaths(payload)
        told = False

        def next_piece() -> list[str]:
            nonlocal told
            paths = dropped.take(PIECE)
            if dropped.refused and not told and isValid(self):
                told = True
                self._met_refused.emit()
            return paths

        self._drafts.add(self._chosen(), next_piece)

    # -- the chosen job ----------------------------------------------------------------------

    def _chosen(self) -> JobSnapshot | None:
        return self.context.link.jobs.get(self._job_id)

    def _choose(self, job_id: int) -> None:
        if job_id != self._job_id:
            self._job_id = job_id
            self._error.hide()
            self._filter.choose(0)
            self._told_key = ()
        self._show_chosen()

    def _on_jobs(self, changed: set[int]) -> None:
        if not self._job_id:
            newest = max(self.context.link.jobs)
            self.choose_job(newest)
        elif self._job_id in changed:
            self._show_chosen()

    def _on_gone(self, gone: set[int]) -> None:
        if self._job_id in gone:
            self._job_id = 0
            if self.context.link.jobs:
                self.choose_job(max(self.context.link.jobs))
            self._show_chosen()

    def _show_chosen(self) -> None:
        job = self._chosen()
        self._form.show_job(job)
        self._talk.show_job(job)
        self._table.show_job(None if job is None else job.job_id)
        if job is None:
            return
        draft = job.state is JobState.DRAFT
        self._zone.setVisible(draft)
        has_failed = job.files_failed > 0
        self._filter.setVisible(has_failed)
        if not has_failed and self._filter.choice == 1:
            self._filter.choose(0)
            self._table.show_only(None)
        self._table.show_messages_first(has_failed)
        self._say_no_files(job)
        self._notices.show(job, self._notice)
        self._show_footer()

    def _say_no_files(self, job: JobSnapshot) -> None:
        if job.files:
            self._no_files.tell("")  # its rows are on their way
        elif not job.intake_done:
            self._no_files.tell(self.tr("Looking for files…"))
        else:
            self._no_files.tell(self.tr("No files yet"))

    def _show_footer(self) -> None:
        job = self._chosen()
        if job is None:
            return
        may_start = (
            job.state is JobState.DRAFT
            and job.intake_done
            and not self._drafts.is_sending(job.job_id)
            and self._form.is_valid
            and not self._talk.is_open
            and not self._talk.is_preparing(job.job_id)
        )
        self._footer.show_job(job, may_start=may_start, may_remove=self._table.may_remove)

    # -- what a person does ------------------------------------------------------------------

    def _start(self) -> None:
        job = self._chosen()
        if job is None or job.state is not JobState.DRAFT or self._talk.is_open:
            return
        if not job.intake_done or self._drafts.is_sending(job.job_id) or not self._form.is_valid:
            return
        self._error.hide()
        self._form.when_saved(self._talk.start)

    def _escape(self) -> None:
        """No to a question; else what was told is read."""
        if self._talk.is_open:
            self._talk.close()
        else:
            self._error.hide()

    def _cancel(self) -> None:
        job = self._chosen()
        if job is not None:
            self._talk.ask_cancel(job)

    def _remove_job(self, job_id: int) -> None:
        job = self.context.link.jobs.get(job_id)
        if job is None:
            return
        if job.state in ENDED or (job.state is JobState.DRAFT and not job.files):
            self.context.link.ask(
                "remove_job", on_error=self._tell_error, owner=self, job_id=job_id
            )
        elif job.state is JobState.DRAFT:
            self.choose_job(job_id)
            self._talk.ask_remove(job)

    def _ask(self, command: str) -> None:
        if self._job_id:
            self._error.hide()
            self.context.link.ask(
                command, on_error=self._tell_error, owner=self, job_id=self._job_id
            )

    def _show_failed(self) -> None:
        self._filter.choose(1)
        self._table.show_only(_FAILED)
        self._table.setFocus(Qt.FocusReason.OtherFocusReason)

    def _show_left_out(self) -> None:
        def tell(result: Result) -> None:
            said = self.context.errors.said
            rows = [f"{source}: {said(reason)}" for source, reason in result["left_out"]]
            if len(rows) > _LEFT_OUT_SHOWN:
                rows = [*rows[:_LEFT_OUT_SHOWN], "…"]
            self._tell(Tone.ACCENT, self.tr("Left out, and not uploaded"), "\n".join(rows))

        self.context.link.ask(
            "left_out",
            tell,
            self._tell_error,
            owner=self,
            job_id=self._job_id,
            limit=_LEFT_OUT_SHOWN + 1,
        )

    def _open_lake_folder(self, destination: str) -> None:
        def show(result: Result) -> None:
            folder = f"{result['files']}{destination}"
            if not QDesktopServices.openUrl(QUrl.fromLocalFile(folder)):
                self._tell(Tone.ACCENT, self.tr("The files are here"), folder)

        self.context.link.ask("lake", show, self._tell_error, owner=self)

    # -- what is told ------------------------------------------------------------------------

    def _tell_refused(self) -> None:
        self._tell(
            Tone.WARN,
            self.tr("That is no file of this machine"),
            self.tr("Drop files or folders from the file manager; links to web pages stay out."),
        )

    def _tell_error(self, error: LakeDropError) -> None:
        said = self.context.errors.present(error)
        actions = []
        if error.kind in ("InvalidApiKey", "ConnectionNotUsable"):
            actions.append(
                BannerAction(
                    self.tr("Open connections"),
                    "upload.openConnections",
                    self.context.navigator.show_connections.emit,
                )
            )
        self._tell(Tone.BAD, said.title, said.text, actions)

    def _tell_error_of(self, job_id: int, error: LakeDropError) -> None:
        if job_id == self._job_id:
            self._tell_error(error)
        else:  # the page shows another job by now
            self.context.link.failed.emit(error)

    def _tell(
        self, tone: Tone, title: str, text: str, actions: list[BannerAction] | None = None
    ) -> None:
        if self._chosen() is None:
            self.context.link.failed.emit(LakeDropError(f"{title}. {text}"))
            return
        close = BannerAction(self.tr("Close"), "upload.error.close", self._error.hide)
        self._error.tell(tone, title, text, [*(actions or []), close])

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._left.setFixedWidth(_LIST_NARROW if self.width() < _NARROW_BELOW else _LIST_WIDE)


def _pieces_of(paths: Sequence[str]) -> NextPiece:
    """Paths that are known as such."""
    rest = iter(paths)
    return lambda: list(islice(rest, PIECE))
