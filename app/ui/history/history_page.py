"""Every file that was sent to a server, newest first; or those of one sync."""

from __future__ import annotations

from PySide6.QtWidgets import QStackedWidget, QWidget

from app.domain.errors import LakeDropError
from app.ui.context import UiContext
from app.ui.history.history_model import HistoryModel
from app.ui.history.sync_files import SyncFilesModel
from app.ui.server_list_page import ServerListPage
from app.ui.shown import shown
from app.ui.tables.cell_table import CellTable
from app.ui.tables.server_rows import ServerRows
from app.ui.widgets.buttons import button
from app.ui.widgets.empty_state import EmptyState


class HistoryPage(ServerListPage):
    def __init__(self, context: UiContext) -> None:
        rows = ServerRows(context.link, "history")
        self._sync: tuple[str, int] | None = None
        super().__init__(
            context, self.tr("File history"), "history", rows, HistoryModel(context, rows)
        )
        self._all_files = button(
            context.theme, self.tr("All files"), name="history.allFiles", icon="arrow-left"
        )
        self._all_files.hide()
        self._head.insertWidget(0, self._all_files)
        self._all_files.clicked.connect(self.show_all)

    def _content(self) -> QWidget:
        self._of_sync = SyncFilesModel(self.context, self)
        self._sync_table = CellTable(self.context.theme, self._of_sync)
        self._sync_table.setObjectName("history.syncTable")
        self._sync_table.setAccessibleName(self.tr("Files of this sync"))
        self._sync_empty = EmptyState(self.context.theme, "files")
        self._sync_table.set_empty(self._sync_empty)
        self._sync_table.scrolled.connect(
            lambda: self._of_sync.look_at(self._sync_table.visible_rows()[1])
        )
        self._of_sync.searching.connect(self._tell_searching)
        self._of_sync.read.connect(self._on_sync_read)
        self._of_sync.failed.connect(self._on_sync_failed)
        self._tables = QStackedWidget()
        self._tables.addWidget(self._table)
        self._tables.addWidget(self._sync_table)
        return self._tables

    def show_sync(self, connection: str, sync_id: int, name: str) -> None:
        """Only the files of that sync, until somebody wants all again."""
        self._choice.choose(connection)
        if self._rows.connection != connection:
            self._show_connection(connection)
        self._sync = (connection, sync_id)
        self._banner.hide()
        self._title.setText(self.tr("Files of “{0}”").format(shown(name)))
        self._all_files.show()
        self._tables.setCurrentIndex(1)
        self._of_sync.show_sync(connection, sync_id)

    def show_all(self) -> None:
        self._leave_sync()
        self._table.setFocus()
        super().refresh()  # it may have failed, or changed, behind that sync's files

    def _leave_sync(self) -> None:
        self._sync = None
        self._title.setText(self.tr("File history"))
        self._all_files.hide()
        self._tables.setCurrentIndex(0)

    def _show_connection(self, name: str) -> None:
        self._leave_sync()
        super()._show_connection(name)

    def refresh(self) -> None:
        if self._sync is None:
            super().refresh()
        else:
            self._of_sync.refresh()

    def _look_again(self) -> None:
        if self._sync is None:
            super()._look_again()
        else:
            self._of_sync.look()

    def _is_running(self) -> bool:
        return super()._is_running() if self._sync is None else self._of_sync.is_running

    def _is_asking(self) -> bool:
        return super()._is_asking() if self._sync is None else self._of_sync.is_asking

    def _say_empty(self, empty: EmptyState) -> None:
        empty.tell(
            self.tr("No file was sent to this server yet"),
            self.tr("Every try to upload a file is listed here, with what became of it."),
            "history",
        )

    def _tell_searching(self, searching: bool) -> None:
        words = self.tr("Looking…") if searching else self.tr("This sync has no files")
        self._sync_empty.tell(words)

    def _on_refreshed(self) -> None:
        if self._sync is None:
            super()._on_refreshed()
        else:
            self._say_empty(self._empty)

    def _on_rows_failed(self, error: LakeDropError) -> None:
        if self._sync is None:  # else told when they are in sight again
            super()._on_rows_failed(error)

    def _on_sync_read(self) -> None:
        self._banner.hide()

    def _on_sync_failed(self, error: LakeDropError) -> None:
        self._tell_failed(error)
        self._sync_empty.tell(self.tr("Nothing to show"))
