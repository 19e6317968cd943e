"""Builds the window and runs it until it is closed.

Up to the first paint nothing here or below may touch the namespace `QtCore.Qt`: its thousand enum
values are made when one is first asked for, and take as long as the whole page (15 of 180 ms). So
these modules import `QtCore` and say `QtCore.Qt.…` where it is needed, which is later.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QLocale, QTimer, QTranslator
from PySide6.QtWidgets import QApplication

from app.domain.errors import LakeDropError, PlacesFailed
from app.ui.choices import LANGUAGES, WindowChoices
from app.ui.context import UiContext
from app.ui.engine_client import EngineLink
from app.ui.faults import Faults
from app.ui.main_window import MainWindow
from app.ui.theme import Theme

if TYPE_CHECKING:
    from app.link.engine_client import EngineClient

# Each time Qt calls Python while another thread computes, it waits so long for its turn; a repaint
# of the table is a hundred such calls.
_TURN_S = 0.0005

_COUNTRIES = {"en": "en_US", "vi": "vi_VN"}


def run(
    attach: Callable[[], EngineClient],
    resources: Path,
    log_file: Path,
    choices: WindowChoices,
    *,
    tell_faults_on_stderr: bool = False,
) -> int:
    """Returns the exit code when the window was closed. Raises `PlacesFailed`."""
    faults = Faults()
    try:
        faults.listen(log_file, also_on_stderr=tell_faults_on_stderr)
    except OSError as cause:
        raise PlacesFailed(f"The window's log cannot be written: {cause}.") from cause
    sys.setswitchinterval(_TURN_S)
    # Python's own handler would only run once Qt's loop hands control back.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    # Named here: `setStyle` would hand the style to Python, for which its enums must be made.
    application = QApplication(["lakedrop", "-style", "Fusion"])
    application.setApplicationName("LakeDrop")
    application.setDesktopFileName("lakedrop")
    translator = speak(application, resources, choices.language)
    theme = Theme(application, resources, choices.theme)
    link = EngineLink(attach, application)
    window = MainWindow(context_of(theme, link))
    window.setWindowIcon(theme.icons.icon("arrow-up-from-line", theme.tokens.accent, size=64))
    faults.met.connect(lambda: window.tell_error(LakeDropError("")))
    window.first_painted.connect(link.open)
    window.first_painted.connect(theme.follow_the_system)
    # Once the first page is whole: `app.__main__` collects nothing until then.
    window.first_painted.connect(lambda: QTimer.singleShot(0, _collect_from_here_on))
    window.show()
    code = application.exec()
    link.close()
    del translator  # kept until here: Qt does not own it
    return code


def _collect_from_here_on() -> None:
    """What was made so far stays as long as the window, and is never looked through again."""
    gc.freeze()
    gc.enable()


def context_of(theme: Theme, link: EngineLink) -> UiContext:
    """After `speak`, whose language all texts take."""
    return UiContext(theme, link)


def speak(application: QApplication, resources: Path, wanted: str = "") -> QTranslator:
    """Sets the language of texts and numbers; the translator must be kept by the caller."""
    system = QLocale.system()
    language = wanted or next(
        (code for code in (tag[:2] for tag in system.uiLanguages()) if code in LANGUAGES), "en"
    )
    same = system.name()[:2] == language and system.name() != "C"
    QLocale.setDefault(system if same else QLocale(_COUNTRIES[language]))
    translator = QTranslator()
    if translator.load(f"lakedrop_{language}.qm", os.fspath(resources / "translations")):
        application.installTranslator(translator)
    return translator
