"""What the engine says, whole in the window's language; what a server said stays as it is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QLocale
from PySide6.QtWidgets import QApplication

from app.composition import resources_folder
from app.domain import sentences
from app.domain.connections import no_key, no_keyring
from app.domain.errors import LakeUnreachable
from app.domain.sentences import ALL, Sentence
from app.ui.application import speak
from app.ui.error_presenter import ErrorPresenter
from app.ui.sentences import Sentences


@pytest.fixture(params=["en", "vi"])
def language(qapp: QApplication, request: pytest.FixtureRequest) -> Iterator[str]:
    translator = speak(qapp, resources_folder(), request.param)
    yield request.param
    qapp.removeTranslator(translator)
    QLocale.setDefault(QLocale("en_US"))


def _filled(sentence: Sentence) -> str:
    """Gaps with words that no other sentence and no table of words knows."""
    return sentence(**{gap: f"<{gap} 42>" for gap in sentence.gaps})


@pytest.mark.parametrize("sentence", ALL, ids=lambda sentence: sentence.template[:40])
def test_every_sentence_is_found_again_and_said_whole(language: str, sentence: Sentence) -> None:
    text = _filled(sentence)
    assert sentence.gaps_in(text) == {gap: f"<{gap} 42>" for gap in sentence.gaps}
    said = Sentences().said(text)
    for gap in sentence.gaps - {"files"}:
        assert f"<{gap} 42>" in said
    if language == "vi":
        assert said != text
        rest = said
        for gap in sentence.gaps:
            rest = rest.replace(f"<{gap} 42>", "")
        english = [piece for piece in sentence.template.replace("{", "}").split("}")[::2] if piece]
        assert not any(piece.strip(" .:") in rest for piece in english if len(piece) > 20)
    elif "files" not in sentence.gaps:
        assert said == text


def test_there_are_sentences_for_what_is_met_most() -> None:
    assert len(ALL) > 40
    assert set(Sentences().table) == set(ALL)


def test_sentences_in_sentences_are_said_as_well(qapp: QApplication) -> None:
    translator = speak(qapp, resources_folder(), "vi")
    try:
        refused = sentences.REFUSED(
            host=sentences.THROUGH_PROXY(host="lake.example.com", proxy="proxy.example.com")
        )
        said = Sentences().said(sentences.FILES_WAIT(what=refused))
        assert "lake.example.com" in said
        assert "ủy nhiệm proxy.example.com" in said
        assert not {"refused", "through", "wait"} & set(said.replace(".", "").split())
        full = sentences.SAYS(host="h", words="quota exceeded: 3 GB", status=507)
        said = Sentences().said(sentences.MAKE_ROOM(what=full))
        assert "“quota exceeded: 3 GB”" in said  # the server's own words, quoted
        assert "says" not in said
        assert "GNOME Keyring" in Sentences().said(no_keyring().message)
        assert "command line" not in Sentences().said(no_keyring().message)
        assert "There is no" not in Sentences().said(no_key("prod").message)
        gone = sentences.CANNOT_READ(reason="no such file or directory")
        assert "no such" not in Sentences().said(gone)
        assert "The file" not in Sentences().said(gone)  # which another sentence has in a gap
        assert "3" in Sentences().said(sentences.SOME_MISSING(files="3 files", planned="20,518"))
    finally:
        qapp.removeTranslator(translator)
        QLocale.setDefault(QLocale("en_US"))


@pytest.mark.parametrize("text", ["", "a server's own words", "{host}", "100 % {0} {what} %n"])
def test_other_words_stay_as_they_are(language: str, text: str) -> None:
    assert Sentences().said(text) == text


def test_what_a_server_says_cannot_pass_for_a_gap(language: str) -> None:
    said = Sentences().said(sentences.SAYS(host="h", words="{host} {0} %1 {words}", status=400))
    assert "{host} {0} %1 {words}" in said


def test_errors_are_presented_by_their_sentences(qapp: QApplication) -> None:
    translator = speak(qapp, resources_folder(), "vi")
    try:
        told = ErrorPresenter().present(LakeUnreachable(sentences.CUT(host="lake.example.com")))
        assert told.detail == "Kết nối tới lake.example.com bị cắt."
    finally:
        qapp.removeTranslator(translator)
        QLocale.setDefault(QLocale("en_US"))
