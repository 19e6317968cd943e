"""Uploaded files as rows: what stands in their cells, and a server's whole history."""

from __future__ import annotations

import time
from enum import IntEnum

from PySide6.QtCore import QObject

from app.ui.context import UiContext
from app.ui.shown import shown
from app.ui.tables.cell import Cell, Column
from app.ui.tables.server_model import ServerModel
from app.ui.tables.server_rows import Row, ServerRows
from app.ui.tables.widths import width_of
from app.ui.tokens import Tone
from embedded_server.contract import SyncStatus

_LONG_DURATIONS_S = (58.0, 59 * 60 + 58, 23 * 3600 + 58 * 60, 88 * 86_400 + 22 * 3600)
_SOME_TIME_MS = 1_795_252_440_000


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
        formats, states = self._context.formats, self._context.states
        statuses = [states.sync_status(status).text for status in SyncStatus]
        status, started = self.tr("Status"), self.tr("Started")
        duration, sync = self.tr("Duration"), self.tr("Sync")
        durations = [formats.duration(seconds) for seconds in _LONG_DURATIONS_S]
        return (
            Column(self.tr("File"), 170, stretch=True),
            Column(status, width_of(status, statuses, pill=True)),
            Column(self.tr("Message"), 140, stretch=True),
            Column(started, width_of(started, [formats.moment(_SOME_TIME_MS)])),
            Column(duration, width_of(duration, durations), right=True, spare=1),
            Column(sync, width_of(sync, ["88888"]), right=True, spare=2),
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
