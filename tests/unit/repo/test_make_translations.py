"""`make translations` keeps what is translated, adds what is new and drops what is gone."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

import make_translations

# Qt's tools need the libraries that Qt itself does.
QtCore = pytest.importorskip("PySide6.QtCore", exc_type=ImportError)

SOURCE = """
class Greeter(QObject):
    def texts(self):
        return [self.tr("Good day"), self.tr("%n guest(s)", "", 2), self.tr("Good bye")]
"""


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    folder = tmp_path / "some sources"
    folder.mkdir()
    (folder / "greeter.py").write_text(SOURCE, encoding="utf-8")
    return folder


@pytest.fixture
def translations(tmp_path: Path) -> Path:
    folder = tmp_path / "bản dịch"
    folder.mkdir()
    return folder


def texts(translations: Path, language: str) -> list[str]:
    """The source texts of a language's .ts."""
    root = ET.parse(translations / f"lakedrop_{language}.ts").getroot()
    return [message.findtext("source", "") for message in root.iter("message")]


def translate(translations: Path, source: str, translation: str) -> None:
    """What a translator does in Qt Linguist."""
    file = translations / "lakedrop_vi.ts"
    tree = ET.parse(file)
    for message in tree.iter("message"):
        if message.findtext("source") == source:
            place = message.find("translation")
            assert place is not None
            place.attrib.clear()
            place.text = translation
    tree.write(file, encoding="utf-8", xml_declaration=True)


def test_vietnamese_gets_every_text_and_english_its_plurals(
    sources: Path, translations: Path
) -> None:
    make_translations.update(translations, sources)
    assert texts(translations, "vi") == ["%n guest(s)", "Good bye", "Good day"]
    assert texts(translations, "en") == ["%n guest(s)"]


def test_what_is_translated_stays_while_texts_come_and_go(
    sources: Path, translations: Path
) -> None:
    make_translations.update(translations, sources)
    translate(translations, "Good bye", "Tạm biệt")
    translate(translations, "Good day", "Xin chào")
    changed = SOURCE.replace("Good day", "Good morning")
    (sources / "greeter.py").write_text(f"\n\n{changed}", encoding="utf-8")
    make_translations.update(translations, sources)
    assert texts(translations, "vi") == ["%n guest(s)", "Good bye", "Good morning"]
    make_translations.release(translations, translations)
    translator = QtCore.QTranslator()
    assert translator.load(str(translations / "lakedrop_vi.qm"))
    assert translator.translate("Greeter", "Good bye") == "Tạm biệt"


def test_a_moved_line_changes_no_file(sources: Path, translations: Path) -> None:
    make_translations.update(translations, sources)
    before = (translations / "lakedrop_vi.ts").read_bytes()
    (sources / "greeter.py").write_text(f"import sys\n\n{SOURCE}", encoding="utf-8")
    make_translations.update(translations, sources)
    assert (translations / "lakedrop_vi.ts").read_bytes() == before


def test_the_committed_qm_files_are_what_lrelease_makes_of_the_ts_files(tmp_path: Path) -> None:
    committed = make_translations.TRANSLATIONS
    make_translations.release(committed, tmp_path)
    made = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    assert made == {file.name: file.read_bytes() for file in committed.glob("*.qm")}
