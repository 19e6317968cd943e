"""A server's sync jobs as rows."""

from __future__ import annotations

import time
from enum import IntEnum

from PySide6.QtCore import QObject

from app.ui.context import UiContext
from app.ui.shown import shown
from app.ui.tables.cell import Cell, Column
from app.ui.tables.server_model import ServerModel
from app.ui.tables.server_rows import Row, ServerRows
from app.ui.tokens import Tone
from embedded_server.contract import SyncStatus, SyncType


class JobColumn(IntEnum):
    NAME = 0
    STATUS = 1
    MODE = 2
    PATH = 3
    STARTED = 4
    DURATION = 5
    FILES = 6
    FAILED = 7
    SYNC_ID = 8


class JobsModel(ServerModel):
    def __init__(self, context: UiContext, rows: ServerRows, parent: QObject | None = None) -> None:
        super().__init__((), rows, parent)
        self._context = context
        self.columns = (
            Column(self.tr("Name"), 160, stretch=True),
            Column(self.tr("Status"), 116),
            Column(self.tr("Mode"), 100),
            Column(self.tr("Path"), 150, stretch=True),
            Column(self.tr("Started"), 172),
            Column(self.tr("Duration"), 100, right=True),
            Column(self.tr("Files"), 76, right=True),
            Column(self.tr("Failed"), 70, right=True),
            Column(self.tr("Sync"), 64, right=True),
        )

    def row_cell(self, row: Row, column: int) -> Cell:
        formats, states = self._context.formats, self._context.states
        match column:
            case JobColumn.NAME:
                return Cell(shown(row["name"]), strong=True)
            case JobColumn.STATUS:
                said = states.sync_status(SyncStatus(row["sync_status"]))
                return Cell(said.text, said.icon, said.tone, pill=True)
            case JobColumn.MODE:
                return Cell(states.mode(SyncType(row["sync_type"])), tone=Tone.MUTED)
            case JobColumn.PATH:
                return Cell(shown(row["path"]), tone=Tone.MUTED, middle=True)
            case JobColumn.STARTED:
                return Cell(formats.moment(row["start_time"]), tone=Tone.MUTED)
            case JobColumn.DURATION:
                end_ms = row["end_time"] or _now_if_running(row)
                return Cell(formats.took(row["start_time"], end_ms), tone=Tone.MUTED)
            case JobColumn.FILES:
                return Cell(formats.number(row["total_files"]))
            case JobColumn.FAILED:
                failed = row["num_failed"]
                tone = Tone.BAD if failed else Tone.MUTED
                return Cell(formats.number(failed), tone=tone, strong=failed > 0)
            case _:
                return Cell(str(row["sync_id"]), tone=Tone.MUTED)


def _now_if_running(row: Row) -> int:
    return int(time.time() * 1000) if row["sync_status"] == SyncStatus.SYNCING.value else 0
