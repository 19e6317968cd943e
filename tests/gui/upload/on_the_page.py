"""What tests do and read on the upload page."""

from __future__ import annotations

from typing import Any, TypeVar

from PySide6.QtCore import QMimeData, QUrl
from PySide6.QtWidgets import QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.domain.snapshots import JobSnapshot
from app.ui.upload.upload_page import UploadPage
from embedded_server.contract import SyncType
from tests.support.fake_engine import FakeEngine

_W = TypeVar("_W", bound=QWidget)


def dropped(*paths: str) -> QMimeData:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(path) for path in paths])
    return mime


def part(page: QWidget, kind: type[_W], name: str) -> _W:
    """The widget of this kind and object name."""
    found = page.findChild(kind, name)
    assert found is not None, name
    return found


def press(page: QWidget, name: str) -> None:
    button = part(page, QPushButton, name)
    assert button.isVisible(), name
    assert button.isEnabled(), name
    button.click()


def text_of(page: QWidget, name: str) -> str:
    """What the label says, "" while it is hidden."""
    label = part(page, QLabel, name)
    return label.text() if label.isVisible() else ""


def show(page: UploadPage, engine: FakeEngine, qtbot: QtBot, job: JobSnapshot) -> None:
    """The engine tells of the job as it stands here, and the page has heard it."""
    engine.show(job)
    qtbot.waitUntil(lambda: page.context.link.jobs.get(job.job_id) == job)


def impact(**changes: Any) -> dict[str, Any]:
    fields = {
        "mode": SyncType.FULL.value,
        "destination": "/data/x",
        "new_files": 2,
        "new_bytes": 30,
        "replaced_files": 412,
        "replaced_bytes": 9_000_000_000,
        "plain_server": False,
        "same_names": [],
        "left_out": 0,
        "empty_sources": [],
        "before_files": None,
        "before_bytes": None,
        "before_is_last_sync": False,
        "most_shrink_percent": 50,
        "odd_names": {"refused": [], "refused_count": 0, "twins": []},
    }
    return fields | changes
