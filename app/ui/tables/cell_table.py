"""The table every page uses: fixed rows, a million of them selected quickly, all by keyboard."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QItemSelectionModel, QModelIndex, QObject, Qt, Signal
from PySide6.QtGui import QFocusEvent, QGuiApplication, QKeyEvent, QKeySequence, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from app.ui.tables.cell_delegate import CellDelegate
from app.ui.tables.cell_model import CellModel
from app.ui.theme import Theme

_MOST_COPIED_ROWS = 10_000


class CellTable(QTableView):
    """Shows a `CellModel`. `scrolled` tells that other rows may be visible now."""

    scrolled = Signal()
    opened = Signal(int)  # Enter or a double click on this row

    def __init__(self, theme: Theme, model: CellModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._cells = model
        self._empty: QWidget | None = None
        self._widths_are_the_users = False
        self._delegate = CellDelegate(theme, self.font())
        self.setItemDelegate(self._delegate)
        self._fix_row_heights()  # before there are rows: each would be asked for its height
        self.setModel(model)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setCornerButtonEnabled(False)
        self.setMouseTracking(True)
        self.setTabKeyNavigation(False)  # Tab leaves the table; arrows move inside
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self._set_up_headers()
        theme.changed.connect(self.viewport().update)
        self.verticalScrollBar().valueChanged.connect(self.scrolled)
        self.doubleClicked.connect(lambda index: self.opened.emit(index.row()))
        self.selectionModel().currentChanged.connect(self._mark_current_row)
        model.modelReset.connect(self._mark_current_row)
        model.modelReset.connect(self._show_or_hide_empty)
        model.rowsInserted.connect(self._show_or_hide_empty)
        model.rowsRemoved.connect(self._show_or_hide_empty)
        model.rowsRemoved.connect(self._mark_current_row)
        model.rowsInserted.connect(self._keep_in_sight)

    def _fix_row_heights(self) -> None:
        rows = self.verticalHeader()
        rows.hide()
        rows.setMinimumSectionSize(self._delegate.row_height)
        rows.setDefaultSectionSize(self._delegate.row_height)
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)

    def _set_up_headers(self) -> None:
        rows, columns = self.verticalHeader(), self.horizontalHeader()
        columns.setHighlightSections(False)
        columns.setSectionsMovable(False)
        columns.setMinimumSectionSize(48)
        columns.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        # A header asks for the selection of every column, which freezes at a million rows.
        for header in (rows, columns):
            header.setSelectionModel(QItemSelectionModel(self._cells, self))
        for number, column in enumerate(self._cells.columns):
            self.setColumnWidth(number, column.width)
        columns.sectionResized.connect(self._on_section_resized)
        columns.viewport().installEventFilter(self)

    def set_empty(self, widget: QWidget) -> None:
        """What stands in the table's place while it has no rows."""
        self._empty = widget
        widget.setParent(self.viewport())
        self._show_or_hide_empty()

    def selected_ranges(self) -> list[tuple[int, int]]:
        """Selected rows as (first, last), in order and apart; quick for a million."""
        spans = sorted(
            (area.top(), area.bottom()) for area in self.selectionModel().selection().toList()
        )
        joined: list[tuple[int, int]] = []
        for top, bottom in spans:
            if joined and top <= joined[-1][1] + 1:
                joined[-1] = (joined[-1][0], max(bottom, joined[-1][1]))
            else:
                joined.append((top, bottom))
        return joined

    def visible_rows(self) -> tuple[int, int]:
        """The first and last row on screen (last < first where there is none)."""
        count = self._cells.row_count()
        height = self._delegate.row_height
        first = self.verticalScrollBar().value() // height
        last = first + self.viewport().height() // height + 1
        return first, min(last, count - 1)

    # -- Qt's events -------------------------------------------------------------------------

    def initViewItemOption(self, option: QStyleOptionViewItem) -> None:
        super().initViewItemOption(option)
        option.showDecorationSelected = True

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy):
            self._copy()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentIndex().isValid():
            self.opened.emit(self.currentIndex().row())
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        if not self.currentIndex().isValid() and self._cells.row_count():
            self.selectionModel().setCurrentIndex(
                self._cells.index(max(self.visible_rows()[0], 0), 0),
                QItemSelectionModel.SelectionFlag.NoUpdate,
            )
        self._mark_current_row()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._mark_current_row()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_columns()
        if self._empty is not None:
            self._empty.setGeometry(self.viewport().rect())
        self.scrolled.emit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        # Only a drag of the person's own counts as their wish for widths.
        if event.type() is QEvent.Type.MouseButtonPress:
            self._pressed_header = True
        elif event.type() is QEvent.Type.MouseButtonRelease:
            self._pressed_header = False
        return super().eventFilter(watched, event)

    _pressed_header = False

    def _mark_current_row(self) -> None:
        self._delegate.focus_row = self.currentIndex().row() if self.hasFocus() else -1
        self.viewport().update()

    def _keep_in_sight(self, _: QModelIndex, first: int, last: int) -> None:
        """The same rows stay in sight, unless a person looks at the very first ones."""
        bar = self.verticalScrollBar()
        height = self._delegate.row_height
        if bar.value() > 0 and first <= bar.value() // height:
            self.executeDelayedItemsLayout()  # else the bar does not reach that far yet
            bar.setValue(bar.value() + (last - first + 1) * height)
        if first <= self._delegate.focus_row:
            self._mark_current_row()

    def _on_section_resized(self, *_: int) -> None:
        if self._pressed_header:
            self._widths_are_the_users = True

    def _fit_columns(self) -> None:
        if self._widths_are_the_users:
            return
        columns = self._cells.columns
        room = self.viewport().width()
        left = sum(column.width for column in columns)
        hidden = set[int]()
        for number in sorted(range(len(columns)), key=lambda number: -columns[number].spare):
            if left > room and columns[number].spare:
                hidden.add(number)
                left -= columns[number].width
        for number in range(len(columns)):
            self.setColumnHidden(number, number in hidden)
        stretching = [
            number
            for number, column in enumerate(columns)
            if column.stretch and number not in hidden
        ]
        for number in stretching:
            more = max(room - left, 0) // len(stretching)
            self.setColumnWidth(number, columns[number].width + more)

    def _show_or_hide_empty(self) -> None:
        if self._empty is not None:
            self._empty.setGeometry(self.viewport().rect())
            self._empty.setVisible(self._cells.row_count() == 0)

    def _copy(self) -> None:
        """Selected rows as tab-separated text, for a spreadsheet."""
        lines: list[str] = []
        for first, last in self.selected_ranges():
            for row in range(first, last + 1):
                if len(lines) >= _MOST_COPIED_ROWS:
                    break
                cells = [
                    self._cells.cell(row, column).text for column in range(len(self._cells.columns))
                ]
                lines.append("\t".join(cells))
        if lines:
            QGuiApplication.clipboard().setText("\n".join(lines))
