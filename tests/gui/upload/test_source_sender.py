"""Many dropped paths on their way: in pieces, in order, one read ahead, none after a refusal."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from app.domain.errors import LakeDropError, WrongUse
from app.ui.context import UiContext
from app.ui.engine_client import EngineLink
from app.ui.upload.source_sender import SourceSender
from tests.support.fake_engine import FakeEngine


class Pieces:
    """Handed out one by one; `read` counts how often somebody asked."""

    def __init__(self, *pieces: Sequence[str]) -> None:
        self._left = list(pieces)
        self.read = 0

    def __call__(self) -> Sequence[str]:
        self.read += 1
        return self._left.pop(0) if self._left else []


@pytest.fixture
def sender(context: UiContext) -> SourceSender:
    return SourceSender(context)


def _sent(engine: FakeEngine) -> list[tuple[int, list[str]]]:
    return [
        (args["job_id"], [path for path, _ in args["sources"]])
        for command, args in engine.requests
        if command == "add_sources"
    ]


def test_pieces_are_sent_in_order_and_the_end_is_told(
    sender: SourceSender, engine: FakeEngine, qtbot: QtBot
) -> None:
    engine.answers["add_sources"] = lambda _: {}

    with qtbot.waitSignal(sender.done) as done:
        sender.send(3, Pieces(["/a", "/b"], ["/c"], ["/d"]))

    assert done.args == [3]
    assert _sent(engine) == [(3, ["/a", "/b"]), (3, ["/c"]), (3, ["/d"])]
    assert engine.args_of("add_sources")["sources"] == [["/d", False]]


def test_the_next_piece_is_read_meanwhile_and_sent_after_the_answer(
    sender: SourceSender, engine: FakeEngine, link: EngineLink, qtbot: QtBot
) -> None:
    may_answer = threading.Event()

    def add(_: dict[str, Any]) -> dict[str, Any]:
        assert may_answer.wait(30)
        return {}

    engine.answers["add_sources"] = add
    pieces = Pieces(["/a"], ["/b"], ["/c"])

    with qtbot.waitSignal(sender.done):
        sender.send(3, pieces)
        qtbot.waitUntil(lambda: len(_sent(engine)) == 1 and pieces.read == 2)
        _let_everything_arrive(link, qtbot)
        assert _sent(engine) == [(3, ["/a"])]
        assert pieces.read == 2  # one ahead, and not the whole drop
        may_answer.set()

    assert [paths for _, paths in _sent(engine)] == [["/a"], ["/b"], ["/c"]]


def test_a_refusal_is_told_and_ends_it(
    sender: SourceSender, engine: FakeEngine, link: EngineLink, qtbot: QtBot
) -> None:
    def refuse_the_second(args: dict[str, Any]) -> dict[str, Any]:
        if args["sources"] == [["/b", False]]:
            raise WrongUse("Job 3 is uploading.")
        return {}

    engine.answers["add_sources"] = refuse_the_second
    ended: list[int] = []
    sender.done.connect(ended.append)

    with qtbot.waitSignal(sender.failed) as failed:
        sender.send(3, Pieces(["/a"], ["/b"], ["/c"]))

    assert failed.args is not None
    job_id, error = failed.args
    assert job_id == 3
    assert isinstance(error, LakeDropError)
    assert error.message == "Job 3 is uploading."
    _let_everything_arrive(link, qtbot)
    assert [paths for _, paths in _sent(engine)] == [["/a"], ["/b"]]
    assert ended == []


def test_nothing_to_send_is_at_its_end_at_once(
    sender: SourceSender, engine: FakeEngine, qtbot: QtBot
) -> None:
    with qtbot.waitSignal(sender.done) as done:
        sender.send(3, Pieces())

    assert done.args == [3]
    assert _sent(engine) == []


def test_two_drops_go_side_by_side(sender: SourceSender, engine: FakeEngine, qtbot: QtBot) -> None:
    engine.answers["add_sources"] = lambda _: {}
    ended: list[int] = []
    sender.done.connect(ended.append)

    sender.send(3, Pieces(["/a"], ["/b"]))
    sender.send(4, Pieces(["/x"], ["/y"]))

    qtbot.waitUntil(lambda: sorted(ended) == [3, 4])
    assert [paths for job_id, paths in _sent(engine) if job_id == 3] == [["/a"], ["/b"]]
    assert [paths for job_id, paths in _sent(engine) if job_id == 4] == [["/x"], ["/y"]]


def _let_everything_arrive(link: EngineLink, qtbot: QtBot) -> None:
    """A round trip on the same ways: what was to come before it has come."""
    arrived: list[int] = []
    link.in_background(lambda: 0, lambda _: link.ask("connections", lambda _: arrived.append(1)))
    qtbot.waitUntil(lambda: bool(arrived))
