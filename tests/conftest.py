"""Where every test runs: Qt without a screen, and without a person's own Qt settings.

Tests that start a real window set the platform of that process themselves.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

GUI_TESTS = Path(__file__).parent / "gui"
# What pytest-qt is told in pyproject.toml; pytest knows these names only where it is loaded.
_QT_SETTINGS = ("qt_api", "qt_log_level_fail", "qt_log_ignore")

# Before Qt loads. A scale, a style or a theme of the person's own would change what tests see.
for _variable in [name for name in os.environ if name.startswith("QT_")]:
    del os.environ[_variable]
os.environ["QT_QPA_PLATFORM"] = "offscreen"


def _why_qt_does_not_load() -> str:
    """Empty where it loads."""
    try:
        from PySide6 import QtTest, QtWidgets  # noqa: F401 (asked whether they load)
    except ImportError as missing:
        return str(missing)
    return ""


_WITHOUT_QT = _why_qt_does_not_load()
pytest_plugins = [] if _WITHOUT_QT else ["pytestqt.plugin"]


def pytest_addoption(parser: pytest.Parser) -> None:
    if _WITHOUT_QT:
        for name in _QT_SETTINGS:
            parser.addini(name, "pytest-qt is not loaded")


def pytest_configure() -> None:
    if _WITHOUT_QT and os.environ.get("CI"):
        raise pytest.UsageError(f"Qt does not load: {_WITHOUT_QT} (and CI runs every test)")


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Leaves the window's tests out where Qt cannot be loaded; None lets pytest decide."""
    in_gui = collection_path.is_relative_to(GUI_TESTS)
    return True if _WITHOUT_QT and in_gui else None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _WITHOUT_QT:
        terminalreporter.section("the window was not tested", yellow=True)
        terminalreporter.write_line(
            f"Qt does not load: {_WITHOUT_QT}. `make setup-dev` says how to get what is missing."
        )
