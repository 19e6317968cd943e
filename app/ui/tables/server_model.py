"""A table's model over a server's rows: grows at its top, keeps what is chosen."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, QObject

from app.ui.tables.cell import EMPTY, Cell, Column
from app.ui.tables.cell_model import CellModel
from app.ui.tables.server_rows import Row, ServerRows
from app.ui.tokens import Tone


class ServerModel(CellModel):
    """Subclasses say what stands in the cell of a row."""

    def __init__(
        self, columns: Sequence[Column], rows: ServerRows, parent: QObject | None = None
    ) -> None:
        super().__init__(columns, parent)
        self.rows = rows
        rows.about_to_grow.connect(lambda added: self.beginInsertRows(QModelIndex(), 0, added - 1))
        rows.grown.connect(self.endInsertRows)
        rows.about_to_be_replaced.connect(self.beginResetModel)
        rows.replaced.connect(self.endResetModel)
        rows.arrived.connect(self.tell_rows)

    @abstractmethod
    def row_cell(self, row: Row, column: int) -> Cell: ...

    def row_count(self) -> int:
        return self.rows.count

    def cell(self, row: int, column: int) -> Cell:
        found = self.rows.row(row)
        if found is not None:
            return self.row_cell(found, column)
        if column == 0 and self.rows.is_missing(row):
            return Cell(self.tr("The server does not give this row"), tone=Tone.MUTED)
        return EMPTY

    def is_running(self, first: int, last: int) -> bool:
        """Whether one of these rows is still under way on the server."""
        return any(
            (found := self.rows.known(row)) is not None and found["sync_status"] == "Syncing"
            for row in range(first, last + 1)
        )
