"""What every part of the window is given: looks, words, the engine, and the ways between pages."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

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
    connections_changed = Signal()  # one was added, edited or removed
    connection_renamed = Signal(str, str)  # before, now; ahead of `connections_changed`


@dataclass(frozen=True, slots=True)
class UiContext:
    theme: Theme
    link: EngineLink
    formats: Formats
    states: StateTexts
    errors: ErrorPresenter
    navigator: Navigator


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
