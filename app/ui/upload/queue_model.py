"""A job's files as rows: number ranges, pages from the engine, and what moves laid over them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import IntEnum
from pathlib import PurePath
from typing import Any

from PySide6.QtCore import QModelIndex, QObject, QTimer, Signal

from app.domain.queue_item import ARRIVED, Assurance, ItemState
from app.domain.snapshots import JobSnapshot
from app.domain.upload_job import RUNNING
from app.ui.context import UiContext
from app.ui.engine_client import Result
from app.ui.shown import shown
from app.ui.tables.cell import EMPTY, Cell, Column
from app.ui.tables.cell_model import CellModel
from app.ui.tables.paged_rows import OnRows, PagedRows
from app.ui.tokens import Tone
from app.ui.upload.id_ranges import IdRanges, Range
from app.ui.upload.live_progress import LiveProgress, Moving

_REFRESH_EVERY_MS = 350
_LOOK_FOR_ROWS_MS = 100


class QueueColumn(IntEnum):
    NAME = 0
    SIZE = 1
    STATE = 2
    PROGRESS = 3
    SPEED = 4
    LAKE_PATH = 5
    MESSAGE = 6
    FOLDER = 7


class QueueModel(CellModel):
    """Shows one job at a time. `visible` is told by the table: only those rows are kept fresh."""

    reordered = Signal()  # rows are others now; the table sets selection and scroll anew

    def __init__(self, context: UiContext, parent: QObject | None = None) -> None:
        super().__init__((), parent)
        self._context = context
        self._job: JobSnapshot | None = None
        self._states: frozenset[ItemState] | None = None
        self._ranges = IdRanges()
        self._rows_version = -1
        self._generation = 0
        self._asking = False
        self._ask_again = False
        self._live = LiveProgress()
        self._moved: list[Range] = []
        self._visible = (0, -1)
        self.columns = self._columns()
        self._pages = PagedRows(self._fetch, self)
        self._pages.arrived.connect(self.tell_rows)
        self._growing = self._timer(_LOOK_FOR_ROWS_MS, self._look_for_rows, single=True)
        self._refreshing = self._timer(_REFRESH_EVERY_MS, self._refresh_visible)
        context.link.jobs_changed.connect(self._on_jobs)
        context.link.state_changed.connect(self._start_over)

    def _timer(self, every_ms: int, do: Any, *, single: bool = False) -> QTimer:
        timer = QTimer(self)
        timer.setInterval(every_ms)
        timer.setSingleShot(single)
        timer.timeout.connect(do)
        return timer

    def _columns(self) -> tuple[Column, ...]:
        return (
            Column(self.tr("Name"), 210, stretch=True),
            Column(self.tr("Size"), 104, right=True),
            Column(self.tr("State"), 142),
            Column(self.tr("Progress"), 120),
            Column(self.tr("Speed"), 92, right=True),
            Column(self.tr("Lake path"), 190, stretch=True),
            Column(self.tr("Message"), 190, stretch=True),
            Column(self.tr("Folder"), 190, stretch=True),
        )

    # -- what is shown -----------------------------------------------------------------------

    @property
    def job(self) -> JobSnapshot | None:
        return self._job

    def show_job(self, job_id: int | None) -> None:
        job = None if job_id is None else self._context.link.jobs.get(job_id)
        if job is not None and self._job is not None and job.job_id == self._job.job_id:
            self._take(job)
            return
        self._job = job
        self._states = None
        self._live = LiveProgress()
        self._start_over()
        if job is not None:
            self._take(job)

    def show_only(self, states: frozenset[ItemState] | None) -> None:
        if states != self._states:
            self._states = states
            self._start_over()

    def look_at(self, first: int, last: int) -> None:
        """The rows that are on screen."""
        self._visible = (first, last)

    def ids_of_rows(self, first: int, last: int) -> list[Range]:
        return self._ranges.ids_of_rows(first, last)

    def id_at(self, row: int) -> int:
        return self._ranges.id_at(row)

    def row_of(self, item_id: int) -> int | None:
        return self._ranges.row_of(item_id)

    def rows_within(self, first_id: int, last_id: int) -> Range | None:
        """The rows of these item numbers that are still here, first and last."""
        return self._ranges.rows_within(first_id, last_id)

    def stored(self, row: int) -> Mapping[str, Any] | None:
        """The engine's row where it is here."""
        known = self._pages.known(row)
        return known if isinstance(known, Mapping) else None

    def row_count(self) -> int:
        return self._ranges.count

    def cell(self, row: int, column: int) -> Cell:
        item = self._pages.row(row)
        if item is None:
            return EMPTY
        match column:
            case QueueColumn.NAME:
                return Cell(shown(item["name"]), _icon_of(item["name"]), middle=True, strong=True)
            case QueueColumn.FOLDER:
                folder = shown(str(PurePath(item["source"]).parent))
                return Cell(folder, tone=Tone.MUTED, middle=True)
            case QueueColumn.SIZE:
                return Cell(self._context.formats.size(item["size_bytes"]))
            case QueueColumn.LAKE_PATH:
                return Cell(shown(item["lake_path"]), tone=Tone.MUTED, middle=True)
            case QueueColumn.MESSAGE:
                return Cell(self._message(item), tone=_message_tone(item))
        return self._moving_cell(item, column)

    def tool_tip(self, row: int, column: int) -> str:
        item = self.stored(row)
        if item is None:
            return ""
        if column == QueueColumn.NAME:
            return shown(item["source"])
        if column == QueueColumn.MESSAGE and item["problem"]:
            said = self._context.errors.present_kind(item["problem"], shown(item["message"]))
            return "\n".join(part for part in (said.title, said.detail, said.help) if part)
        return super().tool_tip(row, column)

    def _moving_cell(self, item: Mapping[str, Any], column: int) -> Cell:
        state = ItemState(item["state"])
        settled = state in ARRIVED or state in (ItemState.FAILED, ItemState.CANCELLED)
        moving = None if settled else self._live.of(item["item_id"])
        if moving is not None:
            state = ItemState.VERIFYING if moving.verifying else ItemState.UPLOADING
        elif not settled and self._live.waits_for(item["item_id"]) is not None:
            state = ItemState.WAITING
        if column == QueueColumn.STATE:
            said = self._context.states.item(state, Assurance(item["assurance"]))
            return Cell(said.text, said.icon, said.tone, pill=True)
        if column == QueueColumn.PROGRESS:
            return self._progress(state, moving)
        speed = moving.bytes_per_s if moving else 0.0
        return Cell(self._context.formats.speed(speed), tone=Tone.MUTED)

    def _progress(self, state: ItemState, moving: Moving | None) -> Cell:
        percent = self._context.formats.percent
        if state in ARRIVED:
            return Cell(percent(1.0), tone=Tone.GOOD, progress=1.0)
        if moving is None:
            tone = Tone.BAD if state is ItemState.FAILED else Tone.MUTED
            return Cell("–", tone=tone, progress=0.0, spoken=self.tr("not uploaded"))
        fraction = min(moving.fraction, 0.99)  # all of it is there only when the server says so
        return Cell(percent(fraction), tone=Tone.ACCENT, progress=fraction)

    def _message(self, item: Mapping[str, Any]) -> str:
        if item["problem"]:
            said = self._context.errors.present_kind(item["problem"], shown(item["message"]))
            return f"{said.title}. {said.detail}" if said.detail else said.title
        if item["message"]:
            return self._context.errors.said(shown(item["message"]))
        return self._context.errors.said(shown(self._live.waits_for(item["item_id"]) or ""))

    # -- news --------------------------------------------------------------------------------

    def _on_jobs(self, changed: set[int]) -> None:
        if self._job is not None and self._job.job_id in changed:
            self._take(self._context.link.jobs[self._job.job_id])

    def _take(self, job: JobSnapshot) -> None:
        before, self._job = self._job, job
        self._live.take(job)
        self._tell_moved()
        if job.rows_version != self._rows_version or self._states is not None:
            if job.rows_version != self._rows_version or _settled(before) != _settled(job):
                self._rows_version = job.rows_version
                self._start_over()
        elif job.files > self._ranges.count and not self._growing.isActive():
            self._growing.start()
        runs = job.state in RUNNING
        if runs != self._refreshing.isActive():
            self._refreshing.start() if runs else self._refreshing.stop()
            self._refresh_visible()  # once more when it came to rest
        elif not runs and before is not None and _settled(before) != _settled(job):
            self._refresh_visible()

    def _tell_moved(self) -> None:
        """The visible rows that move, or moved a moment ago, are painted again."""
        spans = self._live.spans()
        first, last = self._visible
        rows: list[Range] = []
        for low, high in spans + self._moved:
            found = self._ranges.rows_within(low, high)
            if found and found[0] <= last and found[1] >= first:
                rows.append((max(found[0], first), min(found[1], last)))
        self._moved = spans
        if rows:
            top, bottom = min(low for low, _ in rows), max(high for _, high in rows)
            self.tell_cells(top, bottom, QueueColumn.STATE, QueueColumn.SPEED)
            self.tell_cells(top, bottom, QueueColumn.MESSAGE, QueueColumn.MESSAGE)

    def _refresh_visible(self) -> None:
        first, last = self._visible
        if self._ranges.count and first <= last:
            self._pages.refresh(first, last)

    # -- rows --------------------------------------------------------------------------------

    def _start_over(self) -> None:
        """Asks for the whole order; what is shown stays until the answer is here."""
        self._generation += 1
        self._asking = False
        if self._job is None:
            self._replace(IdRanges())
            return
        generation = self._generation
        self._rows_version = self._job.rows_version
        self._asking = True
        self._context.link.ask(
            "item_ranges",
            lambda result: self._take_order(result, generation),
            owner=self,
            job_id=self._job.job_id,
            after=0,
            states=self._wanted_states(),
        )

    def _take_order(self, result: Result, generation: int) -> None:
        if generation == self._generation:
            self._asking = False
            self._replace(IdRanges(result["ranges"]))
            self._look_again_if_asked()

    def _replace(self, ranges: IdRanges) -> None:
        self.beginResetModel()
        self._ranges = ranges
        self._pages.clear()
        self.endResetModel()
        self.reordered.emit()

    def _look_for_rows(self) -> None:
        """Rows that were found since: appended behind the others."""
        if self._asking:
            self._ask_again = True
            return
        if self._job is None or self._states is not None:
            return
        generation = self._generation
        self._asking = True
        self._context.link.ask(
            "item_ranges",
            lambda result: self._append(result, generation),
            owner=self,
            job_id=self._job.job_id,
            after=self._ranges.last,
            states=None,
        )

    def _append(self, result: Result, generation: int) -> None:
        if generation != self._generation:
            return
        self._asking = False
        added = sum(last - first + 1 for first, last in result["ranges"])
        if added:
            first = self._ranges.count
            self.beginInsertRows(QModelIndex(), first, first + added - 1)
            self._ranges.append(result["ranges"])
            self.endInsertRows()
        self._look_again_if_asked()

    def _look_again_if_asked(self) -> None:
        behind = self._job is not None and self._job.files > self._ranges.count
        if self._ask_again or (behind and self._states is None):
            self._ask_again = False
            self._growing.start()

    def _fetch(self, first: int, count: int, on_rows: OnRows) -> None:
        if self._job is None:
            on_rows([])
            return
        wanted = self._ranges.ids_of_rows(first, first + count - 1)

        def take(result: Result) -> None:
            on_rows(_in_order(result["items"], wanted))

        self._context.link.ask(
            "items_at",
            take,
            lambda _: on_rows(None),
            owner=self,
            job_id=self._job.job_id,
            ranges=[list(span) for span in wanted],
        )

    def _wanted_states(self) -> list[str] | None:
        return None if self._states is None else sorted(state.value for state in self._states)


def _in_order(items: Sequence[Mapping[str, Any]], wanted: Sequence[Range]) -> list[Any]:
    """One entry a row, None where a row was removed meanwhile."""
    if len(items) == sum(last - first + 1 for first, last in wanted):
        return list(items)
    by_id = {item["item_id"]: item for item in items}
    return [by_id.get(number) for first, last in wanted for number in range(first, last + 1)]


def _settled(job: JobSnapshot | None) -> tuple[int, int, int] | None:
    return None if job is None else (job.files_arrived, job.files_failed, job.files_cancelled)


def _message_tone(item: Mapping[str, Any]) -> Tone:
    return Tone.BAD if item["state"] == ItemState.FAILED.value else Tone.MUTED


_ICONS = {
    "file-spreadsheet": ("csv", "tsv", "xls", "xlsx", "ods"),
    "database": ("parquet", "avro", "orc", "db", "sqlite", "feather", "arrow"),
    "braces": ("json", "jsonl", "ndjson", "geojson", "xml", "yaml", "yml", "toml"),
    "file-archive": ("gz", "zip", "zst", "bz2", "xz", "tar", "7z"),
    "file-image": ("png", "jpg", "jpeg", "gif", "webp", "tif", "tiff", "svg", "bmp"),
    "file-code": ("py", "sql", "r", "ipynb", "sh", "scala", "java"),
    "file-text": ("txt", "md", "pdf", "doc", "docx", "log", "html"),
}
_ICON_BY_ENDING = {ending: icon for icon, endings in _ICONS.items() for ending in endings}


def _icon_of(name: str) -> str:
    return _ICON_BY_ENDING.get(name.rpartition(".")[2].casefold(), "file")
