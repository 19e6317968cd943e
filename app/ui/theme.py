"""Light or dark, as the system says: the palette, the style sheet, and who must draw anew."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal
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
        application.setStyle("Fusion")
        application.setFont(_readable(application.font()))
        self._follow()
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._follow)

    def choose(self, choice: ThemeChoice) -> None:
        self._choice = choice
        self._follow()

    def _follow(self) -> None:
        dark = self._choice is ThemeChoice.DARK
        if self._choice is ThemeChoice.SYSTEM:
            dark = QGuiApplication.styleHints().colorScheme() is Qt.ColorScheme.Dark
        self.tokens = DARK if dark else LIGHT
        # Without a platform theme Qt's own colours do not follow the scheme: all are set.
        self._application.setPalette(_palette(self.tokens))
        self._application.setStyleSheet(filled(self._sheet, self.tokens))
        self.changed.emit()


def filled(sheet: str, tokens: Tokens) -> str:
    """The style sheet with `@name` replaced by that token's colour."""
    for name in sorted(tokens.__slots__, key=len, reverse=True):
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
