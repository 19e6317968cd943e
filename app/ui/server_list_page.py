"""What the pages of sync jobs and of files share: a server's rows, looked at while it runs."""

from __future__ import annotations

from abc import abstractmethod

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.domain.errors import LakeDropError
from app.domain.upload_job import RUNNING
from app.ui.connection_choice import ConnectionChoice
from app.ui.context import Page, UiContext
from app.ui.tables.cell_table import CellTable
from app.ui.tables.server_model import ServerModel
from app.ui.tables.server_rows import ServerRows
from app.ui.tokens import Tone
from app.ui.widgets.banner import Banner, BannerAction
from app.ui.widgets.buttons import button, label
from app.ui.widgets.empty_state import EmptyState

_LOOK_EVERY_MS = 2_000


class ServerListPage(Page):
    """Subclasses give the model and the words; `names` begins the object names."""

    def __init__(
        self, context: UiContext, title: str, names: str, rows: ServerRows, model: ServerModel
    ) -> None:
        super().__init__(context)
        self._names = names
        self._rows = rows
        self._model = model
        rows.setParent(self)
        model.setParent(self)
        self._is_stale = False  # the chosen connection may lead to another server by now
        self._ran = False
        self._title = label(title, role="title")
        self._choice = ConnectionChoice(context, f"{names}.connection")
        self._refresh = button(
            context.theme, self.tr("Refresh"), name=f"{names}.refresh", icon="refresh-cw"
        )
        self._banner = Banner(context.theme, f"{names}.banner")
        self._table = CellTable(context.theme, model)
        self._table.setObjectName(f"{names}.table")
        self._table.setAccessibleName(title)
        self._empty = EmptyState(context.theme, "history")
        self._empty.tell(self.tr("Loading…"))
        self._table.set_empty(self._empty)
        self._head = QHBoxLayout()
        self._head.setSpacing(10)
        self._head.addWidget(self._title, 1)
        self._head.addWidget(self._choice)
        self._head.addWidget(self._refresh)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(16, 14, 16, 14)
        self._column.setSpacing(12)
        self._column.addLayout(self._head)
        self._column.addWidget(self._banner)
        self._column.addWidget(self._content(), 1)
        self._looking = QTimer(self)
        self._looking.setInterval(_LOOK_EVERY_MS)
        self._looking.timeout.connect(self._look_if_running)
        self._refresh.clicked.connect(self.refresh)
        self._choice.chosen.connect(self._show_connection)
        context.navigator.connections_changed.connect(self._note_changed_connections)
        rows.refreshed.connect(self._on_refreshed)
        rows.failed.connect(self._on_rows_failed)

    def _content(self) -> QWidget:
        """What stands below the head."""
        return self._table

    @abstractmethod
    def _say_empty(self, empty: EmptyState) -> None:
        """Words for a server that has no row yet."""

    # -- life --------------------------------------------------------------------------------

    def entered(self) -> None:
        self._choice.look()
        if self._is_stale or self._rows.connection != self._choice.name:
            self._show_connection(self._choice.name)
        else:
            self.refresh()
        self._looking.start()

    def left(self) -> None:
        self._looking.stop()

    def _note_changed_connections(self) -> None:
        self._is_stale = True

    def refresh(self) -> None:
        """Looks at the server again; what is shown stays until its answer is here."""
        self._rows.refresh(*self._table.visible_rows())

    def _show_connection(self, name: str) -> None:
        self._is_stale = False
        self._banner.hide()
        self._empty.tell(self.tr("Loading…"))
        self._rows.show_connection(name)

    def _look_if_running(self) -> None:
        """Regularly while something is under way there, and once more when it came to its end."""
        ours = any(
            job.state in RUNNING and job.connection == self._rows.connection
            for job in self.context.link.jobs.values()
        )
        runs = ours or self._is_running()
        if (runs or self._ran) and not self._is_asking():
            self._look_again()  # else its answer is what this look would bring
            self._ran = runs

    def _look_again(self) -> None:
        self.refresh()

    def _is_running(self) -> bool:
        """Whether something that is shown is still under way on the server."""
        return self._model.is_running(*self._table.visible_rows())

    def _is_asking(self) -> bool:
        return self._rows.is_asking

    # -- what the server says ----------------------------------------------------------------

    def _on_refreshed(self) -> None:
        self._banner.hide()
        self._say_empty(self._empty)

    def _on_rows_failed(self, error: LakeDropError) -> None:
        self._tell_failed(error)
        if not self._rows.count:
            self._empty.tell(self.tr("Nothing to show"))

    def _tell_failed(self, error: LakeDropError) -> None:
        said = self.context.errors.present(error)
        again = BannerAction(self.tr("Try again"), f"{self._names}.tryAgain", self.refresh)
        self._banner.tell(Tone.BAD, said.title, said.text, [again])
