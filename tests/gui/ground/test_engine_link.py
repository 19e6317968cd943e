"""The crossing between window and engine: what was asked is answered once, in the right thread."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QObject
from pytestqt.qtbot import QtBot

from app.domain import sentences
from app.domain.errors import LakeDropError, WrongUse
from app.domain.upload_job import JobState
from app.link.engine_client import EngineClient
from app.link.engine_errors import EngineGone, EngineNotStarted
from app.ui.engine_client import EngineLink, LinkState
from tests.support.fake_engine import FakeEngine, snapshot


def test_an_answer_comes_on_the_windows_own_thread(
    engine: FakeEngine, link: EngineLink, qtbot: QtBot
) -> None:
    engine.answers["lake"] = lambda _: {"files": "/lake/files"}
    heard: list[tuple[object, int]] = []

    link.ask("lake", lambda result: heard.append((result["files"], threading.get_ident())))

    qtbot.waitUntil(lambda: len(heard) == 1)
    assert heard == [("/lake/files", threading.get_ident())]


def test_an_error_goes_to_who_asked_and_else_to_everybody(
    engine: FakeEngine, link: EngineLink, qtbot: QtBot
) -> None:
    def refuse(_: dict[str, Any]) -> dict[str, Any]:
        raise WrongUse("not now")

    engine.answers["start_job"] = refuse
    own: list[LakeDropError] = []
    common: list[LakeDropError] = []
    link.failed.connect(common.append)

    link.ask("start_job", on_error=own.append, job_id=1)
    qtbot.waitUntil(lambda: len(own) == 1)
    assert not common

    link.ask("start_job", job_id=1)
    qtbot.waitUntil(lambda: len(common) == 1)
    assert common[0].message == "not now"
    assert len(own) == 1


def test_an_answer_for_a_widget_that_is_gone_is_dropped(
    engine: FakeEngine, link: EngineLink, qtbot: QtBot
) -> None:
    may_answer = threading.Event()

    def slowly(_: dict[str, Any]) -> dict[str, Any]:
        may_answer.wait(10)
        return {}

    engine.answers["lake"] = slowly
    engine.answers["hello"] = lambda _: {}
    owner = QObject()
    heard: list[str] = []
    link.ask("lake", lambda _: heard.append("gone"), owner=owner)
    qtbot.waitUntil(lambda: "lake" in engine.commands())
    owner.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)

    may_answer.set()
    link.ask("hello", lambda _: heard.append("here"))

    qtbot.waitUntil(lambda: "here" in heard)
    qtbot.wait(50)  # the other answer is on its way too
    assert heard == ["here"]


def test_what_is_asked_before_the_engine_is_ready_waits_for_it(
    engine: FakeEngine, qtbot: QtBot
) -> None:
    engine.answers["lake"] = lambda _: {"files": "/lake"}
    link = EngineLink(engine.client)
    heard: list[object] = []
    link.ask("lake", lambda result: heard.append(result["files"]))
    assert engine.commands() == []

    link.open()

    qtbot.waitUntil(lambda: heard == ["/lake"])
    link.close()


def test_jobs_are_known_changed_and_gone(
    engine: FakeEngine, link: EngineLink, qtbot: QtBot
) -> None:
    gone: set[int] = set()
    link.jobs_gone.connect(gone.update)
    engine.show(snapshot(job_id=1), snapshot(job_id=2))
    qtbot.waitUntil(lambda: set(link.jobs) == {1, 2})

    engine.show(snapshot(JobState.UPLOADING, job_id=2, bytes_sent=7))
    qtbot.waitUntil(lambda: link.jobs[2].bytes_sent == 7)

    engine.forget(1)
    qtbot.waitUntil(lambda: set(link.jobs) == {2})
    assert gone == {1}


def test_a_flood_of_news_is_told_in_few_batches_and_the_newest_wins(
    engine: FakeEngine, link: EngineLink, qtbot: QtBot
) -> None:
    batches: list[set[int]] = []
    link.jobs_changed.connect(batches.append)

    for sent in range(1, 2_001):
        engine.show(snapshot(JobState.UPLOADING, job_id=1, bytes_sent=sent))

    qtbot.waitUntil(lambda: 1 in link.jobs and link.jobs[1].bytes_sent == 2_000)
    assert len(batches) < 1_500


def test_an_engine_that_went_away_is_told_and_attached_to_again(
    engine: FakeEngine, link: EngineLink, qtbot: QtBot
) -> None:
    engine.show(snapshot(job_id=1), snapshot(job_id=2))
    qtbot.waitUntil(lambda: set(link.jobs) == {1, 2})
    states: list[tuple[LinkState, LakeDropError | None]] = []
    link.state_changed.connect(lambda: states.append((link.state, link.trouble)))
    engine.jobs.pop(1)  # what was removed while nobody listened is gone, too

    engine.drop_screens()

    qtbot.waitUntil(lambda: len(states) >= 2 and link.state is LinkState.READY)
    assert states[0][0] is LinkState.LOST
    assert isinstance(states[0][1], EngineGone)
    qtbot.waitUntil(lambda: set(link.jobs) == {2})


def test_what_was_under_way_when_the_engine_died_is_told_as_an_error(
    engine: FakeEngine, link: EngineLink, qtbot: QtBot
) -> None:
    never = threading.Event()

    def wait(_: dict[str, Any]) -> dict[str, Any]:
        never.wait(10)
        return {}

    engine.answers["lake"] = wait
    errors: list[LakeDropError] = []
    link.ask("lake", on_error=errors.append)
    qtbot.waitUntil(lambda: "lake" in engine.commands())

    engine.drop_screens()

    qtbot.waitUntil(lambda: len(errors) == 1)
    assert isinstance(errors[0], EngineGone)
    never.set()


@pytest.fixture
def refused(engine: FakeEngine) -> Iterator[tuple[EngineLink, list[int]]]:
    """A link whose engine does not start the first two times."""
    tries: list[int] = []

    def attach() -> EngineClient:
        tries.append(1)
        if len(tries) < 3:
            raise EngineNotStarted("no memory")
        return engine.client()

    link = EngineLink(attach)
    yield link, tries
    link.close()


def test_an_engine_that_does_not_start_is_tried_again(
    refused: tuple[EngineLink, list[int]], qtbot: QtBot
) -> None:
    link, tries = refused
    told: list[LakeDropError | None] = []
    link.state_changed.connect(lambda: told.append(link.trouble))

    link.open()

    qtbot.waitUntil(lambda: link.state is LinkState.READY)
    assert len(tries) == 3
    assert [trouble.message for trouble in told if trouble] == ["no memory", "no memory"]


def test_background_work_runs_elsewhere_and_its_result_comes_here(
    link: EngineLink, qtbot: QtBot
) -> None:
    heard: list[tuple[int, int]] = []

    link.in_background(
        threading.get_ident, lambda made: heard.append((made, threading.get_ident()))
    )

    qtbot.waitUntil(lambda: len(heard) == 1)
    worked_on, told_on = heard[0]
    assert worked_on != told_on == threading.get_ident()


def test_one_callback_that_fails_holds_up_no_other(
    engine: FakeEngine, link: EngineLink, qtbot: QtBot
) -> None:
    heard: list[str] = []

    def fail() -> None:
        raise RuntimeError("a fault of the page")

    with qtbot.captureExceptions() as faults:
        with link._lock:  # both wait when the window looks, and no other news comes
            link._inbox.append(fail)
            link._inbox.append(lambda: heard.append("the next"))
        link._tell_news()
        qtbot.waitUntil(lambda: heard == ["the next"])
    assert [str(fault[1]) for fault in faults] == ["a fault of the page"]


@pytest.mark.parametrize("closes", ["while it attaches", "before the window took it"])
def test_an_engine_that_was_attached_while_the_window_closes_is_left(
    engine: FakeEngine, qtbot: QtBot, closes: str
) -> None:
    may_attach, attached = threading.Event(), threading.Event()
    clients: list[EngineClient] = []

    def attach() -> EngineClient:
        if closes == "while it attaches":
            may_attach.wait(10)
        clients.append(engine.client())
        attached.set()
        return clients[0]

    link = EngineLink(attach)
    link.open()
    if closes == "while it attaches":
        link.close()
        may_attach.set()
        assert attached.wait(10)
    else:
        while not link._inbox:  # no event is processed here, so the window has not seen it
            attached.wait(0.01)
        link.close()

    qtbot.waitUntil(lambda: not engine._open)  # the engine has seen it leave


def test_what_an_engine_wants_to_be_told_is_told_once(tmp_path: Path, qtbot: QtBot) -> None:
    words = sentences.QUEUE_SET_ASIDE(file="/home/lan/journal.db.damaged-1")
    heard: list[LakeDropError] = []
    with FakeEngine(tmp_path / "engine.json", notice=words) as engine:
        link = EngineLink(engine.client)
        link.failed.connect(heard.append)
        link.open()
        qtbot.waitUntil(lambda: len(heard) == 1)
        assert (heard[0].kind, heard[0].message) == ("JournalSetAside", words)

        with qtbot.waitSignals([link.state_changed, link.state_changed]):  # lost, and found again
            engine.drop_screens()
        assert link.state is LinkState.READY
        assert len(heard) == 1
        link.close()
