"""The window speaks Vietnamese wholly: every text is translated, with its numbers and names."""

from __future__ import annotations

import re
import shutil
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

import make_translations

# Runs Qt's tool, which needs the libraries that Qt itself does.
pytest.importorskip("PySide6.QtCore", exc_type=ImportError)

COMMITTED = make_translations.TRANSLATIONS
PLACES = re.compile(r"%n|%\d+|\{\w*\}")
LANGUAGES = pytest.mark.parametrize("language", make_translations.LANGUAGES)


def messages(folder: Path, language: str) -> Iterator[tuple[tuple[str, str, str], ET.Element]]:
    """Each message, with what tells it from all others: context, source text, comment."""
    root = ET.parse(folder / f"lakedrop_{language}.ts").getroot()
    for context in root.iter("context"):
        name = context.findtext("name", "")
        for message in context.iter("message"):
            yield (name, message.findtext("source", ""), message.findtext("comment", "")), message


def keys(folder: Path, language: str) -> set[tuple[str, str, str]]:
    return {key for key, _ in messages(folder, language)}


def forms(message: ET.Element) -> list[str]:
    """The translation; where it depends on a number, all its forms. Empty: not yet translated."""
    translation = message.find("translation")
    if translation is None or translation.get("type") is not None:
        return [""]
    return [form.text or "" for form in translation.iter("numerusform")] or [translation.text or ""]


@LANGUAGES
def test_the_files_hold_exactly_the_texts_of_the_window(tmp_path: Path, language: str) -> None:
    for file in COMMITTED.glob("*.ts"):
        shutil.copy(file, tmp_path)
    make_translations.update(tmp_path)
    wanted, there = keys(tmp_path, language), keys(COMMITTED, language)
    assert (wanted - there, there - wanted) == (set(), set()), "run `make translations`"


@LANGUAGES
def test_every_text_is_translated(language: str) -> None:
    missing = [key for key, message in messages(COMMITTED, language) if not all(forms(message))]
    assert missing == []


@LANGUAGES
def test_a_translation_keeps_every_number_and_name_of_its_text(language: str) -> None:
    """The number itself (`%n`) may be left out of one form: "a file" instead of "1 file"."""
    differing = []
    for key, message in messages(COMMITTED, language):
        wanted = Counter(PLACES.findall(key[1]))
        for form in filter(None, forms(message)):
            found = Counter(PLACES.findall(form))
            if message.get("numerus") == "yes":
                wanted["%n"] = found["%n"] = 0
            if +found != +wanted:
                differing.append((key, form))
    assert differing == []
