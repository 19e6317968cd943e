"""The local lake's server, started and ended as the engine does it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from app.domain.connections import LOCAL_LAKE
from app.domain.errors import InvalidApiKey
from app.infra.gateways import HttpGateways
from app.infra.server_process import LakeAddress, LocalLakeServer

WITHIN_S = 60.0


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    folder = tmp_path / "lake"
    folder.mkdir()
    return folder


@pytest.fixture
def server(lake: Path) -> Iterator[LocalLakeServer]:
    server = LocalLakeServer(lake)
    yield server
    server.stop()


@pytest.fixture
def gateways(server: LocalLakeServer) -> Iterator[HttpGateways]:
    gateways = HttpGateways(server)
    yield gateways
    gateways.close()


def the_child() -> psutil.Process:
    (child,) = (
        child
        for child in psutil.Process().children()
        if child.is_running() and "--managed" in child.cmdline()
    )
    return child


def no_child_is_left() -> bool:
    return not any("--managed" in child.cmdline() for child in psutil.Process().children())


def test_all_who_need_the_server_share_one_until_the_end_of_its_input(
    server: LocalLakeServer, gateways: HttpGateways
) -> None:
    addresses: list[LakeAddress] = []
    threads = [threading.Thread(target=lambda: addresses.append(server.ensure())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(addresses) == 8
    (address,) = set(addresses)
    gateways.open(LOCAL_LAKE, None).check()  # a wrong key would be told

    child = the_child()
    assert address.api_key not in " ".join(child.cmdline())
    assert address.api_key not in "".join(child.environ().values())
    server.stop()
    assert not child.is_running()
    assert no_child_is_left()


def test_a_killed_server_is_started_again_and_the_gateway_follows(
    server: LocalLakeServer, gateways: HttpGateways
) -> None:
    gateways.open(LOCAL_LAKE, None).check()
    first = the_child()
    first.kill()
    # Not reaped by the test: that is the business of whoever started it.
    os.waitid(os.P_PID, first.pid, os.WEXITED | os.WNOWAIT)
    gateways.open(LOCAL_LAKE, None).check()
    assert the_child().pid != first.pid


_ENGINE_TO_BE_KILLED = """
import os, sys
from pathlib import Path
from app.infra.server_process import LakeAddress, LocalLakeServer
print(LocalLakeServer(Path(sys.argv[1])).ensure().base_url, flush=True)
sys.stdin.read()
"""


def test_a_server_whose_engine_was_killed_ends_by_itself(
    server: LocalLakeServer, lake: Path
) -> None:
    engine = subprocess.Popen(
        [sys.executable, "-c", _ENGINE_TO_BE_KILLED, str(lake)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert engine.stdout is not None
    assert engine.stdin is not None
    assert engine.stdout.readline().startswith(b"http://127.0.0.1:")
    (orphan,) = psutil.Process(engine.pid).children()
    engine.kill()
    engine.wait(WITHIN_S)
    engine.stdin.close()
    engine.stdout.close()
    psutil.wait_procs([orphan], timeout=WITHIN_S)
    assert not orphan.is_running()
    server.ensure()


def started_by_hand(lake: Path, **environment: str) -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "embedded_server", "--lake", str(lake), "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )
    assert process.stdout is not None
    assert "http://127.0.0.1:" in process.stdout.readline()
    told = json.loads((lake / ".lakedrop" / "server.json").read_text("utf-8"))
    return process, str(told["address"])


def ended(process: subprocess.Popen[str]) -> None:
    process.terminate()
    process.wait(WITHIN_S)
    if process.stdout:
        process.stdout.close()


def test_a_server_started_by_hand_on_the_same_lake_is_used_while_it_lives(
    server: LocalLakeServer, gateways: HttpGateways, lake: Path
) -> None:
    process, address = started_by_hand(lake)
    try:
        gateways.open(LOCAL_LAKE, None).check()  # with the lake's own key
        assert server.ensure().base_url == address
        assert no_child_is_left()
    finally:
        ended(process)
    own = server.ensure()  # it is gone: now one of our own
    assert own.base_url != address
    gateways.open(LOCAL_LAKE, None).check()
    assert the_child().is_running()


def test_a_server_started_by_hand_with_a_key_of_its_own_needs_that_key(
    server: LocalLakeServer, gateways: HttpGateways, lake: Path
) -> None:
    key = "a-key-of-somebody-else-0123456789abcdef"
    process, _ = started_by_hand(lake, LAKEDROP_API_KEY=key)
    try:
        gateways.open(LOCAL_LAKE, key).check()
        with pytest.raises(InvalidApiKey):
            gateways.open(LOCAL_LAKE, "another-key-0123456789abcdef0123456").check()
    finally:
        ended(process)


def test_a_server_started_by_hand_that_was_killed_is_not_waited_for(
    server: LocalLakeServer, lake: Path
) -> None:
    process, address = started_by_hand(lake)
    process.kill()
    process.wait(WITHIN_S)
    if process.stdout:
        process.stdout.close()
    assert server.ensure().base_url != address  # its address still stands in the lake
