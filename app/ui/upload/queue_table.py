"""The table of a job's files: choose, remove, copy, and look only at what failed."""

from __future__ import annotations

from pathlib import PurePath

from PySide6.QtCore import QItemSelection, QItemSelectionModel, QPoint, Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QGuiApplication, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QMenu, QWidget

from app.domain.queue_item import ItemState
from app.domain.upload_job import JobState
from app.ui.context import UiContext
from app.ui.tables.cell_table import CellTable
from app.ui.upload.id_ranges import Range
from app.ui.upload.queue_model import QueueColumn, QueueModel


class QueueTable(CellTable):
    """`selection_changed` comes whenever other rows are chosen."""

    selection_changed = Signal()

    def __init__(self, context: UiContext, parent: QWidget | None = None) -> None:
        self._queue = QueueModel(context)
        super().__init__(context.theme, self._queue, parent)
        self._queue.setParent(self)
        self._context = context
        self._kept: list[Range] = []
        self._kept_top_id = 0
        self.setObjectName("upload.table")
        self.setAccessibleName(self.tr("Files of this upload"))
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._show_menu)
        self.selectionModel().selectionChanged.connect(self._on_selection)
        self.scrolled.connect(self._tell_visible)
        self._queue.modelAboutToBeReset.connect(self._keep_place)
        self._queue.reordered.connect(self._restore_place)
        self._queue.rowsInserted.connect(self._tell_visible)

    @property
    def queue(self) -> QueueModel:
        return self._queue

    def show_job(self, job_id: int | None) -> None:
        before = self._queue.job
        if before is None or before.job_id != job_id:
            self.clearSelection()
            self.scrollToTop()
        self._queue.show_job(job_id)

    def show_only(self, states: frozenset[ItemState] | None) -> None:
        """Only files in these states; None shows all."""
        self._queue.show_only(states)

    def show_messages_first(self, first: bool) -> None:
        """Beside the state, where they are seen without scrolling: for jobs with failed files."""
        columns = self.horizontalHeader()
        wanted = QueueColumn.PROGRESS if first else QueueColumn.MESSAGE
        now = columns.visualIndex(QueueColumn.MESSAGE)
        if now != int(wanted):
            columns.moveSection(now, int(wanted))

    def selected_item_ranges(self) -> list[Range]:
        """Item numbers of the chosen rows, as (first, last); quick for a million."""
        found: list[Range] = []
        for first, last in self.selected_ranges():
            found += self._queue.ids_of_rows(first, last)
        return found

    def select_all(self) -> None:
        self.selectAll()

    @property
    def may_remove(self) -> bool:
        """Whether there is something chosen that can be taken out."""
        job = self._queue.job
        return job is not None and job.state is JobState.DRAFT and bool(self.selected_ranges())

    def remove_selected(self) -> None:
        """Takes the chosen files out of a draft."""
        job = self._queue.job
        if job is None or not self.may_remove:
            return
        ranges = [list(span) for span in self.selected_item_ranges()]
        self._context.link.ask("remove_items", owner=self, job_id=job.job_id, ranges=ranges)

    # -- Qt's events -------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Delete):
            self.remove_selected()
        else:
            super().keyPressEvent(event)

    def _show_menu(self, at: QPoint) -> None:
        row = self.indexAt(at).row()
        item = self._queue.stored(row) if row >= 0 else None
        if item is None:
            return
        menu = QMenu(self)
        remove = menu.addAction(self.tr("Remove from this upload"))
        remove.setEnabled(self.may_remove)
        remove.triggered.connect(self.remove_selected)
        menu.addSeparator()
        copy_path = menu.addAction(self.tr("Copy lake path"))
        copy_path.triggered.connect(lambda: _copy(item["lake_path"]))
        message = self._queue.cell(row, QueueColumn.MESSAGE).text
        copy_message = menu.addAction(self.tr("Copy message"))
        copy_message.setEnabled(bool(message))
        copy_message.triggered.connect(lambda: _copy(message))
        show = menu.addAction(self.tr("Show in file manager"))
        show.triggered.connect(lambda: _show_folder(item["source"]))
        menu.popup(self.viewport().mapToGlobal(at))
        menu.aboutToHide.connect(menu.deleteLater)

    # -- the place ---------------------------------------------------------------------------

    def _on_selection(self) -> None:
        self.selection_changed.emit()

    def _tell_visible(self) -> None:
        self._queue.look_at(*self.visible_rows())

    def _keep_place(self) -> None:
        """By item numbers: the rows will have moved."""
        self._kept = self.selected_item_ranges()
        first, last = self.visible_rows()
        self._kept_top_id = self._queue.id_at(first) if first > 0 and first <= last else 0

    def _restore_place(self) -> None:
        model, columns = self._queue, len(self._queue.columns)
        selection = QItemSelection()
        for first, last in self._kept:
            rows = model.rows_within(first, last)  # its own first or last file may be gone
            if rows is not None:
                selection.select(model.index(rows[0], 0), model.index(rows[1], columns - 1))
        if not selection.isEmpty():
            self.selectionModel().select(selection, QItemSelectionModel.SelectionFlag.Select)
        top = model.row_of(self._kept_top_id) if self._kept_top_id else None
        if top is not None:
            self.verticalScrollBar().setValue(top * self.rowHeight(top))
        self._tell_visible()
        self.selection_changed.emit()


def _copy(text: str) -> None:
    QGuiApplication.clipboard().setText(text)


def _show_folder(source: str) -> None:
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(PurePath(source).parent)))
