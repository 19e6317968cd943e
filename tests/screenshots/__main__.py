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
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QCoreApplication, QEvent, QLocale, QSize
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton, QWidget

from app.composition import resources_folder
from app.link.engine_client import EngineClient
from app.link.protocol import RuntimeFile
from app.ui.application import context_of, speak
from app.ui.choices import ThemeChoice
from app.ui.engine_client import EngineLink, LinkState
from app.ui.main_window import MainWindow
from app.ui.theme import Theme
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
_QUIET_MS = 300  # no request for so long: everything asked for has been shown
_LONGEST_MS = 15_000


def main() -> None:
    parser = argparse.ArgumentParser(prog="make screenshots", description=__doc__)
    parser.add_argument("--only", default="", help="pictures whose name holds this")
    chosen = parser.parse_args()
    OUT.mkdir(parents=True, exist_ok=True)
    application = QApplication(["lakedrop"])
    theme = Theme(application, resources_folder(), ThemeChoice.LIGHT)
    made = 0
    for look, choice, language in LOOKS:
        translator = speak(application, resources_folder(), language)
        theme.choose(choice)
        for scene in scenes():
            for size in SIZES:
                name = f"{scene.page}-{scene.name}-{look}-{size.width()}x{size.height()}.png"
                if chosen.only in name:
                    _take(theme, scene, size, OUT / name)
                    made += 1
        application.removeTranslator(translator)
        QLocale.setDefault(QLocale("en_US"))
    readme = ROOT / "resources" / "screenshots"
    for name in IN_README:
        if (OUT / name).exists():
            readme.mkdir(exist_ok=True)
            shutil.copyfile(OUT / name, readme / name)
    sys.stdout.write(f"{made} pictures in {OUT.relative_to(ROOT)}\n")


def _take(theme: Theme, scene: Scene, size: QSize, target: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="lakedrop-shots-") as folder:
        runtime_file = Path(folder) / "engine.json"
        with FakeEngine(runtime_file) as engine:
            engine.answers.update(scene.answers)
            link = EngineLink(lambda: _attached(runtime_file))
            window = MainWindow(context_of(theme, link))
            window.resize(size)
            window.show()
            link.open()
            while link.state is not LinkState.READY:
                QTest.qWait(10)
            _settle(lambda: len(engine.requests))
            window.go_to(_PAGES.index(scene.page))
            if scene.job_id:
                window._show_upload(scene.job_id)
            _settle(lambda: len(engine.requests))
            _ACTS[scene.act](window)
            _settle(lambda: len(engine.requests))
            if not window.grab().save(str(target)):
                raise SystemExit(f"{target} cannot be written")
            link.close()
            window.hide()
            window.deleteLater()
            QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


def _attached(runtime_file: Path) -> EngineClient:
    runtime = RuntimeFile.read(runtime_file)
    assert runtime is not None
    return EngineClient.connect(runtime)


def _settle(count: Callable[[], int]) -> None:
    """Until the window has asked for nothing new for a while."""
    seen, quiet_ms, passed_ms = count(), 0, 0
    while quiet_ms < _QUIET_MS and passed_ms < _LONGEST_MS:
        QTest.qWait(20)
        passed_ms += 20
        now = count()
        quiet_ms = quiet_ms + 20 if now == seen else 0
        seen = now


def _press(window: QWidget, name: str) -> None:
    button = window.findChild(QPushButton, name)
    assert button is not None, name
    button.click()


def _second_connection(window: QWidget) -> None:
    from PySide6.QtWidgets import QAbstractItemView

    listing = window.findChild(QAbstractItemView, "connections.list")
    assert listing is not None
    listing.setCurrentIndex(listing.model().index(2, 0))


def _test_connection(window: QWidget) -> None:
    _second_connection(window)
    _settle(lambda: 0)
    _press(window, "connections.test")


_ACTS: dict[str, Callable[[QWidget], None]] = {
    "": lambda _: None,
    "ask": lambda window: _press(window, "upload.start"),
    "second": _second_connection,
    "test": _test_connection,
}


if __name__ == "__main__":
    main()
