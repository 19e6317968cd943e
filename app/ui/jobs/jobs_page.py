"""Sync jobs of a server, newest first, and the way to their files."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMenu

from app.ui.context import UiContext
from app.ui.jobs.jobs_model import JobsModel
from app.ui.server_list_page import ServerListPage
from app.ui.tables.server_rows import ServerRows
from app.ui.widgets.buttons import button
from app.ui.widgets.empty_state import EmptyState


class JobsPage(ServerListPage):
    def __init__(self, context: UiContext) -> None:
        rows = ServerRows(context.link, "sync_jobs")
        super().__init__(context, self.tr("Sync jobs"), "jobs", rows, JobsModel(context, rows))
        self._files = button(
            context.theme, self.tr("Show files"), name="jobs.showFiles", icon="files"
        )
        self._files.setEnabled(False)
        self._head.insertWidget(1, self._files)
        self._files.clicked.connect(lambda: self._show_files(self._table.currentIndex().row()))
        self._table.opened.connect(self._show_files)
        self._table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self._table.customContextMenuRequested.connect(self._show_menu)
        self._table.selectionModel().selectionChanged.connect(
            lambda: self._files.setEnabled(bool(self._table.selected_ranges()))
        )

    def _say_empty(self, empty: EmptyState) -> None:
        empty.tell(
            self.tr("No sync on this server yet"),
            self.tr("Every upload becomes a sync job; it is listed here as soon as it starts."),
            "list-checks",
        )

    def _show_files(self, number: int) -> None:
        row = self._rows.known(number) if number >= 0 else None
        if row is not None:
            self.context.navigator.show_files_of_sync.emit(
                self._rows.connection, row["sync_id"], row["name"]
            )

    def _show_menu(self, at: QPoint) -> None:
        number = self._table.indexAt(at).row()
        row = self._rows.known(number) if number >= 0 else None
        if row is None:
            return
        menu = QMenu(self)
        menu.addAction(self.tr("Show files")).triggered.connect(lambda: self._show_files(number))
        menu.addAction(self.tr("Copy name")).triggered.connect(lambda: _copy(row["name"]))
        menu.addAction(self.tr("Copy lake path")).triggered.connect(lambda: _copy(row["path"]))
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(self._table.viewport().mapToGlobal(at))


def _copy(text: str) -> None:
    QGuiApplication.clipboard().setText(text)
