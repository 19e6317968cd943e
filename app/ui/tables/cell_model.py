"""A table's model as plain cells: the delegate reads them directly, screen readers by roles."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from app.ui.tables.cell import Cell, Column

Index = QModelIndex | QPersistentModelIndex


class CellModel(QAbstractTableModel):
    """Subclasses say how many rows there are and what stands in a cell; both must be quick."""

    def __init__(self, columns: Sequence[Column], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.columns = tuple(columns)

    @abstractmethod
    def row_count(self) -> int: ...

    @abstractmethod
    def cell(self, row: int, column: int) -> Cell: ...

    def tool_tip(self, row: int, column: int) -> str:
        """What the pointer is told; the cell's own text where nothing more is to be said."""
        return self.cell(row, column).text

    # -- Qt's names --------------------------------------------------------------------------

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  Qt's signature
        return 0 if parent.isValid() else self.row_count()

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.columns)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        row, column = index.row(), index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return self.cell(row, column).text
        if role == Qt.ItemDataRole.AccessibleTextRole:
            cell = self.cell(row, column)
            return cell.spoken or cell.text
        if role == Qt.ItemDataRole.ToolTipRole:
            return self.tool_tip(row, column) or None
        if role == Qt.ItemDataRole.TextAlignmentRole and self.columns[column].right:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return None

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation is Qt.Orientation.Vertical or not 0 <= section < len(self.columns):
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self.columns[section].title
        if role == Qt.ItemDataRole.TextAlignmentRole:
            right = self.columns[section].right
            side = Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft
            return side | Qt.AlignmentFlag.AlignVCenter
        return None

    def tell_rows(self, first: int, last: int) -> None:
        """These rows (inclusive) look different now; one signal however many they are."""
        if self.columns:
            self.tell_cells(first, last, 0, len(self.columns) - 1)

    def tell_cells(self, first: int, last: int, first_column: int, last_column: int) -> None:
        """As `tell_rows`, where only these columns (inclusive) do: the others are not painted."""
        last = min(last, self.row_count() - 1)
        if first <= last:
            self.dataChanged.emit(self.index(first, first_column), self.index(last, last_column))
