"""Attaching to an engine: one that lives, one that died, none yet; real processes and sockets."""

from __future__ import annotations

import os
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.link.engine_client import EngineClient
from app.link.engine_errors import EngineNotStarted, EngineSilent
from app.link.engine_starter import EngineLaunch, attach, connect_running
from app.link.protocol import PROTOCOL_VERSION, RuntimeFile
from tests.support.fake_engine import FakeEngine

ROOT = Path(__file__).parents[3]


@pytest.fixture
def runtime_file(tmp_path: Path) -> Iterator[Path]:
    runtime_file = tmp_path / "run" / "engine.json"
    yield runtime_file
    client = connect_running(runtime_file) if runtime_file.exists() else None
    if client is not None:
        with client:
            client.request("stop")


def launch_of(runtime_file: Path, *options: str) -> EngineLaunch:
    command = (sys.executable, "-m", "tests.support.fake_engine", str(runtime_file), *options)
    return EngineLaunch(command, ROOT, runtime_file.parent / "engine.log")


def test_an_engine_that_lives_is_used_and_none_is_started(tmp_path: Path) -> None:
    with FakeEngine(tmp_path / "engine.json") as engine:
        nothing = EngineLaunch((str(tmp_path / "no-such-program"),), tmp_path, tmp_path / "log")
        with attach(engine.runtime_file, nothing) as client:
            assert client.request("hello")["pid"] == os.getpid()


def test_where_none_lives_one_is_started_in_a_session_of_its_own(runtime_file: Path) -> None:
    with attach(runtime_file, launch_of(runtime_file)) as client:
        pid = int(client.request("hello")["pid"])
        assert pid != os.getpid()
        assert os.getsid(pid) != os.getsid(0)


@pytest.mark.skipif(sys.platform == "win32", reason="there its class is told when it is made")
def test_a_started_engine_gives_way_to_the_screens(runtime_file: Path) -> None:
    with attach(runtime_file, launch_of(runtime_file)) as client:
        pid = int(client.request("hello")["pid"])
        own = os.getpriority(os.PRIO_PROCESS, 0)
        assert os.getpriority(os.PRIO_PROCESS, pid) == min(own + 5, 19)
        group = Path(f"/proc/{pid}/autogroup")
        # Where this Linux shares the processor among sessions, that too.
        if os.access(group, os.W_OK) and group.read_text("ascii"):
            assert group.read_text("ascii").rstrip().endswith(" nice 5")


def test_the_key_is_taken_out_of_the_engines_environment(
    runtime_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAKEDROP_API_KEY", "canary-key")

    with attach(runtime_file, launch_of(runtime_file)) as client:
        assert client.request("hello")["version"] == "no key"


def test_a_runtime_file_that_a_dead_engine_left_leads_to_a_new_one(runtime_file: Path) -> None:
    with FakeEngine(runtime_file):
        pass
    assert runtime_file.exists()

    with attach(runtime_file, launch_of(runtime_file)) as client:
        assert client.request("hello")["pid"] != os.getpid()


def test_a_torn_runtime_file_leads_to_a_new_engine(runtime_file: Path) -> None:
    runtime_file.parent.mkdir()
    runtime_file.write_text('{"address": ', encoding="utf-8")

    with attach(runtime_file, launch_of(runtime_file)) as client:
        assert "pid" in client.request("hello")


def test_an_engine_that_cannot_start_says_why(runtime_file: Path) -> None:
    with pytest.raises(EngineNotStarted, match="the journal is locked"):
        attach(runtime_file, launch_of(runtime_file, "--error", "the journal is locked"))


def test_an_engine_that_ends_without_a_word_is_told_with_its_log(runtime_file: Path) -> None:
    with pytest.raises(EngineNotStarted, match=r"engine\.log"):
        attach(runtime_file, launch_of(runtime_file, "--silent"))


def test_a_program_that_is_not_there_is_told(tmp_path: Path) -> None:
    missing = EngineLaunch((str(tmp_path / "no-such-program"),), tmp_path, tmp_path / "log")

    with pytest.raises(EngineNotStarted, match="no-such-program"):
        attach(tmp_path / "engine.json", missing)


def test_an_engine_of_another_version_is_told_and_left_alone(tmp_path: Path) -> None:
    with (
        FakeEngine(tmp_path / "engine.json", protocol=PROTOCOL_VERSION + 1) as engine,
        pytest.raises(EngineNotStarted, match="another LakeDrop version"),
    ):
        connect_running(engine.runtime_file)


def test_a_process_that_listens_but_stays_silent_is_not_waited_for_forever(
    tmp_path: Path,
) -> None:
    address = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(address))
        listener.listen()
        with pytest.raises(EngineSilent, match="4321"):
            EngineClient.connect(RuntimeFile(str(address), "00", 4321), timeout_s=0.05)


def test_two_screens_that_start_at_once_end_up_at_the_same_engine(runtime_file: Path) -> None:
    clients: list[EngineClient] = []
    launch = launch_of(runtime_file)
    runtime_file.parent.mkdir()
    threads = [
        threading.Thread(target=lambda: clients.append(attach(runtime_file, launch)))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert len(clients) == 2
    assert len({client.request("hello")["pid"] for client in clients}) == 1
    for client in clients:
        client.close()
