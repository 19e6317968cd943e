"""A file manager of one label: what it is told to hold is dragged out of it as file URLs.

Run as `python -m …`; it answers `hold`, `state` and `place`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QByteArray, QMimeData, QPoint, Qt, QUrl
from PySide6.QtGui import QDrag, QMouseEvent
from PySide6.QtWidgets import QApplication, QLabel

from tests.support.window.answering import Answering

_URI_LIST = "text/uri-list"
_WIDTH_PX, _HEIGHT_PX = 150, 40


class ReadyUrls(QMimeData):
    """File URLs written down beforehand. Qt would write the list only when the target asks for it,
    and that target would seem to stand still while it waits for this program."""

    def __init__(self, paths: list[str]) -> None:
        super().__init__()
        lines = (bytes(QUrl.fromLocalFile(path).toEncoded().data()) for path in paths)
        self._list = QByteArray(b"".join(line + b"\r\n" for line in lines))

    def formats(self) -> list[str]:
        return [_URI_LIST]

    def hasFormat(self, mime_type: str) -> bool:
        return mime_type == _URI_LIST

    def retrieveData(self, mime_type: str, _: Any) -> Any:
        return self._list if mime_type == _URI_LIST else None


class DragSource(QLabel):
    """At the screen's right lower corner, beside what a window manager looks after."""

    def __init__(self) -> None:
        super().__init__("nothing to drag")
        self.setWindowFlags(Qt.WindowType.X11BypassWindowManagerHint)
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.setStyleSheet("background: #fff3bf; border: 1px solid #e8b800;")
        screen = self.screen().geometry()
        self.setGeometry(
            screen.right() - _WIDTH_PX, screen.bottom() - _HEIGHT_PX, _WIDTH_PX, _HEIGHT_PX
        )
        self._held: ReadyUrls | None = None
        self._state = "idle"
        self._accepted = False
        self._result = ""
        self._pressed = False

    def hold(self, paths: list[str]) -> bool:
        """What the next drag carries."""
        self._held = ReadyUrls(paths)
        self._state, self._accepted, self._result = "idle", False, ""
        self.setText(f"{len(paths)} to drag")
        self.raise_()
        return True

    def state(self) -> dict[str, object]:
        """`accepted`: what is under the pointer would take the drop now."""
        return {"state": self._state, "accepted": self._accepted, "result": self._result}

    def place(self) -> list[int]:
        centre = self.mapToGlobal(QPoint(self.width() // 2, self.height() // 2))
        return [centre.x(), centre.y()]

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._pressed = event.button() == Qt.MouseButton.LeftButton

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        held = self._held
        if not self._pressed or self._state != "idle" or held is None:
            return
        self._held = None
        self._pressed = False
        self._state = "dragging"
        drag = QDrag(self)
        drag.setMimeData(held)  # which owns it from here on
        drag.actionChanged.connect(self._on_action)
        result = drag.exec(Qt.DropAction.CopyAction)
        self._state, self._result = "ended", str(result.name)

    def _on_action(self, action: Qt.DropAction) -> None:
        self._accepted = action == Qt.DropAction.CopyAction


def main() -> int:
    application = QApplication(sys.argv)
    source = DragSource()
    answers: dict[str, Callable[..., object]] = {
        "hold": source.hold,
        "state": source.state,
        "place": source.place,
    }
    answering = Answering(answers)
    source.show()
    code = application.exec()
    del answering
    return code


if __name__ == "__main__":
    sys.exit(main())
