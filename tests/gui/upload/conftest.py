"""The upload page, attached to an engine that follows a script."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QObject, QUrl, Slot
from PySide6.QtGui import QDesktopServices
from pytestqt.qtbot import QtBot

from app.ui.context import UiContext
from app.ui.upload.upload_page import UploadPage
from tests.support.fake_engine import FakeEngine


@pytest.fixture
def page(context: UiContext, engine: FakeEngine, qtbot: QtBot) -> UploadPage:
    engine.answers["add_sources"] = lambda _: {}
    engine.answers["start_job"] = lambda _: {}
    page = UploadPage(context)
    qtbot.addWidget(page)
    page.resize(1096, 800)
    page.show()
    qtbot.waitExposed(page)
    page.activateWindow()
    page.entered()
    return page


class _Desktop(QObject):
    def __init__(self) -> None:
        super().__init__()
        self.opened: list[str] = []

    @Slot(QUrl)
    def open(self, url: QUrl) -> None:
        self.opened.append(url.toLocalFile())


@pytest.fixture
def opened() -> Iterator[list[str]]:
    """Files and folders that were opened on the desktop, of which there is none."""
    desktop = _Desktop()
    QDesktopServices.setUrlHandler("file", desktop, "open")  # type: ignore[arg-type]  # the stub errs
    yield desktop.opened
    QDesktopServices.unsetUrlHandler("file")
