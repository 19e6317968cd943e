"""`make screenshots`: every page of the window in light, dark and Vietnamese, two sizes.

The real window on the real socket, with an engine that answers from a script. Pictures go to
`build/screenshots`; the two of the README are written anew in `resources/screenshots`.

python -m tests.screenshots [--only upload-typical]
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QCoreApplication, QEvent, QLocale, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPixmap
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QCheckBox, QLineEdit, QPushButton, QWidget

from app.composition import resources_folder
from app.link.engine_client import EngineClient
from app.link.engine_errors import EngineGone
from app.link.protocol import RuntimeFile
from app.ui.application import context_of, speak
from app.ui.choices import ThemeChoice
from app.ui.close_dialog import CloseDialog
from app.ui.engine_client import EngineLink, LinkState
from app.ui.main_window import MainWindow
from app.ui.tables.cell_table import CellTable
from app.ui.theme import Theme
from app.ui.upload.upload_front import UploadFront
from tests.screenshots.scenes import Scene, scenes
from tests.support.fake_engine import FakeEngine

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "build" / "screenshots"
SIZES = (QSize(1280, 800), QSize(960, 600))
LOOKS = (
    ("light", ThemeChoice.LIGHT, "en"),
    ("dark", ThemeChoice.DARK, "en"),
    ("vietnamese", ThemeChoice.LIGHT, "vi"),
    ("dark-vietnamese", ThemeChoice.DARK, "vi"),
)
IN_README = ("upload-typical-light-1280x800.png", "upload-question-dark-1280x800.png")
_PAGES = ("upload", "jobs", "history", "connections")
_QUIET_MS = 150  # no request for so long: everything asked for has been shown
_LONGEST_MS = 5_000

Settle = Callable[[], None]


def main() -> None:
    parser = argparse.ArgumentParser(prog="make screenshots", description=__doc__)
    parser.add_argument("--only", default="", help="pictures whose name holds this")
    chosen = parser.parse_args()
    OUT.mkdir(parents=True, exist_ok=True)
    application = QApplication(["lakedrop", "-style", "Fusion"])
    theme = Theme(application, resources_folder(), ThemeChoice.LIGHT)
    made = 0
    for look, choice, language in LOOKS:
        translator = speak(application, resources_folder(), language)
        theme.choose(choice)
        for scene in scenes():
            wanted = {
                OUT / f"{scene.page}-{scene.name}-{look}-{size.width()}x{size.height()}.png": size
                for size in SIZES
            }
            wanted = {file: size for file, size in wanted.items() if chosen.only in file.name}
            if wanted:
                _take(theme, scene, wanted)
                made += len(wanted)
        application.removeTranslator(translator)
        QLocale.setDefault(QLocale("en_US"))
    readme = ROOT / "resources" / "screenshots"
    for name in IN_README:
        if (OUT / name).exists():
            readme.mkdir(exist_ok=True)
            shutil.copyfile(OUT / name, readme / name)
    sys.stdout.write(f"{made} pictures in {OUT.relative_to(ROOT)}\n")


def _take(theme: Theme, scene: Scene, wanted: Mapping[Path, QSize]) -> None:
    """The same window at each size."""
    with tempfile.TemporaryDirectory(prefix="lakedrop-shots-") as folder:
        runtime_file = Path(folder) / "engine.json"
        with FakeEngine(runtime_file) as engine:
            engine.answers.update(scene.answers)
            link = EngineLink(lambda: _attached(runtime_file))
            window = MainWindow(context_of(theme, link))
            window.resize(next(iter(wanted.values())))
            window.show()
            link.open()
            while link.state is not LinkState.READY:
                QTest.qWait(5)
            _settle(engine)
            window.go_to(_PAGES.index(scene.page))
            if scene.job_id:
                window._show_upload(scene.job_id)
            _settle(engine)
            shown = _ACTS[scene.act](window, lambda: _settle(engine))
            for target, size in wanted.items():
                window.resize(size)
                _settle(engine)
                if not _picture_of(window, shown).save(str(target)):
                    raise SystemExit(f"{target} cannot be written")
            if shown is not window:
                shown.deleteLater()
            link.close()
            window.hide()
            window.deleteLater()
            QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


def _attached(runtime_file: Path) -> EngineClient:
    runtime = RuntimeFile.read(runtime_file)
    assert runtime is not None
    return EngineClient.connect(runtime)


def _settle(engine: FakeEngine) -> None:
    """Until the window has asked for nothing new for a while."""
    seen, quiet_ms, passed_ms = len(engine.requests), 0, 0
    while quiet_ms < _QUIET_MS and passed_ms < _LONGEST_MS:
        QTest.qWait(10)
        passed_ms += 10
        now = len(engine.requests)
        quiet_ms = quiet_ms + 10 if now == seen else 0
        seen = now


def _picture_of(window: QWidget, shown: QWidget) -> QPixmap:
    """The window, with a dialog where a desktop would put it: in its middle."""
    picture = window.grab()
    if shown is not window:
        painter = QPainter(picture)
        painter.fillRect(picture.rect(), QColor(0, 0, 0, 90))
        painter.drawPixmap(
            (window.width() - shown.width()) // 2,
            (window.height() - shown.height()) // 2,
            shown.grab(),
        )
        painter.end()
    return picture


def _press(window: QWidget, name: str) -> None:
    button = window.findChild(QPushButton, name)
    assert button is not None, name
    button.click()


def _second_connection(window: MainWindow, _: Settle) -> QWidget:
    from PySide6.QtWidgets import QAbstractItemView

    listing = window.findChild(QAbstractItemView, "connections.list")
    assert listing is not None
    listing.setCurrentIndex(listing.model().index(2, 0))
    return window


def _test_connection(window: MainWindow, settle: Settle) -> QWidget:
    _second_connection(window, settle)
    settle()
    _press(window, "connections.test")
    return window


def _files(window: MainWindow, settle: Settle) -> QWidget:
    """From the newest job to its files."""
    table = window.findChild(CellTable, "jobs.table")
    assert table is not None
    table.selectRow(0)
    _press(window, "jobs.showFiles")
    settle()
    files = window.findChild(CellTable, "history.syncTable")
    assert files is not None
    window.activateWindow()
    files.setFocus()
    files.selectRow(1)
    return window


def _remove_connection(window: MainWindow, settle: Settle) -> QWidget:
    _second_connection(window, settle)
    _press(window, "connections.remove")
    return window


def _moved_connection(window: MainWindow, settle: Settle) -> QWidget:
    """Another address without its key, and the key out of the session."""
    _second_connection(window, settle)
    box = window.findChild(QCheckBox, "connections.sessionOnly")
    address = window.findChild(QLineEdit, "connections.url")
    assert box is not None
    assert address is not None
    box.click()
    address.setText("http://two.example.com/upload")
    return window


def _new_connection(window: MainWindow, _: Settle) -> QWidget:
    _press(window, "connections.add")
    return window


def _nothing(window: MainWindow, _: Settle) -> QWidget:
    return window


def _start(window: MainWindow, _: Settle) -> QWidget:
    _press(window, "upload.start")
    return window


def _cancel(window: MainWindow, _: Settle) -> QWidget:
    _press(window, "upload.cancel")
    return window


def _walk(window: MainWindow, settle: Settle) -> QWidget:
    """The keyboard in the table, three rows chosen."""
    table = window.findChild(CellTable, "upload.table")
    assert table is not None
    window.activateWindow()
    table.setFocus()
    settle()
    for _ in range(2):
        QTest.keyClick(table, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    return window


def _fault(window: MainWindow, _: Settle) -> QWidget:
    window.tell_error(EngineGone("The upload engine ended without a word."))
    return window


def _drag(window: MainWindow, _: Settle) -> QWidget:
    page = window.findChild(UploadFront)
    assert page is not None
    page.show_drop_target(True)
    return window


def _wrong(window: MainWindow, settle: Settle) -> QWidget:
    field = window.findChild(QLineEdit, "upload.destination")
    assert field is not None
    window.activateWindow()
    field.setFocus()
    field.selectAll()
    QTest.keyClicks(field, "data//sales")
    settle()
    return window


def _close(window: MainWindow, _: Settle) -> QWidget:
    dialog = CloseDialog(window._context, 2, window)
    dialog.show()
    dialog.hide()  # laid out; the picture puts it over the window
    return dialog


_ACTS: dict[str, Callable[[MainWindow, Settle], QWidget]] = {
    "": _nothing,
    "ask": _start,
    "cancel": _cancel,
    "walk": _walk,
    "fault": _fault,
    "drag": _drag,
    "wrong": _wrong,
    "close": _close,
    "second": _second_connection,
    "test": _test_connection,
    "files": _files,
    "remove": _remove_connection,
    "moved": _moved_connection,
    "new": _new_connection,
}


if __name__ == "__main__":
    main()
