"""A screen that never waits: requests with a call back, and news of all jobs."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.domain.errors import ConnectionNotUsable, LakeDropError, WrongUse
from app.domain.snapshots import JobSnapshot
from app.domain.upload_job import JobState
from app.link.engine_client import Answer, EngineClient
from app.link.engine_errors import EngineGone
from app.link.outbox import Outbox
from app.link.protocol import decode
from tests.support.fake_engine import FakeEngine, snapshot

WITHIN_S = 10.0


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[FakeEngine]:
    with FakeEngine(tmp_path / "engine.json") as engine:
        yield engine


@pytest.fixture
def client(engine: FakeEngine) -> Iterator[EngineClient]:
    with engine.client() as client:
        client.request("hello")  # the engine knows this screen from here on
        yield client


class Mailbox:
    """What a listener was told, in order."""

    def __init__(self) -> None:
        self._came: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def put(self, *told: Any) -> None:
        self._came.put(told[0] if len(told) == 1 else told)

    def next(self) -> Any:
        return self._came.get(timeout=WITHIN_S)

    @property
    def is_empty(self) -> bool:
        return self._came.empty()


class Listener:
    """Keeps what `watch_jobs` tells."""

    def __init__(self) -> None:
        self.news, self.losses = Mailbox(), Mailbox()

    def changed(self) -> dict[int, JobState]:
        changed, removed = self.news.next()
        assert removed == []
        return {job_id: job.state for job_id, job in changed.items()}


@pytest.fixture
def listener(engine: FakeEngine, client: EngineClient) -> Listener:
    """Attached; has taken the first news, of jobs 1 and 2."""
    engine.show(snapshot(), snapshot(JobState.UPLOADING, job_id=2))
    listener = Listener()
    client.watch_jobs(listener.news.put, listener.losses.put)
    assert listener.changed() == {1: JobState.DRAFT, 2: JobState.UPLOADING}
    return listener


def wait_until_nobody_reads() -> None:
    """After that no listener is told anything more."""
    for thread in threading.enumerate():
        if thread.name == "engine-reader":
            thread.join(WITHIN_S)
            assert not thread.is_alive()


def refuse(_: dict[str, Any]) -> dict[str, Any]:
    raise ConnectionNotUsable("no such connection")


def test_a_posted_request_brings_its_result_or_its_error(
    engine: FakeEngine, client: EngineClient
) -> None:
    engine.answers |= {"save_connection": lambda args: {"got": args}, "lake": refuse}
    box = Mailbox()
    client.post("save_connection", box.put, name="prod", command="an argument of any name")
    assert box.next() == Answer(
        {"got": {"name": "prod", "command": "an argument of any name"}}, None
    )
    client.post("lake", box.put)
    answer = box.next()
    assert answer.result is None
    assert isinstance(answer.error, ConnectionNotUsable)
    assert answer.error.message == "no such connection"


def test_who_posts_is_not_held_up_by_a_socket_that_takes_nothing() -> None:
    takes, frames = threading.Event(), Mailbox()

    def send(frame: bytes) -> None:
        assert takes.wait(WITHIN_S)
        frames.put(decode(frame)["id"])

    outbox = Outbox(send)
    for number in range(50):
        outbox.post(number, "add_sources", {"sources": ["/a"]}, lambda _: None)
    assert frames.is_empty
    takes.set()
    assert [frames.next() for _ in range(50)] == list(range(50))  # in their order
    outbox.end(EngineGone("the test is over"))


def test_a_death_of_the_engine_answers_all_that_was_posted_once(
    engine: FakeEngine, client: EngineClient
) -> None:
    arrived, never, box = threading.Event(), threading.Event(), Mailbox()

    def hang(_: dict[str, Any]) -> dict[str, Any]:
        arrived.set()
        never.wait(WITHIN_S)
        return {}

    engine.answers["hang"] = hang
    for _ in range(3):
        client.post("hang", box.put)
    assert arrived.wait(WITHIN_S)
    engine.drop_screens()
    assert [type(box.next().error) for _ in range(3)] == [EngineGone] * 3
    never.set()
    client.post("hello", box.put)  # also what is posted to an engine that is gone
    assert type(box.next().error) is EngineGone
    assert box.is_empty


def test_what_was_answered_is_not_told_of_the_end(client: EngineClient) -> None:
    box = Mailbox()
    client.post("hello", box.put)
    assert box.next().error is None
    client.close()
    wait_until_nobody_reads()
    assert box.is_empty


def test_closing_answers_what_waits(engine: FakeEngine, client: EngineClient) -> None:
    never, box = threading.Event(), Mailbox()
    engine.answers["hang"] = lambda _: {"": never.wait(WITHIN_S)}
    client.post("hang", box.put)
    client.close()
    assert type(box.next().error) is EngineGone
    never.set()


def test_what_cannot_be_sent_is_told_and_harms_no_other(client: EngineClient) -> None:
    box = Mailbox()
    client.post("hello", box.put, odd=object())
    assert type(box.next().error) is WrongUse
    client.post("hello", box.put)
    assert box.next().error is None


def test_a_listener_s_own_fault_harms_no_other(
    engine: FakeEngine, client: EngineClient, caplog: pytest.LogCaptureFixture
) -> None:
    box = Mailbox()

    def fail(*_: object) -> None:
        raise RuntimeError("a fault of the screen")

    client.watch_jobs(fail, fail)
    client.post("hello", fail)
    client.post("hello", box.put)
    assert box.next().error is None
    assert client.request("hello")["version"] == "0"
    assert "a listener failed" in caplog.text


def test_all_jobs_come_first_and_then_what_happens_to_them(
    engine: FakeEngine, listener: Listener
) -> None:
    engine.show(snapshot(JobState.QUEUED))
    assert listener.changed() == {1: JobState.QUEUED}
    engine.show(snapshot(job_id=3))
    assert listener.changed() == {3: JobState.DRAFT}
    engine.forget(1, 2)
    assert listener.news.next() == ({}, [1, 2])


def test_news_from_before_the_answer_are_left_out(engine: FakeEngine, client: EngineClient) -> None:
    def late(_: dict[str, Any]) -> dict[str, Any]:
        engine.push(snapshot(JobState.UPLOADING))
        engine.push({"event": "gone", "job_ids": [1]})
        return {"jobs": [snapshot(JobState.FINISHED).to_wire()]}

    engine.answers["watch_jobs"] = late
    listener = Listener()
    client.watch_jobs(listener.news.put, listener.losses.put)
    assert listener.changed() == {1: JobState.FINISHED}


def test_one_event_is_read_once_and_reaches_both_kinds_of_watcher(
    engine: FakeEngine,
    client: EngineClient,
    listener: Listener,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine.answers["watch"] = lambda _: snapshot().to_wire()
    watch = client.watch(1)
    read: list[int] = []
    from_wire = JobSnapshot.from_wire

    def counted(wire: dict[str, Any]) -> JobSnapshot:
        read.append(wire["job_id"])
        return from_wire(wire)

    monkeypatch.setattr(JobSnapshot, "from_wire", counted)
    engine.show(snapshot(JobState.QUEUED), snapshot(JobState.PAUSED, job_id=2))
    assert listener.changed() == {1: JobState.QUEUED}
    assert listener.changed() == {2: JobState.PAUSED}
    assert watch.wait(WITHIN_S)
    assert watch.now.state is JobState.QUEUED
    assert read == [1, 2]
    assert client.next_change(2, timeout_s=0) is None  # nobody watches it this way


def test_a_slow_listener_holds_back_the_reader_and_loses_nothing(
    engine: FakeEngine, client: EngineClient
) -> None:
    is_held, go_on, seen = threading.Event(), threading.Event(), Mailbox()

    def slow(changed: dict[int, JobSnapshot], _: list[int]) -> None:
        is_held.set()
        assert go_on.wait(WITHIN_S)
        seen.put([job.bytes_sent for job in changed.values()])

    client.watch_jobs(slow, lambda _: None)
    assert is_held.wait(WITHIN_S)
    for sent in range(1, 6):
        engine.show(snapshot(JobState.UPLOADING, bytes_sent=sent))
    go_on.set()
    assert [seen.next() for _ in range(6)] == [[], [1], [2], [3], [4], [5]]


@pytest.mark.parametrize("end", ["death", "close", "nonsense"])
def test_the_end_of_the_connection_is_told_once(
    engine: FakeEngine, client: EngineClient, listener: Listener, end: str
) -> None:
    if end == "death":
        engine.drop_screens()
    elif end == "close":
        client.close()
    else:
        engine.send_raw(b'{"event":"gone"}')
    assert isinstance(listener.losses.next(), EngineGone)
    box = Mailbox()
    client.post("hello", box.put)
    assert type(box.next().error) is EngineGone
    wait_until_nobody_reads()
    assert listener.losses.is_empty


@pytest.mark.parametrize("answer", [refuse, lambda _: {"jobs": [{"job_id": 1}]}])
def test_an_engine_that_does_not_tell_its_jobs_is_told_once(
    engine: FakeEngine, client: EngineClient, answer: Any
) -> None:
    engine.answers["watch_jobs"] = answer
    listener = Listener()
    client.watch_jobs(listener.news.put, listener.losses.put)
    assert isinstance(listener.losses.next(), LakeDropError)
    engine.show(snapshot())
    client.request("hello")
    client.close()
    wait_until_nobody_reads()
    assert listener.news.is_empty
    assert listener.losses.is_empty


def test_jobs_are_watched_once(client: EngineClient, listener: Listener) -> None:
    with pytest.raises(WrongUse):
        client.watch_jobs(listener.news.put, listener.losses.put)


def test_jobs_watched_on_an_engine_that_is_gone_are_lost_at_once(client: EngineClient) -> None:
    client.close()
    listener = Listener()
    client.watch_jobs(listener.news.put, listener.losses.put)
    assert isinstance(listener.losses.next(), EngineGone)
