"""Prints the name of the platform that Qt shows windows on; aborts, as Qt does, where it cannot.

run.sh runs it as a process of its own, because Qt cannot be asked any other way.
"""

from __future__ import annotations

import signal
import sys

from PySide6.QtGui import QGuiApplication

_ANSWERS_WITHIN_S = 20

if __name__ == "__main__":
    if sys.platform != "win32":
        signal.alarm(_ANSWERS_WITHIN_S)  # a display at the end of a dead connection never answers
    application = QGuiApplication(sys.argv)
    print(application.platformName())
