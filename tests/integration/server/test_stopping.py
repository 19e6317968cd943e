"""A server that is asked to stop while a swap is slow: the lake is let go only after it."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from embedded_server.contract import ErrorAnswer
from tests.integration.server import server_with_a_slow_swap
from tests.integration.server.conftest import Client
from tests.support.observed_disk import tree
from tests.support.real_server import RealServer, ServerDidNotStart


@pytest.mark.skipif(os.name != "posix", reason="a FIFO and a signal of POSIX")
def test_a_slow_end_is_over_before_another_server_may_have_the_lake(
    lake: Path, tmp_path: Path
) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    program = [str(Path(server_with_a_slow_swap.__file__))]
    environment = {server_with_a_slow_swap.FIFO: str(fifo)}
    with (
        ThreadPoolExecutor(1) as pool,
        RealServer(lake, program=program, environment=environment) as server,
        Client(server, "/data/x") as client,
    ):
        client.upload(client.started(), "old.csv", b"old")
        sync_id = client.started("FullSync")
        client.upload(sync_id, "new.csv", b"new")
        ending = pool.submit(client.end, sync_id)
        with fifo.open("wb"):  # the swap is under way
            server.process.send_signal(signal.SIGTERM)
            try:
                answer = ending.result(60)
            except httpx.HTTPError:
                pass  # cut off without an answer
            else:
                assert ErrorAnswer.from_wire(answer.json()).code == answer.status_code == 503
            with pytest.raises(ServerDidNotStart, match="already serves this lake"):
                RealServer(lake)
            assert server.process.poll() is None
            assert tree(lake / "files") == {"data/x/old.csv": b"old"}
        assert server.process.wait(60) == 0
        assert "Traceback" not in server.errors.read_text()
    assert tree(lake / "files") == {"data/x/new.csv": b"new"}
    with RealServer(lake) as server, Client(server, "/data/x") as client:
        assert client.job(sync_id)["sync_status"] == "Finished"
        assert tree(server.trash) == {f"{sync_id}/1/data/x/old.csv": b"old"}


@pytest.mark.parametrize("mode", [(), ("--strict", "--insecure-lan")])
def test_nothing_is_left_open_at_a_stop(lake: Path, mode: tuple[str, ...]) -> None:
    """Neither its sockets nor the owner's door; somebody is connected to both."""
    warned = {"PYTHONWARNINGS": "error::ResourceWarning"}
    program = ("-m", "embedded_server", *mode)
    key = secrets.token_urlsafe(32)
    with RealServer(lake, program=program, environment=warned, api_key=key) as server:
        keys = [sys.executable, "-m", "embedded_server", "keys", "list", "--lake", str(lake)]
        assert subprocess.run(keys, capture_output=True, timeout=60, check=False).returncode == 0
        known = json.loads((lake / ".lakedrop" / "owners-door.json").read_text())
        with (
            httpx.Client(base_url=server.address) as kept_alive,
            socket.create_connection(("127.0.0.1", known["port"]), timeout=30),
        ):
            assert kept_alive.get("/healthz").status_code == 200
            assert server.stop() == 0
    assert "ResourceWarning" not in server.errors.read_text()
