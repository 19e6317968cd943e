"""What every part of the window is given: looks, words, the engine, and the ways between pages."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from PySide6.QtCore import QLocale, QObject, Signal
from PySide6.QtWidgets import QWidget

if TYPE_CHECKING:
    from app.ui.engine_client import EngineLink
    from app.ui.error_presenter import ErrorPresenter
    from app.ui.formats import Formats
    from app.ui.state_texts import StateTexts
    from app.ui.theme import Theme


class Navigator(QObject):
    """Pages ask for each other through it; none knows another."""

    show_upload = Signal(int)  # job_id, or 0 for the page as it stands
    show_files_of_sync = Signal(str, int, str)  # connection name, sync_id, the sync's name
    show_connections = Signal()
    new_upload = Signal(str)  # a draft that goes to this connection, on the upload page
    connections_changed = Signal()  # one was added, edited or removed
    connection_renamed = Signal(str, str)  # before, now; ahead of `connections_changed`


class UiContext:
    """The words are made when the first page asks for them: the window's first paint needs none."""

    def __init__(self, theme: Theme, link: EngineLink) -> None:
        self.theme = theme
        self.link = link
        self.navigator = Navigator()

    @cached_property
    def formats(self) -> Formats:
        from app.ui.formats import Formats

        return Formats(QLocale())

    @cached_property
    def states(self) -> StateTexts:
        from app.ui.state_texts import StateTexts

        return StateTexts()

    @cached_property
    def errors(self) -> ErrorPresenter:
        from app.ui.error_presenter import ErrorPresenter

        return ErrorPresenter()


class Page(QWidget):
    """A page of the window. Object name `page`, so that the style sheet gives it its ground."""

    def __init__(self, context: UiContext) -> None:
        super().__init__()
        self.context = context
        self.setObjectName("page")

    def entered(self) -> None:
        """The page is shown: time to look again at what it shows."""

    def left(self) -> None:
        """Another page is shown: no more regular looks."""
