"""A message in place, with what helps: for what concerns a whole page, instead of a dialog."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.ui.theme import Theme
from app.ui.tokens import Tone
from app.ui.widgets.buttons import button, label, restyle

_ICONS = {
    Tone.ACCENT: "info",
    Tone.GOOD: "circle-check",
    Tone.WARN: "triangle-alert",
    Tone.BAD: "circle-alert",
}


@dataclass(frozen=True, slots=True)
class BannerAction:
    """A button on the banner. `name` is its object name."""

    text: str
    name: str
    do: Callable[[], None]
    kind: str = ""


class Banner(QFrame):
    """Hidden until `tell`; tells screen readers title and text as its own name."""

    def __init__(self, theme: Theme, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._tone = Tone.ACCENT
        self.setObjectName(name)
        self.setProperty("role", "banner")
        self._icon = QLabel(self)
        self._icon.setFixedSize(20, 20)
        self._title = label(role="heading", name=f"{name}.title")
        self._title.setWordWrap(True)
        self._text = label(name=f"{name}.text")
        self._text.setWordWrap(True)
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._actions = QHBoxLayout()
        self._actions.setSpacing(8)
        self._buttons: list[QPushButton] = []
        self._now: list[Callable[[], None]] = []  # what each button does now
        words = QVBoxLayout()
        words.setSpacing(3)
        words.addWidget(self._title)
        words.addWidget(self._text)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 10, 12, 10)
        row.setSpacing(10)
        row.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(words, 1)
        row.addLayout(self._actions)
        theme.changed.connect(self._draw_icon)
        self.hide()

    def tell(
        self, tone: Tone, title: str, text: str = "", actions: Sequence[BannerAction] = ()
    ) -> None:
        self._tone = tone
        self._title.setText(title)
        self._title.setVisible(bool(title))
        self._text.setText(text)
        self._text.setVisible(bool(text))
        self.setAccessibleName(f"{title} {text}".strip())
        self._set_actions(actions)
        restyle(self, tone=tone.value)
        self._draw_icon()
        self.show()

    @property
    def words(self) -> str:
        """What stands on it now, "" while hidden."""
        return "" if self.isHidden() else f"{self._title.text()} {self._text.text()}".strip()

    def forget_actions(self) -> None:
        """The next `tell` makes its buttons anew, though they may be called the same."""
        self._set_actions(())

    def _set_actions(self, actions: Sequence[BannerAction]) -> None:
        self._now = [action.do for action in actions]
        if [made.objectName() for made in self._buttons] == [action.name for action in actions]:
            return  # the same buttons: a person may be about to press one
        for old in self._buttons:
            self._actions.removeWidget(old)
            old.setParent(None)  # not to be found by its name any more
            old.deleteLater()
        self._buttons = []
        for number, action in enumerate(actions):
            made = button(self._theme, action.text, name=action.name, kind=action.kind)
            made.clicked.connect(lambda _, number=number: self._now[number]())
            self._actions.addWidget(made, 0, Qt.AlignmentFlag.AlignVCenter)
            self._buttons.append(made)

    def _draw_icon(self) -> None:
        color = self._theme.tokens.ink(self._tone)
        self._icon.setPixmap(self._theme.icons.pixmap(_ICONS.get(self._tone, "info"), color, 20))
