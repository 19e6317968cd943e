"""Buttons and labels of one look, with icons that follow the theme."""

from __future__ import annotations

from PySide6 import QtCore
from PySide6.QtCore import QObject, QSize
from PySide6.QtGui import QColor, QIcon, QPainter, QPaintEvent, QPixmap, QResizeEvent
from PySide6.QtWidgets import QAbstractButton, QLabel, QPushButton, QSizePolicy, QWidget

from app.ui.theme import Theme

_ICON = 18
_GAP = 5


def button(
    theme: Theme,
    text: str,
    *,
    name: str,
    icon: str = "",
    kind: str = "",
    tip: str = "",
) -> QPushButton:
    """`name` is the object name; `kind` one of primary, danger, quiet, nav or plain ("")."""
    made = QPushButton(text)
    made.setObjectName(name)
    made.setAccessibleName(text or tip)
    made.setAutoDefault(True)  # Enter presses the button that has the keyboard
    if kind:
        made.setProperty("kind", kind)
    if tip:
        made.setToolTip(tip)
    if icon:
        IconFollowsTheme(theme, made, icon, kind)
    return made


class IconFollowsTheme(QObject):
    """Draws a button's icon in the theme's colours, again whenever they change."""

    def __init__(self, theme: Theme, button: QAbstractButton, icon: str, kind: str = "") -> None:
        super().__init__(button)
        self._theme, self._button, self._icon, self._kind = theme, button, icon, kind
        theme.changed.connect(self._draw)
        self._draw()

    def show_icon(self, icon: str) -> None:
        self._icon = icon
        self._draw()

    def _draw(self) -> None:
        tokens = self._theme.tokens
        color = {"primary": tokens.on_accent, "danger": tokens.bad}.get(self._kind, tokens.text)
        gap = _GAP if self._button.text() and self._kind != "nav" else 0
        icons = self._theme.icons
        icon = QIcon(_with_room(icons.pixmap(self._icon, color, _ICON), gap))
        disabled = icons.pixmap(self._icon, tokens.border_strong, _ICON)
        icon.addPixmap(_with_room(disabled, gap), QIcon.Mode.Disabled)
        self._button.setIcon(icon)
        self._button.setIconSize(QSize(_ICON + gap, _ICON))


def _with_room(pixmap: QPixmap, right: int) -> QPixmap:
    """Empty room at its right, for the gap to a text: no style sheet can widen that one."""
    if not right:
        return pixmap
    ratio = pixmap.devicePixelRatio()
    wider = QPixmap(pixmap.width() + round(right * ratio), pixmap.height())
    wider.setDevicePixelRatio(ratio)
    wider.fill(QColor(0, 0, 0, 0))
    painter = QPainter(wider)
    painter.drawPixmap(0, 0, pixmap)
    painter.end()
    return wider


def label(text: str = "", *, role: str = "", name: str = "") -> QLabel:
    """`role`: title, heading, field, muted, problem or "". Names are shown as they are."""
    made = QLabel(text)
    made.setProperty("textFormat", "PlainText")  # by name: see `app.ui.application`
    if role:
        made.setProperty("role", role)
    if name:
        made.setObjectName(name)
    return made


class ElidedLabel(QLabel):
    """One line that gives way: it ends in … where there is no room, and its tool tip has it all."""

    def __init__(self, text: str = "", *, role: str = "", middle: bool = False) -> None:
        super().__init__(text)
        self.setTextFormat(QtCore.Qt.TextFormat.PlainText)
        sides = QtCore.Qt.TextElideMode
        self._side = sides.ElideMiddle if middle else sides.ElideRight
        if role:
            self.setProperty("role", role)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.setMinimumWidth(20)

    def setText(self, text: str) -> None:
        super().setText(text)
        self._set_tip()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._set_tip()

    def _set_tip(self) -> None:
        fits = self.fontMetrics().horizontalAdvance(self.text()) <= self.width()
        self.setToolTip("" if fits else self.text())

    def paintEvent(self, _: QPaintEvent) -> None:
        painter = QPainter(self)
        text = self.fontMetrics().elidedText(self.text(), self._side, self.width())
        painter.setPen(self.palette().color(self.foregroundRole()))
        place = self.alignment() | QtCore.Qt.AlignmentFlag.AlignVCenter
        painter.drawText(self.rect(), int(place), text)


def restyle(widget: QWidget, **properties: object) -> None:
    """Sets properties that the style sheet looks at, and has it look again."""
    changed = False
    for name, value in properties.items():
        if widget.property(name) != value:
            widget.setProperty(name, value)
            changed = True
    if changed:
        widget.style().unpolish(widget)
        widget.style().polish(widget)
        widget.update()
