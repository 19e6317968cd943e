"""A server's sync jobs as rows."""

from __future__ import annotations

import time
from collections.abc import Iterable
from enum import IntEnum

from PySide6.QtCore import QObject

from app.ui.context import UiContext
from app.ui.shown import shown
from app.ui.tables.cell import Cell, Column
from app.ui.tables.server_model import ServerModel
from app.ui.tables.server_rows import Row, ServerRows
from app.ui.tables.widths import width_of
from app.ui.tokens import Tone
from embedded_server.contract import SyncStatus, SyncType

_LONG_DURATIONS_S = (58.0, 59 * 60 + 58, 23 * 3600 + 58 * 60, 88 * 86_400 + 22 * 3600)
_SOME_TIME_MS = 1_795_252_440_000


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
        formats, states = context.formats, context.states
        self.columns = (
            Column(self.tr("Name"), 130, stretch=True),
            _fitted(
                self.tr("Status"),
                [states.sync_status(status).text for status in SyncStatus],
                pill=True,
            ),
            _fitted(self.tr("Mode"), map(states.mode, SyncType), spare=1),
            Column(self.tr("Path"), 110, stretch=True),
            _fitted(self.tr("Started"), [formats.moment(_SOME_TIME_MS)]),
            _fitted(
                self.tr("Duration"), map(formats.duration, _LONG_DURATIONS_S), right=True, spare=2
            ),
            _fitted(self.tr("Files"), [formats.number(1_888_888)], right=True),
            _fitted(self.tr("Failed"), [formats.number(888_888)], right=True),
            _fitted(self.tr("Sync"), ["88888"], right=True, spare=3),
        )

    def row_cell(self, row: Row, column: int) -> Cell:
        formats, states = self._context.formats, self._context.states
        match column:
            case JobColumn.NAME:
                return Cell(shown(row["name"]), strong=True, middle=True)
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


def _fitted(
    title: str, texts: Iterable[str], *, right: bool = False, pill: bool = False, spare: int = 0
) -> Column:
    return Column(title, width_of(title, texts, pill=pill), right=right, spare=spare)


def _now_if_running(row: Row) -> int:
    return int(time.time() * 1000) if row["sync_status"] == SyncStatus.SYNCING.value else 0
