"""Paints a cell in one go: a stock delegate asks the model a dozen times and is twice as slow."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from app.ui.tables.cell import Cell
from app.ui.tables.cell_model import CellModel, Index
from app.ui.theme import Theme
from app.ui.tokens import Tone

_PAD = 10
_GAP = 7
_ICON = 16
_PILL_ICON = 14
_BAR = 5
_PERCENT_DIGITS = "100 %"
_MOST_TEXTS = 4_096

_MARKED = QStyle.StateFlag.State_Selected | QStyle.StateFlag.State_MouseOver

_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class CellDelegate(QStyledItemDelegate):
    """For tables whose model is a `CellModel`; rows are as high as `row_height` says."""

    def __init__(self, theme: Theme, font: QFont) -> None:
        super().__init__()
        self._theme = theme
        self._font = font
        self._strong = QFont(font)
        self._strong.setWeight(QFont.Weight.DemiBold)
        self._metrics = QFontMetrics(font)
        self._strong_metrics = QFontMetrics(self._strong)
        self._percent_width = self._metrics.horizontalAdvance(_PERCENT_DIGITS) + _GAP
        self._colors: dict[str, QColor] = {}
        self._fitted: dict[tuple[str, int, bool, bool], str] = {}
        self.focus_row = -1  # the current row while its table has the keyboard
        self.row_height = max(self._metrics.height() + 20, 38)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        model = index.model()
        if not isinstance(model, CellModel):
            return
        tokens = self._theme.tokens
        rect: QRect = option.rect
        marks = option.state & _MARKED
        if marks:
            chosen = marks & QStyle.StateFlag.State_Selected
            painter.fillRect(rect, self._color(tokens.selection if chosen else tokens.hover))
        painter.setPen(self._color(tokens.border))
        painter.drawLine(rect.bottomLeft(), rect.bottomRight())
        column = index.column()
        cell = model.cell(index.row(), column)
        inner = rect.adjusted(_PAD, 0, -_PAD, 0)
        if inner.width() > 0:
            if cell.progress is not None:
                self._paint_progress(painter, inner, cell, cell.progress)
            elif cell.pill:
                self._paint_pill(painter, inner, cell)
            elif cell.text or cell.icon:
                self._paint_text(painter, inner, cell, right=model.columns[column].right)
        if index.row() == self.focus_row:
            self._paint_focus(painter, rect, column == 0, column == len(model.columns) - 1)

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        model = index.model()
        if not isinstance(model, CellModel):
            return QSize(0, self.row_height)
        cell = model.cell(index.row(), index.column())
        width = self._metrics.horizontalAdvance(cell.text) + 2 * _PAD + 2
        return QSize(width + (_ICON + _GAP if cell.icon else 0), self.row_height)

    def _paint_focus(self, painter: QPainter, rect: QRect, is_first: bool, is_last: bool) -> None:
        """The ring that says where the keyboard is: around the row, drawn cell by cell."""
        painter.setPen(QPen(self._color(self._theme.tokens.accent), 2))
        painter.drawLine(rect.left(), rect.top() + 1, rect.right() + 1, rect.top() + 1)
        painter.drawLine(rect.left(), rect.bottom() - 1, rect.right() + 1, rect.bottom() - 1)
        if is_first:
            painter.drawLine(rect.left() + 1, rect.top() + 1, rect.left() + 1, rect.bottom() - 1)
        if is_last:
            painter.drawLine(rect.right(), rect.top() + 1, rect.right(), rect.bottom() - 1)

    def _paint_text(self, painter: QPainter, rect: QRect, cell: Cell, *, right: bool) -> None:
        tokens = self._theme.tokens
        color = tokens.ink(cell.tone)
        if cell.icon:
            icon_color = color if cell.tone is not Tone.NORMAL else tokens.muted
            pixmap = self._theme.icons.pixmap(cell.icon, icon_color, _ICON)
            painter.drawPixmap(rect.left(), rect.center().y() - _ICON // 2 + 1, pixmap)
            rect = rect.adjusted(_ICON + _GAP, 0, 0, 0)
        painter.setFont(self._strong if cell.strong else self._font)
        painter.setPen(self._color(color))
        text = self._fitting(cell.text, rect.width(), middle=cell.middle, strong=cell.strong)
        painter.drawText(rect, _RIGHT if right else _LEFT, text)

    def _paint_pill(self, painter: QPainter, rect: QRect, cell: Cell) -> None:
        tokens = self._theme.tokens
        ink = tokens.ink(cell.tone)
        icon_room = _PILL_ICON + 5 if cell.icon else 0
        text = self._fitting(cell.text, rect.width() - icon_room - 18)
        width = self._metrics.horizontalAdvance(text) + icon_room + 18
        height = self._metrics.height() + 6
        top = rect.center().y() - height // 2 + 1
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._color(tokens.soft(cell.tone)))
        painter.drawRoundedRect(QRectF(rect.left(), top, width, height), height / 2, height / 2)
        painter.restore()
        left = rect.left() + 9
        if cell.icon:
            pixmap = self._theme.icons.pixmap(cell.icon, ink, _PILL_ICON)
            painter.drawPixmap(left, top + (height - _PILL_ICON) // 2, pixmap)
            left += icon_room
        painter.setFont(self._font)
        painter.setPen(self._color(ink))
        painter.drawText(QRect(left, top, width, height), _LEFT, text)

    def _paint_progress(self, painter: QPainter, rect: QRect, cell: Cell, done: float) -> None:
        tokens = self._theme.tokens
        bar = QRectF(
            rect.left(),
            rect.center().y() - _BAR / 2 + 1,
            max(rect.width() - self._percent_width - _GAP, 0),
            _BAR,
        )
        tone = Tone.ACCENT if cell.tone is Tone.NORMAL else cell.tone
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._color(tokens.track))
        painter.drawRoundedRect(bar, _BAR / 2, _BAR / 2)
        if done > 0:
            filled = QRectF(bar.topLeft(), QPointF(bar.left() + bar.width() * done, bar.bottom()))
            filled.setWidth(max(filled.width(), _BAR))
            painter.setBrush(self._color(tokens.ink(tone)))
            painter.drawRoundedRect(filled, _BAR / 2, _BAR / 2)
        painter.restore()
        painter.setFont(self._font)
        painter.setPen(self._color(tokens.muted))
        painter.drawText(rect, _RIGHT, cell.text)

    def _color(self, text: str) -> QColor:
        """Read once: a paint uses the same few a hundred times."""
        found = self._colors.get(text)
        if found is None:
            found = self._colors[text] = QColor(text)
        return found

    def _fitting(self, text: str, width: int, *, middle: bool = False, strong: bool = False) -> str:
        """Measured once for a width: what stands still is painted again several times a second."""
        key = (text, width, middle, strong)
        found = self._fitted.get(key)
        if found is None:
            if len(self._fitted) >= _MOST_TEXTS:
                self._fitted.clear()
            found = self._fitted[key] = self._cut(text, width, middle=middle, strong=strong)
        return found

    def _cut(self, text: str, width: int, *, middle: bool, strong: bool) -> str:
        metrics = self._strong_metrics if strong else self._metrics
        if metrics.horizontalAdvance(text) <= width:
            return text
        side = Qt.TextElideMode.ElideMiddle if middle else Qt.TextElideMode.ElideRight
        return metrics.elidedText(text, side, width)
