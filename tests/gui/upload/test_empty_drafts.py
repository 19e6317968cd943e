"""Empty drafts: one is enough, it goes where it is wanted, and none outlives the window."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from app.domain.errors import ConnectionNotUsable
from app.domain.upload_job import JobState
from app.ui.context import UiContext
from app.ui.main_window import MainWindow
from embedded_server.contract import SyncType
from tests.support.fake_engine import FakeEngine, snapshot


class Engine:
    """Makes, edits and removes drafts as the real one does."""

    def __init__(self, engine: FakeEngine) -> None:
        self.fake = engine
        self.gone_connections: set[str] = set()
        engine.answers["add_job"] = self._add
        engine.answers["edit_job"] = self._edit
        engine.answers["remove_job"] = self._remove

    @property
    def drafts(self) -> list[int]:
        return sorted(self.fake.jobs)

    def _add(self, args: dict[str, Any]) -> dict[str, Any]:
        connection = args["connection"]["name"]
        if connection in self.gone_connections:
            raise ConnectionNotUsable("There is no such connection.")
        job_id = max(self.fake.jobs, default=0) + 1
        self.fake.show(
            snapshot(
                job_id=job_id,
                name="a default name",
                connection=connection,
                destination=args["destination"],
                files=len(args["sources"]),
                bytes=0,
                kept=True,
            )
        )
        return {"job_id": job_id}

    def _edit(self, args: dict[str, Any]) -> dict[str, Any]:
        job = replace(self.fake.jobs[args["job_id"]], connection=args["connection"]["name"])
        self.fake.show(job)
        return job.to_wire()

    def _remove(self, args: dict[str, Any]) -> dict[str, Any]:
        self.fake.forget(args["job_id"])
        return {}


@pytest.fixture
def drafts(engine: FakeEngine) -> Engine:
    return Engine(engine)


@pytest.fixture
def window(context: UiContext, drafts: Engine, qtbot: QtBot) -> MainWindow:
    def do_not_ask(window: MainWindow) -> None:
        window._may_close = True  # nobody is there any more who could answer

    window = MainWindow(context)
    qtbot.addWidget(window, before_close_func=do_not_ask)
    window.show()
    qtbot.waitExposed(window)
    return window


def _press_new(window: MainWindow) -> None:
    button = window._upload.jobs.findChild(QPushButton, "upload.newJob")
    assert button is not None
    button.click()


def _chosen(window: MainWindow) -> int:
    return window._upload.jobs._job_id


def _made(window: MainWindow, drafts: Engine, qtbot: QtBot, job_id: int) -> None:
    qtbot.waitUntil(lambda: _chosen(window) == job_id)
    qtbot.waitUntil(lambda: job_id in window._upload.untouched_drafts)


def test_a_second_new_upload_takes_the_empty_draft_that_is_there(
    window: MainWindow, drafts: Engine, qtbot: QtBot
) -> None:
    drafts.fake.show(snapshot(JobState.FINISHED, job_id=1))
    qtbot.waitUntil(lambda: _chosen(window) == 1)
    _press_new(window)
    _made(window, drafts, qtbot, 2)
    window._upload.jobs.choose_job(1)
    assert _chosen(window) == 1

    _press_new(window)

    qtbot.waitUntil(lambda: _chosen(window) == 2)
    assert drafts.fake.commands().count("add_job") == 1


TOUCHES: dict[str, dict[str, Any]] = {
    "a name": {"name": "mine"},
    "a destination": {"destination": "/data/mine"},
    "a mode": {"mode": SyncType.FULL},
    "a connection": {"connection": "prod"},
    "contents only": {"contents_only": True},
    "a file": {"files": 1},
    "left out": {"files_left_out": 1},
    "being looked at": {"intake_done": False},
    "started": {"state": JobState.QUEUED},
}


@pytest.mark.parametrize("touch", TOUCHES)
def test_a_draft_that_somebody_touched_is_no_longer_empty(
    window: MainWindow, drafts: Engine, qtbot: QtBot, touch: str
) -> None:
    _press_new(window)
    _made(window, drafts, qtbot, 1)
    drafts.fake.show(replace(drafts.fake.jobs[1], **TOUCHES[touch]))
    qtbot.waitUntil(lambda: window._upload.untouched_drafts == [])

    _press_new(window)

    _made(window, drafts, qtbot, 2)
    assert drafts.drafts == [1, 2]


def test_a_draft_that_files_are_on_their_way_to_is_no_longer_empty(
    window: MainWindow, drafts: Engine, qtbot: QtBot
) -> None:
    may_answer = threading.Event()

    def slowly(_: dict[str, Any]) -> dict[str, Any]:
        may_answer.wait(10)
        return {}

    drafts.fake.answers["add_sources"] = slowly
    _press_new(window)
    _made(window, drafts, qtbot, 1)
    window._upload.jobs._drafts.add(window._context.link.jobs[1], lambda: ["/data/a.csv"])
    qtbot.waitUntil(lambda: "add_sources" in drafts.fake.commands())

    assert window._upload.untouched_drafts == []
    may_answer.set()


def test_a_connection_used_for_a_new_upload_gets_the_draft_and_the_upload_page(
    window: MainWindow, context: UiContext, drafts: Engine, qtbot: QtBot
) -> None:
    window.go_to(3)
    context.navigator.new_upload.emit("prod")
    _made(window, drafts, qtbot, 1)
    assert window._stack.currentWidget() is window._upload
    assert drafts.fake.jobs[1].connection == "prod"

    context.navigator.new_upload.emit("other")  # the same draft, going elsewhere
    qtbot.waitUntil(lambda: context.link.jobs[1].connection == "other")
    _made(window, drafts, qtbot, 1)
    context.navigator.new_upload.emit("other")
    assert drafts.fake.commands().count("edit_job") == 1
    assert drafts.drafts == [1]


def test_a_new_upload_like_one_whose_connection_is_gone_goes_to_the_local_lake(
    window: MainWindow, drafts: Engine, qtbot: QtBot
) -> None:
    drafts.gone_connections.add("gone")
    drafts.fake.show(snapshot(JobState.FINISHED, job_id=1, connection="gone"))
    qtbot.waitUntil(lambda: _chosen(window) == 1)
    _press_new(window)
    _made(window, drafts, qtbot, 2)
    assert drafts.fake.jobs[2].connection == "local"


def test_untouched_empty_drafts_go_with_the_window_and_others_stay(
    window: MainWindow, drafts: Engine, qtbot: QtBot
) -> None:
    drafts.fake.show(snapshot(job_id=1, files=0, bytes=0))  # of an earlier window: whose, and why?
    _press_new(window)
    _made(window, drafts, qtbot, 2)
    drafts.fake.show(replace(drafts.fake.jobs[2], name="mine"))
    qtbot.waitUntil(lambda: window._upload.untouched_drafts == [])
    _press_new(window)
    _made(window, drafts, qtbot, 3)

    window.close()

    qtbot.waitUntil(lambda: not window.isVisible())
    assert drafts.drafts == [1, 2]


def test_an_engine_that_does_not_answer_does_not_keep_the_window_open(
    window: MainWindow, drafts: Engine, qtbot: QtBot
) -> None:
    never = threading.Event()

    def wait(_: dict[str, Any]) -> dict[str, Any]:
        never.wait(10)
        return {}

    drafts.fake.answers["remove_job"] = wait
    _press_new(window)
    _made(window, drafts, qtbot, 1)
    window.close()
    qtbot.waitUntil(lambda: not window.isVisible())
    never.set()


@pytest.mark.parametrize("refuses", [False, True])
def test_pause_and_close_drops_them_too(
    window: MainWindow, drafts: Engine, qtbot: QtBot, refuses: bool
) -> None:
    _press_new(window)
    _made(window, drafts, qtbot, 1)
    drafts.fake.show(snapshot(JobState.UPLOADING, job_id=2))
    qtbot.waitUntil(lambda: 2 in window._context.link.jobs)
    answers: dict[bool, Callable[[dict[str, Any]], dict[str, Any]]] = {
        False: lambda _: {},
        True: _refuse,
    }
    drafts.fake.answers["pause_job"] = answers[refuses]

    def press_pause() -> None:
        dialog = QApplication.activeModalWidget()
        pause = dialog.findChild(QPushButton, "close.pause") if dialog else None
        if pause is None:
            QTimer.singleShot(10, press_pause)
        else:
            pause.click()

    press_pause()
    window.close()

    qtbot.waitUntil(lambda: not window.isVisible())
    assert drafts.fake.args_of("pause_job") == {"job_id": 2}
    assert drafts.drafts == [2]


def _refuse(_: dict[str, Any]) -> dict[str, Any]:
    raise ConnectionNotUsable("It is just ending.")
