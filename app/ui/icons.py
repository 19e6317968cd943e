"""Lucide's icons (`resources/icons`), tinted and drawn sharp at the screen's pixel ratio."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QByteArray, QRectF, QSize
from PySide6.QtGui import QColor, QGuiApplication, QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer


class Icons:
    """Reads each drawing once and remembers each picture made of it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._drawings: dict[str, str] = {}
        self._pictures: dict[tuple[str, str, int, float], QPixmap] = {}

    def pixmap(self, name: str, color: str, size: int = 16, ratio: float = 0.0) -> QPixmap:
        """`size` in device-independent pixels; `ratio` 0 takes the application's own."""
        ratio = ratio or _pixel_ratio()
        key = (name, color, size, ratio)
        found = self._pictures.get(key)
        if found is None:
            found = self._pictures[key] = self._drawn(name, color, size, ratio)
        return found

    def icon(self, name: str, color: str, disabled: str = "", size: int = 18) -> QIcon:
        """For buttons and actions; `disabled` is the colour where the button is."""
        icon = QIcon(self.pixmap(name, color, size))
        if disabled:
            icon.addPixmap(self.pixmap(name, disabled, size), QIcon.Mode.Disabled)
        return icon

    def _drawn(self, name: str, color: str, size: int, ratio: float) -> QPixmap:
        drawing = self._drawings.get(name)
        if drawing is None:
            drawing = (self._folder / f"{name}.svg").read_text(encoding="utf-8")
            self._drawings[name] = drawing
        tinted = drawing.replace("currentColor", QColor(color).name())
        renderer = QSvgRenderer(QByteArray(tinted.encode("utf-8")))
        pixmap = QPixmap(QSize(round(size * ratio), round(size * ratio)))
        pixmap.fill(QColor(0, 0, 0, 0))
        painter = QPainter(pixmap)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        renderer.render(painter, QRectF(0, 0, pixmap.width(), pixmap.height()))
        painter.end()
        pixmap.setDevicePixelRatio(ratio)
        return pixmap


def _pixel_ratio() -> float:
    application = QGuiApplication.instance()
    return application.devicePixelRatio() if isinstance(application, QGuiApplication) else 1.0
