"""What the window under test shows, for a test to read: it looks and changes nothing."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any, cast

from PySide6.QtCore import (
    QAbstractItemModel,
    QAbstractListModel,
    QMessageLogContext,
    QObject,
    QPoint,
    QRect,
    Qt,
    QTimer,
    QtMsgType,
    qInstallMessageHandler,
)
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QButtonGroup,
    QCheckBox,
    QComboBox,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QProgressBar,
    QRadioButton,
    QWidget,
)

_BEAT_MS = 5
_INDICATOR_PX = 10


class Probe:
    """The answers for `Answering`, by their names. Points and sizes are pixels of the screen."""

    def __init__(self) -> None:
        self.warnings = QtWarnings()
        self._heartbeat = Heartbeat()
        self._settled = False

    def answers(self) -> dict[str, Callable[..., object]]:
        return {
            "ready": self.ready,
            "look": self.look,
            "names": self.names,
            "cell": self.cell,
            "rows": self.rows,
            "texts": self.texts,
            "windows": self.windows,
            "grab": self.grab,
            "health": self.health,
            "reset_stall": self._heartbeat.reset,
        }

    def ready(self) -> bool:
        """The event loop runs; the window may have its own handler of Qt's messages by now."""
        if not self._settled:
            self.warnings.listen()
            self._heartbeat.begin()
            self._settled = True
        return True

    def look(self, name: str) -> dict[str, Any] | None:
        """A widget by its object name, the visible one where there are several; null: none."""
        named = [widget for widget in QApplication.allWidgets() if widget.objectName() == name]
        if not named:
            return None
        widget = max(named, key=lambda one: one.isVisible())
        rect = widget.visibleRegion().boundingRect()
        point = _point_to_click(widget, rect)
        x, y = _screen_pixels(widget, point)
        under = QApplication.widgetAt(widget.mapToGlobal(point)) if widget.isVisible() else None
        left, top = _screen_pixels(widget, rect.topLeft())
        return {
            "kind": widget.metaObject().className(),
            "visible": widget.isVisible() and not rect.isEmpty(),
            "reachable": under is not None and (under is widget or widget.isAncestorOf(under)),
            "enabled": widget.isEnabled(),
            "focused": widget.hasFocus() or _is_focus_inside(widget),
            "checked": isinstance(widget, QAbstractButton) and widget.isChecked(),
            "text": _text(widget),
            "choices": _choices(widget),
            "accessible_name": widget.accessibleName(),
            "x": x,
            "y": y,
            "rect": [left, top, rect.width(), rect.height()],
        }

    def names(self, prefix: str, *, controls: bool = False) -> list[str]:
        """Object names of visible widgets; `controls`: those that Tab must reach now."""
        return sorted(
            {
                widget.objectName()
                for widget in QApplication.allWidgets()
                if widget.objectName().startswith(prefix)
                and widget.isVisible()
                and (not controls or _takes_part(widget))
            }
        )

    def cell(self, name: str, text: str) -> list[int] | None:
        """Centre of the first cell that shows the text (or has it in its accessible text), if in
        sight."""
        view = _view(name)
        model, root = view.model(), view.rootIndex()
        for row in range(model.rowCount(root)):
            for column in range(_columns(model)):
                index = model.index(row, column, root)
                if text in _shown(model.data(index)) or text in _shown(
                    model.data(index, Qt.ItemDataRole.AccessibleTextRole)
                ):
                    rect = view.visualRect(index) & view.viewport().rect()
                    if rect.isEmpty():
                        continue
                    return list(_screen_pixels(view.viewport(), rect.center()))
        return None

    def rows(
        self, name: str, first: int = 0, limit: int = 200, *, spoken: bool = False
    ) -> dict[str, Any]:
        """What a table shows, its headers, and how many rows there are in all.

        `spoken`: what a screen reader says of each cell instead.
        """
        roles = Qt.ItemDataRole
        role = roles.AccessibleTextRole if spoken else roles.DisplayRole
        view = _view(name)
        model, root = view.model(), view.rootIndex()
        count, columns = model.rowCount(root), _columns(model)
        return {
            "count": count,
            "headers": _headers(model, columns),
            "rows": [
                [
                    _shown(model.data(model.index(row, column, root), role))
                    for column in range(columns)
                ]
                for row in range(first, min(count, first + limit))
            ],
            "selected": sorted({index.row() for index in view.selectionModel().selectedRows()})
            if count <= limit
            else [],
        }

    def texts(self) -> list[str]:
        """Every text in sight that a label, button, field or bar shows."""
        kinds = (QLabel, QAbstractButton, QLineEdit, QComboBox, QProgressBar, QPlainTextEdit)
        shown = (
            _text(one)
            for one in QApplication.allWidgets()
            if one.isVisible() and isinstance(one, kinds)
        )
        return [text for text in shown if text]

    def windows(self) -> list[dict[str, Any]]:
        return [
            {
                "title": window.windowTitle(),
                "active": window.isActiveWindow(),
                "rect": [*_screen_pixels(window, QPoint(0, 0)), window.width(), window.height()],
            }
            for window in QApplication.topLevelWidgets()
            if window.isVisible() and window.windowType() != Qt.WindowType.ToolTip
        ]

    def grab(self, path: str) -> bool:
        """A PNG of the active window, or of any."""
        window = QApplication.activeWindow() or next(
            window for window in QApplication.topLevelWidgets() if window.isVisible()
        )
        return window.grab().save(path)

    def health(self) -> dict[str, Any]:
        focused = QApplication.focusWidget()
        return {
            "qt_warnings": self.warnings.seen,
            "worst_stall_ms": self._heartbeat.worst_stall_ms,
            "focus": focused.objectName() if focused is not None else None,
        }


class QtWarnings:
    """Counts Qt's messages from a warning upwards, and passes all on to whoever listened before."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self._next: Callable[[QtMsgType, QMessageLogContext, str], object] | None = None
        self._handler = self._take

    def listen(self) -> None:
        """Once more where the program has put a handler of its own over this one."""
        before = qInstallMessageHandler(self._handler)
        if before is not None and before != self._handler:
            self._next = before

    def _take(self, kind: QtMsgType, context: QMessageLogContext, message: str) -> None:
        if kind not in (QtMsgType.QtDebugMsg, QtMsgType.QtInfoMsg):
            self.seen.append(message)
        if self._next is not None:
            self._next(kind, context, message)
        else:  # Qt's own is not told when it is replaced
            print(message, file=sys.stderr, flush=True)


class Heartbeat(QObject):
    """The longest time that the GUI's thread did not come back to its event loop."""

    def __init__(self) -> None:
        super().__init__()
        self.worst_stall_ms = 0.0
        self._last_s = 0.0

    def begin(self) -> None:
        self._last_s = time.perf_counter()
        timer = QTimer(self)
        timer.setTimerType(Qt.TimerType.PreciseTimer)
        timer.timeout.connect(self._beat)
        timer.start(_BEAT_MS)

    def reset(self) -> float:
        """The worst until now, in milliseconds; the next one counts from here."""
        self._beat()
        worst_ms, self.worst_stall_ms = self.worst_stall_ms, 0.0
        return worst_ms

    def _beat(self) -> None:
        now_s = time.perf_counter()
        gap_ms = (now_s - self._last_s) * 1000 - _BEAT_MS
        self.worst_stall_ms = max(self.worst_stall_ms, gap_ms)
        self._last_s = now_s


def _view(name: str) -> QAbstractItemView:
    found = [
        widget
        for widget in QApplication.allWidgets()
        if isinstance(widget, QAbstractItemView) and widget.objectName() == name
    ]
    if not found:
        raise LookupError(f"there is no table or list {name}")
    return max(found, key=lambda one: one.isVisible())


def _point_to_click(widget: QWidget, seen: QRect) -> QPoint:
    point = seen.center()
    if isinstance(widget, QCheckBox | QRadioButton):
        # Only the indicator and the text take clicks, not the empty width a layout gives them.
        point.setX(seen.left() + min(_INDICATOR_PX, seen.width() // 2))
    return point


def _screen_pixels(widget: QWidget, point: QPoint) -> tuple[int, int]:
    here = widget.mapToGlobal(point)
    ratio = widget.devicePixelRatioF()
    return round(here.x() * ratio), round(here.y() * ratio)


def _is_focus_inside(widget: QWidget) -> bool:
    focused = QApplication.focusWidget()
    return focused is not None and widget.isAncestorOf(focused)


def _takes_part(widget: QWidget) -> bool:
    """By its kind, not by its focus policy: one that refuses Tab is what a test looks for."""
    if isinstance(widget, QAbstractButton):
        group = cast("QButtonGroup | None", widget.group())  # none, whatever the stubs say
        # Of several of which one is chosen, Tab reaches that one and arrows the others.
        among = group is not None and group.exclusive() and not widget.isChecked()
        return widget.isEnabled() and not among
    kinds = (QLineEdit, QComboBox, QAbstractItemView, QPlainTextEdit)
    return isinstance(widget, kinds) and widget.isEnabled()


def _text(widget: QWidget) -> str:
    """A password field's dots, never its text."""
    match widget:
        case QLineEdit():
            return widget.displayText()
        case QLabel() | QAbstractButton():
            return widget.text()
        case QComboBox():
            return widget.currentText()
        case QPlainTextEdit():
            return widget.toPlainText()
        case QProgressBar():
            return widget.text() if widget.isTextVisible() else ""
        case QAbstractItemView():
            return ""
        case _:
            inside = widget.findChildren(QLabel)
            return "\n".join(label.text() for label in inside if label.isVisible())


def _choices(widget: QWidget) -> list[str]:
    if not isinstance(widget, QComboBox):
        return []
    return [widget.itemText(place) for place in range(widget.count())]


def _columns(model: QAbstractItemModel) -> int:
    """A list's own count is private to it."""
    return 1 if isinstance(model, QAbstractListModel) else model.columnCount()


def _headers(model: QAbstractItemModel, columns: int) -> list[str]:
    across = Qt.Orientation.Horizontal
    return [_shown(model.headerData(column, across)) for column in range(columns)]


def _shown(value: object) -> str:
    return "" if value is None else str(value)
