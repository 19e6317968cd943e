"""The jobs side by side, as cards: what goes where, and how far it is."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QItemSelectionModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QFont, QFontMetrics, QKeyEvent, QKeySequence, QPainter, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListView,
    QMenu,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from app.domain.snapshots import JobSnapshot
from app.domain.upload_job import ENDED, JobState
from app.ui.context import UiContext
from app.ui.shown import shown
from app.ui.tokens import Tone
from app.ui.upload.job_words import JobWords

_Index = QModelIndex | QPersistentModelIndex
_JOB = Qt.ItemDataRole.UserRole
_PAD = 12
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class JobListModel(QAbstractListModel):
    """Jobs, the newest first; rows are job numbers, looked up when painted."""

    def __init__(self, context: UiContext, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._words = JobWords(context, self)
        self._ids: list[int] = []
        context.link.jobs_changed.connect(self._on_changed)
        context.link.jobs_gone.connect(self._on_gone)
        self._insert(set(context.link.jobs))

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008  Qt's signature
        return 0 if parent.isValid() else len(self._ids)

    def job_at(self, row: int) -> JobSnapshot | None:
        return self._context.link.jobs.get(self._ids[row]) if 0 <= row < len(self._ids) else None

    def row_of(self, job_id: int) -> int:
        """-1 where there is no such job."""
        return self._ids.index(job_id) if job_id in self._ids else -1

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        job = self.job_at(index.row()) if index.isValid() else None
        if job is None:
            return None
        if role == _JOB:
            return job
        if role == Qt.ItemDataRole.DisplayRole:
            return self._words.name(job)
        if role == Qt.ItemDataRole.ToolTipRole:
            return f"{self._words.name(job)}\n{shown(job.destination)}"
        if role == Qt.ItemDataRole.AccessibleTextRole:
            state = self._words.state(job).text
            return f"{self._words.name(job)}, {state}, {self._words.extent(job)}"
        return None

    def _on_changed(self, changed: set[int]) -> None:
        known = set(self._ids)
        self._insert(changed - known)
        for job_id in changed & known:
            index = self.index(self._ids.index(job_id))
            self.dataChanged.emit(index, index)

    def _insert(self, job_ids: set[int]) -> None:
        for job_id in sorted(job_ids):
            row = next((row for row, other in enumerate(self._ids) if other < job_id), None)
            row = len(self._ids) if row is None else row
            self.beginInsertRows(QModelIndex(), row, row)
            self._ids.insert(row, job_id)
            self.endInsertRows()

    def _on_gone(self, gone: set[int]) -> None:
        for job_id in gone:
            row = self.row_of(job_id)
            if row >= 0:
                self.beginRemoveRows(QModelIndex(), row, row)
                del self._ids[row]
                self.endRemoveRows()


class JobList(QListView):
    """`chosen` tells the job that is shown now (0: none); `removal_wanted` what Delete was for."""

    chosen = Signal(int)
    removal_wanted = Signal(int)

    def __init__(self, context: UiContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._jobs = JobListModel(context, self)
        self.setObjectName("upload.jobList")
        self.setAccessibleName(self.tr("Uploads"))
        self.setModel(self._jobs)
        self._cards = _CardDelegate(context, self.font(), self)
        self.setItemDelegate(self._cards)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._show_menu)
        self.selectionModel().currentChanged.connect(
            lambda now, _: self.chosen.emit(self._id_at(now.row()))
        )
        context.theme.changed.connect(self.viewport().update)

    def choose(self, job_id: int) -> None:
        row = self._jobs.row_of(job_id)
        if row < 0:
            self.selectionModel().clear()
            return
        index = self._jobs.index(row)
        self.selectionModel().setCurrentIndex(
            index, QItemSelectionModel.SelectionFlag.ClearAndSelect
        )
        self.scrollTo(index)

    def _id_at(self, row: int) -> int:
        job = self._jobs.job_at(row)
        return job.job_id if job else 0

    def keyPressEvent(self, event: QKeyEvent) -> None:
        job_id = self._id_at(self.currentIndex().row())
        if event.matches(QKeySequence.StandardKey.Delete) and job_id:
            self.removal_wanted.emit(job_id)
        else:
            super().keyPressEvent(event)

    def _show_menu(self, at: QPoint) -> None:
        job = self._jobs.job_at(self.indexAt(at).row())
        if job is None:
            return
        menu = QMenu(self)
        remove = menu.addAction(self.tr("Remove from this list"))
        remove.setEnabled(job.state in ENDED or job.state is JobState.DRAFT)
        remove.triggered.connect(lambda: self.removal_wanted.emit(job.job_id))
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(self.viewport().mapToGlobal(at))


class _CardDelegate(QStyledItemDelegate):
    """A card: name; destination and connection; state and extent; a thin bar while it runs."""

    def __init__(self, context: UiContext, font: QFont, parent: QWidget) -> None:
        super().__init__(parent)
        self._context = context
        self._words = JobWords(context, self)
        self._font = font
        self._strong = QFont(font)
        self._strong.setWeight(QFont.Weight.DemiBold)
        self._metrics = QFontMetrics(font)
        self._strong_metrics = QFontMetrics(self._strong)
        self._line = self._metrics.height() + 5

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        return QSize(120, 3 * self._line + 2 * _PAD + 10)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        job = index.data(_JOB)
        if not isinstance(job, JobSnapshot):
            return
        tokens = self._context.theme.tokens
        rect = option.rect
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, QColor(tokens.selection))
            painter.fillRect(
                QRect(rect.left(), rect.top(), 3, rect.height()), QColor(tokens.accent)
            )
        elif option.state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(rect, QColor(tokens.hover))
        painter.setPen(QColor(tokens.border))
        painter.drawLine(rect.bottomLeft(), rect.bottomRight())
        inner = rect.adjusted(_PAD, _PAD - 2, -_PAD, -_PAD)
        self._text(painter, inner, 0, self._words.name(job), tokens.text, strong=True)
        self._text(painter, inner, 1, self._where(job, inner.width()), tokens.muted)
        self._state_line(painter, inner, job)
        if job.state not in ENDED and job.state is not JobState.DRAFT:
            self._bar(painter, inner, job)
        if option.state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QPen(QColor(tokens.accent), 2))
            painter.drawRect(rect.adjusted(1, 1, -1, -2))

    def _text(
        self, painter: QPainter, rect: QRect, line: int, text: str, color: str, strong: bool = False
    ) -> None:
        metrics = self._strong_metrics if strong else self._metrics
        painter.setFont(self._strong if strong else self._font)
        painter.setPen(QColor(color))
        place = QRect(rect.left(), rect.top() + line * self._line, rect.width(), self._line)
        elided = metrics.elidedText(text, Qt.TextElideMode.ElideMiddle, place.width())
        painter.drawText(place, _LEFT, elided)

    def _where(self, job: JobSnapshot, width: int) -> str:
        """Path and connection; of a long pair each gives way by itself, in its middle."""
        path, connection = shown(job.destination), self._words.connection(job)
        middle, advance = Qt.TextElideMode.ElideMiddle, self._metrics.horizontalAdvance
        room = width - advance(" · ")
        if advance(path) + advance(connection) > room:
            connection = self._metrics.elidedText(
                connection, middle, max(room // 2, room - advance(path))
            )
            path = self._metrics.elidedText(path, middle, room - advance(connection))
        return f"{path} · {connection}"

    def _state_line(self, painter: QPainter, rect: QRect, job: JobSnapshot) -> None:
        tokens = self._context.theme.tokens
        said = self._words.state(job)
        place = QRect(rect.left(), rect.top() + 2 * self._line, rect.width(), self._line)
        pixmap = self._context.theme.icons.pixmap(said.icon, tokens.ink(said.tone), 14)
        painter.drawPixmap(place.left(), place.top() + (self._line - 14) // 2, pixmap)
        painter.setFont(self._font)
        extent = self._words.extent(job)
        room = place.adjusted(20, 0, 0, 0)
        state_width = self._metrics.horizontalAdvance(said.text)
        painter.setPen(QColor(tokens.ink(said.tone)))
        painter.drawText(
            room,
            _LEFT,
            self._metrics.elidedText(said.text, Qt.TextElideMode.ElideRight, room.width()),
        )
        rest = room.adjusted(state_width + 10, 0, 0, 0)
        if self._metrics.horizontalAdvance(extent) > rest.width():
            # Half a number would say something else.
            extent = self._context.formats.percent(self._words.fraction(job))
        if self._metrics.horizontalAdvance(extent) <= rest.width():
            painter.setPen(QColor(tokens.muted))
            painter.drawText(rest, _RIGHT, extent)

    def _bar(self, painter: QPainter, rect: QRect, job: JobSnapshot) -> None:
        tokens = self._context.theme.tokens
        tone = self._context.states.job(job.state).tone
        bar = QRectF(rect.left(), rect.bottom() - 3, rect.width(), 4)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(tokens.track))
        painter.drawRoundedRect(bar, 2, 2)
        bar.setWidth(bar.width() * self._words.fraction(job))
        if bar.width() >= 1:
            painter.setBrush(QColor(tokens.ink(Tone.ACCENT if tone is Tone.MUTED else tone)))
            painter.drawRoundedRect(bar, 2, 2)
        painter.restore()
