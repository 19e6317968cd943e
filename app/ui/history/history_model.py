"""Uploaded files as rows: a server's whole history, or the files of one sync."""

from __future__ import annotations

import time
from collections.abc import Sequence
from enum import IntEnum

from PySide6.QtCore import QModelIndex, QObject, Signal

from app.domain.errors import LakeDropError
from app.ui.context import UiContext
from app.ui.engine_client import Result
from app.ui.shown import shown
from app.ui.tables.cell import Cell, Column
from app.ui.tables.cell_model import CellModel
from app.ui.tables.server_model import ServerModel
from app.ui.tables.server_rows import Row, ServerRows
from app.ui.tokens import Tone
from embedded_server.contract import SyncStatus

_MORE = 500


class FileColumn(IntEnum):
    NAME = 0
    STATUS = 1
    MESSAGE = 2
    STARTED = 3
    DURATION = 4
    SYNC_ID = 5


class FileCells(QObject):
    """What stands in the cells of a row of the history."""

    def __init__(self, context: UiContext, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._context = context

    def columns(self) -> tuple[Column, ...]:
        return (
            Column(self.tr("File"), 220, stretch=True),
            Column(self.tr("Status"), 116),
            Column(self.tr("Message"), 180, stretch=True),
            Column(self.tr("Started"), 172),
            Column(self.tr("Duration"), 100, right=True),
            Column(self.tr("Sync"), 70, right=True),
        )

    def cell(self, row: Row, column: int) -> Cell:
        formats = self._context.formats
        running = row["sync_status"] == SyncStatus.SYNCING.value
        match column:
            case FileColumn.NAME:
                return Cell(shown(row["file_name"]), "file", strong=True, middle=True)
            case FileColumn.STATUS:
                said = self._context.states.sync_status(SyncStatus(row["sync_status"]))
                return Cell(said.text, said.icon, said.tone, pill=True)
            case FileColumn.MESSAGE:
                failed = row["sync_status"] == SyncStatus.FAILED.value
                return Cell(shown(row["message"]), tone=Tone.BAD if failed else Tone.MUTED)
            case FileColumn.STARTED:
                return Cell(formats.moment(row["start_time"]), tone=Tone.MUTED)
            case FileColumn.DURATION:
                end_ms = row["end_time"] or (int(time.time() * 1000) if running else 0)
                return Cell(formats.took(row["start_time"], end_ms), tone=Tone.MUTED)
            case _:
                return Cell(str(row["sync_id"]), tone=Tone.MUTED)


class HistoryModel(ServerModel):
    def __init__(self, context: UiContext, rows: ServerRows, parent: QObject | None = None) -> None:
        super().__init__((), rows, parent)
        self._cells = FileCells(context, self)
        self.columns = self._cells.columns()

    def row_cell(self, row: Row, column: int) -> Cell:
        return self._cells.cell(row, column)


class SyncFilesModel(CellModel):
    """The files of one sync, newest first; more of them as somebody scrolls towards the end.

    The server has no list by sync: the engine reads its history backwards, a stretch a call, so an
    answer may bring no row and still not be the last.
    """

    searching = Signal(bool)
    failed = Signal(object)  # LakeDropError

    def __init__(self, context: UiContext, parent: QObject | None = None) -> None:
        super().__init__((), parent)
        self._context = context
        self._cells = FileCells(context, self)
        self.columns = self._cells.columns()
        self._rows: list[Row] = []
        self._sync: tuple[str, int] | None = None
        self._before: int | None = None
        self._is_whole = True
        self._asking = False
        self._generation = 0
        self._wanted = _MORE

    def show_sync(self, connection: str, sync_id: int) -> None:
        self.beginResetModel()
        self._generation += 1
        self._rows = []
        self._sync = (connection, sync_id)
        self._before, self._is_whole, self._asking, self._wanted = None, False, False, _MORE
        self.endResetModel()
        self._ask()

    def row_count(self) -> int:
        return len(self._rows)

    def cell(self, row: int, column: int) -> Cell:
        return self._cells.cell(self._rows[row], column)

    def look_at(self, last: int) -> None:
        """Rows down to this one are on screen."""
        if last >= len(self._rows) - _MORE // 4 and not self._is_whole:
            self._wanted = len(self._rows) + _MORE
            self._ask()

    def _ask(self) -> None:
        if self._asking or self._is_whole or self._sync is None:
            return
        self._asking = True
        self.searching.emit(True)
        generation = self._generation
        connection, sync_id = self._sync

        def take(result: Result) -> None:
            if generation == self._generation:
                self._asking = False
                self._before = result["before"]
                self._is_whole = self._before is None
                self._append(result["uploads"])
                if len(self._rows) < self._wanted and not self._is_whole:
                    self._ask()
                else:
                    self.searching.emit(False)

        def refused(error: LakeDropError) -> None:
            if generation == self._generation:
                self._asking = False
                self.searching.emit(False)
                self.failed.emit(error)

        self._context.link.ask(
            "history_of_sync",
            take,
            refused,
            owner=self,
            connection={"name": connection},
            key=None,
            sync_id=sync_id,
            before=self._before,
            limit=_MORE,
        )

    def _append(self, rows: Sequence[Row]) -> None:
        if rows:
            first = len(self._rows)
            self.beginInsertRows(QModelIndex(), first, first + len(rows) - 1)
            self._rows += rows
            self.endInsertRows()
