"""Light or dark, as the system says: the palette, the style sheet, and who must draw anew."""

from __future__ import annotations

from pathlib import Path

from PySide6 import QtCore
from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QColor, QFont, QFontInfo, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

from app.ui.choices import ThemeChoice
from app.ui.icons import Icons
from app.ui.tokens import DARK, LIGHT, Tokens

_STYLE_SHEET = "window.qss"


class Theme(QObject):
    """Handed to every part of the window: colours and icons, and the signal when they change."""

    changed = Signal()

    def __init__(self, application: QApplication, resources: Path, choice: ThemeChoice) -> None:
        super().__init__(application)
        self._application = application
        styles = resources / "styles"
        self._sheet = (styles / _STYLE_SHEET).read_text(encoding="utf-8")
        self._sheet = self._sheet.replace("@folder", styles.as_posix())
        self._choice = choice
        self.icons = Icons(resources / "icons")
        self.tokens = LIGHT
        application.setFont(_readable(application.font()))
        is_system = choice is ThemeChoice.SYSTEM
        self._show(_is_dark(application.palette()) if is_system else choice is ThemeChoice.DARK)

    def follow_the_system(self) -> None:
        """From here on; to be called once the window is painted."""
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._follow)
        if self._wants_dark() is not self.tokens.is_dark:
            self._follow()

    def choose(self, choice: ThemeChoice) -> None:
        self._choice = choice
        self._follow()

    def _follow(self) -> None:
        self._show(self._wants_dark())

    def _wants_dark(self) -> bool:
        if self._choice is ThemeChoice.SYSTEM:
            scheme = QGuiApplication.styleHints().colorScheme()
            return scheme is QtCore.Qt.ColorScheme.Dark
        return self._choice is ThemeChoice.DARK

    def _show(self, dark: bool) -> None:
        self.tokens = DARK if dark else LIGHT
        # Without a platform theme Qt's own colours do not follow the scheme: all are set.
        self._application.setPalette(_palette(self.tokens))
        self._application.setStyleSheet(filled(self._sheet, self.tokens))
        self.changed.emit()


def _is_dark(palette: QPalette) -> bool:
    """Of the palette that Qt begins with, which is the desktop's; asking for the scheme itself
    would take as long as making the page (see `app.ui.application`)."""
    text = palette.color(QPalette.ColorRole.WindowText)
    return text.lightness() > palette.color(QPalette.ColorRole.Window).lightness()


def filled(sheet: str, tokens: Tokens) -> str:
    """The style sheet with `@name` replaced by that token's colour."""
    for name in sorted(tokens._fields, key=len, reverse=True):
        value = getattr(tokens, name)
        if isinstance(value, str):
            sheet = sheet.replace(f"@{name}", value)
    return sheet.replace("@shade", "dark" if tokens.is_dark else "light")


def _readable(font: QFont) -> QFont:
    """The system's font, with digits that do not jump; never smaller than a person can read."""
    if QFontInfo(font).pixelSize() < 13:
        font.setPixelSize(13)
    font.setFeature(QFont.Tag("tnum"), 1)
    return font


def _palette(tokens: Tokens) -> QPalette:
    palette = QPalette()
    roles = {
        QPalette.ColorRole.Window: tokens.window,
        QPalette.ColorRole.WindowText: tokens.text,
        QPalette.ColorRole.Base: tokens.surface,
        QPalette.ColorRole.AlternateBase: tokens.hover,
        QPalette.ColorRole.Text: tokens.text,
        QPalette.ColorRole.Button: tokens.raised,
        QPalette.ColorRole.ButtonText: tokens.text,
        QPalette.ColorRole.BrightText: tokens.bad,
        QPalette.ColorRole.Highlight: tokens.selection,
        QPalette.ColorRole.HighlightedText: tokens.text,
        QPalette.ColorRole.ToolTipBase: tokens.raised,
        QPalette.ColorRole.ToolTipText: tokens.text,
        QPalette.ColorRole.PlaceholderText: tokens.muted,
        QPalette.ColorRole.Link: tokens.accent,
        QPalette.ColorRole.Accent: tokens.accent_fill,
        QPalette.ColorRole.Mid: tokens.border,
        QPalette.ColorRole.Dark: tokens.border_strong,
        QPalette.ColorRole.Light: tokens.surface,
        QPalette.ColorRole.Midlight: tokens.hover,
        QPalette.ColorRole.Shadow: tokens.border,
    }
    for role, color in roles.items():
        palette.setColor(role, QColor(color))
    for role in (
        QPalette.ColorRole.Text,
        QPalette.ColorRole.WindowText,
        QPalette.ColorRole.ButtonText,
    ):
        palette.setColor(QPalette.ColorGroup.Disabled, role, QColor(tokens.border_strong))
    return palette
