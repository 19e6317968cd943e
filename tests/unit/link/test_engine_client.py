"""A screen's end of the socket, against a real listener."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.domain.errors import ConnectionNotUsable, LakeDropError
from app.domain.upload_job import JobState
from app.link.engine_client import EngineClient
from app.link.engine_errors import EngineGone, EngineSilent
from app.link.protocol import RuntimeFile
from tests.support.fake_engine import FakeEngine, snapshot


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[FakeEngine]:
    with FakeEngine(tmp_path / "engine.json") as engine:
        yield engine


def runtime_of(engine: FakeEngine) -> RuntimeFile:
    runtime = RuntimeFile.read(engine.runtime_file)
    assert runtime is not None
    return runtime


@pytest.fixture
def client(engine: FakeEngine) -> Iterator[EngineClient]:
    with EngineClient.connect(runtime_of(engine)) as client:
        yield client


def test_a_request_carries_its_arguments_and_brings_the_result(
    engine: FakeEngine, client: EngineClient
) -> None:
    engine.answers["add_job"] = lambda args: {"job_id": len(args["sources"])}

    assert client.request("add_job", sources=[["/a", False], ["/b", True]]) == {"job_id": 2}


def test_an_error_answer_is_raised_as_the_error_it_was(
    engine: FakeEngine, client: EngineClient
) -> None:
    def refuse(_: dict[str, Any]) -> dict[str, Any]:
        raise ConnectionNotUsable("no such connection")

    engine.answers["check_connection"] = refuse

    with pytest.raises(ConnectionNotUsable, match="no such connection"):
        client.request("check_connection")


def test_answers_that_come_out_of_order_reach_their_own_requests(
    engine: FakeEngine, client: EngineClient
) -> None:
    slow_may_answer, slow_arrived = threading.Event(), threading.Event()

    def slow(_: dict[str, Any]) -> dict[str, Any]:
        slow_arrived.set()
        slow_may_answer.wait(10)
        return {"who": "slow"}

    engine.answers |= {"slow": slow, "quick": lambda _: {"who": "quick"}}
    results: list[dict[str, Any]] = []
    waiting = threading.Thread(target=lambda: results.append(client.request("slow")))
    waiting.start()
    assert slow_arrived.wait(10)

    assert client.request("quick") == {"who": "quick"}
    assert results == []
    slow_may_answer.set()
    waiting.join(10)
    assert results == [{"who": "slow"}]


def test_only_the_newest_change_of_a_job_waits_for_the_screen(
    engine: FakeEngine, client: EngineClient
) -> None:
    engine.answers["watch"] = lambda _: snapshot(JobState.QUEUED).to_wire()
    watch = client.watch(1)
    assert watch.now.state is JobState.QUEUED

    for sent in range(1, 200):
        engine.push(snapshot(JobState.UPLOADING, bytes_sent=sent))
    client.request("hello")  # answers come after the changes that were sent before them

    assert watch.wait(10)
    assert watch.now.bytes_sent == 199
    assert not watch.wait(0)


def test_a_change_from_before_the_watch_does_not_overtake_its_answer(
    engine: FakeEngine, client: EngineClient
) -> None:
    client.request("hello")

    def late(_: dict[str, Any]) -> dict[str, Any]:
        engine.push(snapshot(JobState.UPLOADING))
        return snapshot(JobState.FINISHED).to_wire()

    engine.answers["watch"] = late
    watch = client.watch(1)

    assert watch.now.state is JobState.FINISHED
    assert not watch.wait(0)


def test_changes_of_other_jobs_are_kept_apart(engine: FakeEngine, client: EngineClient) -> None:
    engine.answers["watch"] = lambda args: replace(snapshot(), job_id=args["job_id"]).to_wire()
    first, second = client.watch(1), client.watch(2)

    engine.push(snapshot(JobState.UPLOADING, job_id=2))

    assert second.wait(10)
    assert not first.wait(0)


def test_an_engine_that_dies_ends_every_wait(engine: FakeEngine, client: EngineClient) -> None:
    arrived, never = threading.Event(), threading.Event()

    def hang(_: dict[str, Any]) -> dict[str, Any]:
        arrived.set()
        never.wait(10)
        return {}

    engine.answers["wait_intake"] = hang
    outcomes: list[BaseException] = []

    def ask() -> None:
        try:
            client.request("wait_intake", job_id=1)
        except EngineGone as gone:
            outcomes.append(gone)

    waiting = threading.Thread(target=ask)
    waiting.start()
    assert arrived.wait(10)
    engine.drop_screens()
    waiting.join(10)
    never.set()

    assert [type(outcome) for outcome in outcomes] == [EngineGone]
    with pytest.raises(EngineGone):
        client.request("hello")
    with pytest.raises(EngineGone):
        client.next_change(1, timeout_s=10)


def test_an_answer_that_does_not_come_in_time_is_given_up(
    engine: FakeEngine, client: EngineClient
) -> None:
    never = threading.Event()
    engine.answers["lake"] = lambda _: {"too_late": never.wait(10)}

    with pytest.raises(EngineSilent, match="lake"):
        client.request("lake", timeout_s=0.01)
    never.set()
    assert "version" in client.request("hello")


@pytest.mark.parametrize("frame", [b"[]", b"\xff", b'{"event":"job","job":{}}', b"{}"])
def test_a_frame_that_makes_no_sense_ends_the_connection_in_words(
    engine: FakeEngine, client: EngineClient, frame: bytes
) -> None:
    client.request("hello")
    engine.send_raw(frame)

    with pytest.raises(EngineGone, match="does not understand"):
        client.next_change(1, timeout_s=10)


def test_a_wrong_key_is_no_engine_and_tells_no_key(engine: FakeEngine) -> None:
    canary = "ca" * 16
    stranger = replace(runtime_of(engine), auth_key_hex=canary)

    with pytest.raises(EngineGone) as caught:
        EngineClient.connect(stranger)
    assert canary not in f"{caught.value!r}{stranger!r}"


def test_a_closed_client_refuses_more_calls(client: EngineClient) -> None:
    client.close()

    with pytest.raises(LakeDropError, match="closed"):
        client.request("hello")
