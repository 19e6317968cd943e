"""Colours that can be read, icons that are there, words for everything that can be."""

from __future__ import annotations

import re

import pytest
from PySide6.QtCore import QLocale
from PySide6.QtGui import QColor, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

from app.composition import resources_folder
from app.domain import errors as domain_errors
from app.domain.queue_item import Assurance, ItemState
from app.domain.upload_job import JobState
from app.link import engine_errors
from app.ui.choices import ThemeChoice
from app.ui.error_presenter import ErrorPresenter
from app.ui.formats import Formats
from app.ui.shown import shown
from app.ui.state_texts import StateTexts
from app.ui.theme import Theme, filled
from app.ui.tokens import DARK, LIGHT, Tokens, Tone
from embedded_server.contract import SyncStatus, SyncType


def _luminance(color: str) -> float:
    """WCAG 2.2, relative luminance."""
    parts = [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("tokens", [LIGHT, DARK], ids=["light", "dark"])
def test_text_can_be_read_on_everything_it_stands_on(tokens: Tokens) -> None:
    grounds = (tokens.window, tokens.sidebar, tokens.surface, tokens.raised, tokens.hover)
    pairs = [
        (ink, ground)
        for ink in (tokens.text, tokens.muted)
        for ground in (*grounds, tokens.selection)
    ]
    pairs += [(tokens.ink(tone), tokens.soft(tone)) for tone in Tone]
    pairs += [(tokens.ink(tone), tokens.surface) for tone in Tone]
    pairs += [(tokens.ink(tone), tokens.selection) for tone in Tone]
    pairs += [
        (tokens.text, tokens.soft(tone)) for tone in Tone
    ]  # banners: plain text on the tone's ground
    pairs += [
        (tokens.on_accent, tokens.accent_fill),
        (tokens.on_accent, tokens.accent_fill_hover),
    ]
    weak = [(ink, ground) for ink, ground in pairs if _contrast(ink, ground) < 4.5]
    assert weak == []


@pytest.mark.parametrize("tokens", [LIGHT, DARK], ids=["light", "dark"])
def test_fields_and_focus_rings_stand_out(tokens: Tokens) -> None:
    for ground in (tokens.window, tokens.surface, tokens.sidebar):
        assert _contrast(tokens.accent, ground) >= 3
    assert _contrast(tokens.border_strong, tokens.surface) >= 3


@pytest.mark.parametrize(("choice", "tokens"), [("light", LIGHT), ("dark", DARK)])
def test_the_chosen_theme_colours_the_whole_application(
    qapp: QApplication, choice: str, tokens: Tokens
) -> None:
    theme = Theme(qapp, resources_folder(), ThemeChoice(choice))

    palette = QGuiApplication.palette()
    assert palette.color(QPalette.ColorRole.Window) == QColor(tokens.window)
    assert palette.color(QPalette.ColorRole.Text) == QColor(tokens.text)
    assert tokens.accent_fill in qapp.styleSheet()
    theme.deleteLater()


def test_the_style_sheet_names_only_colours_that_there_are() -> None:
    sheet = (resources_folder() / "styles" / "window.qss").read_text("utf-8")
    assert "@" in sheet
    left = set(re.findall(r"@\w+", filled(sheet, LIGHT).split("*/", 1)[1]))
    assert left == {"@folder"}  # where the pictures lie: the theme knows


def test_a_changed_theme_is_told(qapp: QApplication) -> None:
    theme = Theme(qapp, resources_folder(), ThemeChoice.LIGHT)
    told: list[bool] = []
    theme.changed.connect(lambda: told.append(theme.tokens.is_dark))

    theme.choose(ThemeChoice.DARK)

    assert told == [True]
    theme.deleteLater()


def test_icons_are_drawn_in_the_colour_that_is_asked_for(theme: Theme) -> None:
    image = theme.icons.pixmap("circle-check", "#ff0000", 32, 1.0).toImage()
    colors = {
        image.pixelColor(x, y).name()
        for x in range(image.width())
        for y in range(image.height())
        if image.pixelColor(x, y).alpha() == 255
    }
    assert colors == {"#ff0000"}


def test_icons_are_sharp_on_a_dense_screen(theme: Theme) -> None:
    pixmap = theme.icons.pixmap("plus", "#000000", 16, 2.0)
    assert (pixmap.width(), pixmap.devicePixelRatio()) == (32, 2.0)


def test_every_state_has_words_and_an_icon_that_is_there(theme: Theme) -> None:
    texts = StateTexts()
    said = [texts.item(state) for state in ItemState]
    said += [texts.item(ItemState.UPLOADED, Assurance.VERIFIED)]
    said += [texts.job(state) for state in JobState]
    said += [texts.sync_status(status) for status in SyncStatus]
    for one in said:
        assert one.text
        assert not theme.icons.pixmap(one.icon, "#000000").isNull()


def test_verified_is_never_said_of_what_is_only_acknowledged() -> None:
    texts = StateTexts()
    verified = texts.item(ItemState.UPLOADED, Assurance.VERIFIED).text
    assert texts.item(ItemState.UPLOADED, Assurance.ACKNOWLEDGED).text != verified
    assert texts.mode(SyncType.FULL) != texts.mode(SyncType.INCREMENTAL)


def test_every_error_has_a_title_of_its_own() -> None:
    presenter = ErrorPresenter()
    fault = presenter.present_kind("SomethingElse", "").title
    kinds = [
        name
        for module in (domain_errors, engine_errors)
        for name, thing in vars(module).items()
        if isinstance(thing, type) and issubclass(thing, domain_errors.LakeDropError)
    ]
    assert len(kinds) > 20
    unknown = [
        kind
        for kind in kinds
        if kind != "LakeDropError" and presenter.present_kind(kind, "").title == fault
    ]
    assert unknown == []


def test_an_error_keeps_the_engines_own_sentence() -> None:
    said = ErrorPresenter().present(domain_errors.LakeUnreachable("No route to lake.example."))
    assert "No route to lake.example." in said.text
    assert said.help in said.text


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [(0, "0 bytes"), (812, "812 bytes"), (1_000, "1.0 kB"), (9_100_000_000, "9.1 GB")],
)
def test_sizes_are_told_as_file_managers_do(size_bytes: int, text: str) -> None:
    assert Formats(QLocale("en_US")).size(size_bytes) == text


def test_numbers_follow_the_language() -> None:
    vietnamese = Formats(QLocale("vi_VN"))
    assert vietnamese.size(2_300_000_000) == "2,3 GB"
    assert vietnamese.number(20_518) == "20.518"


def test_percent_says_a_hundred_only_when_all_is_there() -> None:
    formats = Formats(QLocale("en_US"))
    assert formats.percent(0.9999) == "99 %"
    assert formats.percent(1.0) == "100 %"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.42, "0.4 s"), (1, "1.0 s"), (12.4, "12 s"), (185, "3 min 05 s"), (7_440, "2 h 04 min")],
)
def test_durations_are_short(seconds: float, text: str) -> None:
    assert Formats(QLocale("en_US")).duration(seconds) == text


@pytest.mark.parametrize("time_ms", [0, -1, 10**18])
def test_times_that_no_calendar_holds_are_left_out(time_ms: int) -> None:
    assert Formats(QLocale("en_US")).moment(time_ms) == ""


def test_times_that_make_no_sense_have_no_duration() -> None:
    formats = Formats(QLocale("en_US"))
    assert formats.took(0, 5) == ""
    assert formats.took(9, 5) == ""
    assert formats.took(1_000, 3_000) == "2.0 s"


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("báo cáo.csv", "báo cáo.csv"),
        ("a\u202egpj.exe", "a\\u202egpj.exe"),
        ("line\nbreak", "line\\nbreak"),
        ("odd\udcff", "odd\\udcff"),
    ],
)
def test_names_cannot_turn_a_line_around(name: str, safe: str) -> None:
    assert shown(name) == safe
