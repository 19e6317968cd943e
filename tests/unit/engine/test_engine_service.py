"""The engine behind its socket, met by real screens over a real one."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, answer_challenge, deliver_challenge
from typing import Any

import pytest

from app.domain.errors import LakeFull, WrongUse
from app.domain.snapshots import JobSnapshot
from app.domain.upload_job import JobState
from app.link.engine_client import EngineClient
from app.link.engine_errors import EngineGone
from app.link.protocol import decode, encode
from tests.unit.engine.served import KEY, WITHIN_S, Jobs, Served, served

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="speaks over a Unix socket")


def newest(watch_wait: Callable[[float], bool]) -> None:
    assert watch_wait(WITHIN_S), "no change came"


def test_commands_are_answered_and_errors_keep_their_kind() -> None:
    def full(_: Mapping[str, Any]) -> Mapping[str, Any]:
        raise LakeFull("No space left.")

    def wrong(args: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"number": int(args["number"])}

    def bug(_: Mapping[str, Any]) -> Mapping[str, Any]:
        raise ZeroDivisionError

    commands = {"full": full, "wrong": wrong, "bug": bug}
    with served(commands) as engine, engine.screen() as screen:
        assert screen.request("echo", a=1) == {"a": 1}
        with pytest.raises(LakeFull, match="No space left"):
            screen.request("full")
        with pytest.raises(WrongUse, match="called wrongly"):
            screen.request("wrong")
        with pytest.raises(WrongUse, match="no command"):
            screen.request("from_the_future")
        with pytest.raises(WrongUse, match="no job 7"):
            screen.request("watch", job_id=7)
        with pytest.raises(WrongUse, match="called wrongly"):
            screen.request("watch", job_id="x")
        with pytest.raises(Exception, match="its log has the details"):
            screen.request("bug")
        assert screen.request("echo", a=2) == {"a": 2}  # still well


def test_a_silent_caller_holds_up_nobody() -> None:
    with served() as engine:
        silent = [Client(engine.address) for _ in range(20)]  # never say a word
        with engine.screen() as screen:
            assert screen.request("echo", a=1) == {"a": 1}
        for caller in silent:
            caller.close()


def test_a_caller_with_another_key_gets_nothing() -> None:
    with served() as engine:
        with pytest.raises(AuthenticationError):
            Client(engine.address, authkey=b"a guess")
        with pytest.raises(EngineGone):
            EngineClient.connect(engine.runtime(b"a guess"), timeout_s=WITHIN_S)
        with engine.screen() as screen:
            assert screen.request("echo", a=1) == {"a": 1}


@pytest.mark.parametrize("frame", [b"no JSON", b"[1]", b"\xff\xfe"])
def test_a_screen_that_speaks_nonsense_is_let_go_alone(frame: bytes) -> None:
    with served() as engine, engine.screen() as other:
        strange = Client(engine.address, authkey=KEY)
        strange.send_bytes(frame)
        with pytest.raises(EOFError):
            strange.recv_bytes()
        strange.close()
        assert other.request("echo", a=1) == {"a": 1}


def test_a_watched_job_tells_its_changes_and_only_the_newest() -> None:
    with served() as engine, engine.screen() as screen:
        watch = screen.watch(1)
        assert watch.now.state is JobState.UPLOADING
        for number in range(1, 1_001):
            engine.jobs.change(bytes_sent=number)
        while watch.now.bytes_sent != 1_000:
            newest(watch.wait)
        assert engine.jobs.looks < 500  # not one look for each change


def test_the_last_change_of_a_job_comes_though_nothing_follows_it() -> None:
    with served() as engine, engine.screen() as screen:
        engine.jobs.change(JobState.NEEDS_ATTENTION)
        watch = screen.watch(1)
        engine.jobs.change(JobState.QUEUED)
        engine.service.job_changed(1)
        newest(watch.wait)
        engine.jobs.change(JobState.FINISHED)
        engine.service.job_changed(1)
        while watch.now.state is not JobState.FINISHED:
            newest(watch.wait)


def test_a_change_amid_the_answer_to_watch_is_not_lost() -> None:
    """It happens after the snapshot was taken and before the answer has left."""
    jobs = Jobs()
    engine: Served

    class Racing(Jobs):
        def snapshot(self, job_id: int) -> JobSnapshot:
            taken = super().snapshot(job_id)
            if taken.state is JobState.UPLOADING:
                self.change(JobState.FINISHED)
                engine.service.job_changed(1)
            return taken

    jobs = Racing()
    with served(jobs=jobs) as engine:
        raw = Client(engine.address, authkey=KEY)
        raw.send_bytes(encode({"id": 1, "command": "watch", "args": {"job_id": 1}}))
        first, second = decode(raw.recv_bytes()), decode(raw.recv_bytes())
        raw.close()
    # In this order: a screen takes what comes later for what is newer.
    assert first["result"]["state"] == "uploading"
    assert second["job"]["state"] == "finished"


def test_a_screen_that_does_not_read_stalls_neither_the_engine_nor_others() -> None:
    jobs = Jobs()
    jobs.now = replace(jobs.now, message="x" * 500_000)  # fills any socket's buffer
    with served(jobs=jobs) as engine:
        stalled = Client(engine.address, authkey=KEY)
        for number in range(4):
            request = {"id": number, "command": "watch", "args": {"job_id": 1}}
            stalled.send_bytes(encode(request))
        with engine.screen() as screen:
            watch = screen.watch(1)
            for number in range(1, 4):
                jobs.change(bytes_sent=number)
                engine.service.job_changed(1)
                while watch.now.bytes_sent != number:
                    newest(watch.wait)
            assert screen.request("echo", a=1) == {"a": 1}
        engine.service.stop()
        assert engine.ended()  # nor can it keep the engine from ending
        stalled.close()


def test_a_long_command_holds_up_no_other_of_the_same_screen() -> None:
    asked, released = threading.Event(), threading.Event()

    def wait(_: Mapping[str, Any]) -> Mapping[str, Any]:
        asked.set()
        assert released.wait(WITHIN_S)
        return {"waited": True}

    with served({"wait": wait}) as engine, engine.screen() as screen:
        got: list[dict[str, Any]] = []
        waiting = threading.Thread(target=lambda: got.append(screen.request("wait")))
        waiting.start()
        assert asked.wait(WITHIN_S)
        assert screen.request("echo", a=1) == {"a": 1}
        released.set()
        waiting.join()
        assert got == [{"waited": True}]


def test_a_stopped_engine_hangs_up_and_leaves_no_thread_behind() -> None:
    before = set(threading.enumerate())
    with served() as engine:
        screens = [Client(engine.address, authkey=KEY) for _ in range(3)]
        for screen in screens:
            screen.send_bytes(encode({"id": 1, "command": "watch", "args": {"job_id": 1}}))
            assert decode(screen.recv_bytes())["id"] == 1
        engine.service.stop()
        for screen in screens:  # which say nothing more
            assert screen.poll(WITHIN_S)
            with pytest.raises(EOFError):
                screen.recv_bytes()
            screen.close()
        assert engine.ended()
    for thread in set(threading.enumerate()) - before:
        thread.join(WITHIN_S)
    assert set(threading.enumerate()) <= before


def test_who_asks_the_engine_to_stop_still_gets_an_answer() -> None:
    for _ in range(20):
        with served() as engine, engine.screen() as screen:
            assert screen.request("stop") == {}
            assert engine.ended()


def test_an_engine_that_nobody_needs_ends_after_a_moment() -> None:
    with served(linger_s=0.01) as engine:
        assert engine.ended()


def test_an_engine_stays_while_a_screen_is_attached_and_ends_when_the_last_leaves() -> None:
    jobs = Jobs()
    jobs.busy = True  # until both are there
    with served(linger_s=0.01, jobs=jobs) as engine:
        one, two = engine.screen(), engine.screen()
        jobs.busy = False
        engine.service.job_changed(1)
        one.close()
        for _ in range(50):
            assert two.request("echo", a=1) == {"a": 1}
        assert engine.thread.is_alive()
        two.close()
        assert engine.ended()


def test_who_knocks_slowly_is_still_let_in_and_served() -> None:
    jobs = Jobs()
    jobs.busy = True  # until the caller has knocked
    with served(linger_s=0.01, jobs=jobs) as engine:
        with engine.screen() as screen, Client(engine.address) as caller:
            # The caller's turn of the handshake is open: the engine has taken its call.
            answer_challenge(caller, KEY)
            jobs.busy = False
            screen.close()
            engine.thread.join(0.3)  # thirty times as long as it would linger
            assert engine.thread.is_alive()
            deliver_challenge(caller, KEY)
            caller.send_bytes(encode({"id": 1, "command": "echo", "args": {"a": 1}}))
            assert decode(caller.recv_bytes())["result"] == {"a": 1}
        assert engine.ended()


def test_an_engine_stays_while_a_job_runs_and_ends_when_it_rests() -> None:
    jobs = Jobs()
    jobs.busy = True
    with served(linger_s=0.01, jobs=jobs) as engine:
        engine.screen().close()
        engine.service.job_changed(1)  # something changed, but it runs on
        engine.thread.join(0.3)  # thirty times as long as it would linger
        assert engine.thread.is_alive()
        jobs.busy = False
        engine.service.job_changed(1)
        assert engine.ended()


def test_a_job_that_comes_to_rest_while_the_engine_looks_is_not_missed() -> None:
    engine: Served
    looks = 0

    class Resting(Jobs):
        """Busy at the first look, at rest and told so before that look is over."""

        def is_busy(self) -> bool:
            nonlocal looks
            looks += 1
            if looks == 1:
                ready.wait(WITHIN_S)
                engine.service.job_changed(1)
                return True
            return False

    ready = threading.Event()
    with served(linger_s=0.01, jobs=Resting()) as engine:
        ready.set()
        assert engine.ended()
