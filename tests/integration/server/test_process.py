"""Starting and stopping the server process, by hand and as an engine's child."""

from __future__ import annotations

import errno
import hmac
import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from embedded_server import contract
from embedded_server.domain.errors import CannotServe
from embedded_server.serving import listening_socket
from tests.integration.server.conftest import Client
from tests.support.real_server import RealServer

_REPOSITORY = Path(__file__).resolve().parents[3]
posix_only = pytest.mark.skipif(os.name != "posix", reason="modes and signals of POSIX")


def _serve(
    *flags: str, key: str | None = None, given: str = ""
) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "LAKEDROP_API_KEY"}
    if key is not None:
        environment["LAKEDROP_API_KEY"] = key
    return subprocess.run(
        [sys.executable, "-m", "embedded_server", *flags],
        capture_output=True,
        text=True,
        input=given,
        cwd=_REPOSITORY,
        env=environment,
        timeout=60,
        check=False,
    )


class Child:
    """A server as an engine starts it."""

    def __init__(self, lake: Path, first_line: str) -> None:
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "embedded_server",
                "--lake",
                str(lake),
                "--port",
                "0",
                "--managed",
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=_REPOSITORY,
            text=True,
        )
        assert self.process.stdin is not None
        self.process.stdin.write(first_line + "\n")
        self.process.stdin.flush()
        assert self.process.stdout is not None
        self.said: dict[str, Any] = json.loads(self.process.stdout.readline())

    def end_of_input(self) -> tuple[int, str]:
        """(exit status, everything it wrote after its first line)."""
        out, errors = self.process.communicate(timeout=60)
        return self.process.returncode, out + errors


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@posix_only
def test_a_signal_stops_it_cleanly(lake: Path, number: signal.Signals) -> None:
    with RealServer(lake) as server, Client(server, "/data/x") as client:
        client.upload(client.started(), "a.csv", b"x")
        record = json.loads((lake / ".lakedrop/server.json").read_text())
        assert record == {
            "address": server.address,
            "pid": server.process.pid,
            "key_is_in_lake": False,  # it came from the environment
        }
        server.process.send_signal(number)
        assert server.process.wait(60) == 0
        assert not (lake / ".lakedrop/server.json").exists()
        assert not (lake / ".lakedrop/catalog.db-wal").exists(), "the catalog was closed"
        assert "Traceback" not in server.errors.read_text()


def test_an_upload_on_its_way_may_finish_while_it_stops(lake: Path) -> None:
    with RealServer(lake) as server, Client(server, "/data/x") as client:
        sync_id = client.started()
        body = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nhello'
        tail = b" world\r\n--b--\r\n"
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            connection.sendall(
                f"POST {contract.UPLOAD_ROUTE}?sync_id={sync_id} HTTP/1.1\r\n"
                f"Host: 127.0.0.1:{server.port}\r\nContent-Length: {len(body + tail)}\r\n"
                "Expect: 100-continue\r\n"
                "Content-Type: multipart/form-data; boundary=b\r\n\r\n".encode()
            )
            assert connection.recv(100).startswith(b"HTTP/1.1 100")  # it reads this request
            connection.sendall(body)
            server.process.send_signal(signal.SIGTERM)
            connection.sendall(tail)
            answer = connection.recv(10_000)
        assert b"200 OK" in answer
        assert server.process.wait(60) == 0
    assert (lake / "files/data/x/a").read_bytes() == b"hello world"


def test_a_second_server_on_the_lake_is_refused(lake: Path) -> None:
    with RealServer(lake) as server:
        second = _serve("--lake", str(lake), "--port", "0")
        assert second.returncode == 1
        assert second.stdout == ""
        assert server.address in second.stderr
        assert "already serves this lake" in second.stderr
        managed = _serve(
            "--lake", str(lake), "--managed", given='{"nonce": "00", "api_key": "k"}\n'
        )
        assert managed.returncode == 1
        assert json.loads(managed.stdout) == {"error": "lake_in_use", "address": server.address}
        assert httpx.get(server.address + contract.CAPABILITIES_ROUTE).status_code == 200
        server.kill()
    with RealServer(lake) as third:  # the system took the lock back
        assert httpx.get(third.address + contract.CAPABILITIES_ROUTE).status_code == 200


@posix_only
def test_the_key_is_made_once_and_kept_from_others(lake: Path) -> None:
    first = _serve("--lake", str(lake), "--show-key")
    assert first.returncode == 0
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\n", first.stdout)
    assert _serve("--lake", str(lake), "--show-key").stdout == first.stdout
    assert _serve("--lake", str(lake), "--show-key", key="mine").stdout == "mine\n"
    with RealServer(lake) as server, Client(server, "/data/x") as client:
        client.upload(client.started(), "a.csv", b"x")
        loose = [
            path for path in [lake, *lake.rglob("*")] if stat.S_IMODE(path.stat().st_mode) & 0o077
        ]
        assert loose == []


@posix_only
def test_a_reader_that_went_away_does_not_end_the_server(lake: Path) -> None:
    nobody_reads, output = os.pipe()
    os.close(nobody_reads)
    with subprocess.Popen(
        [sys.executable, "-m", "embedded_server", "--lake", str(lake), "--port", "0"],
        stdout=output,
        stderr=subprocess.PIPE,
        cwd=_REPOSITORY,
        text=True,
    ) as process:
        os.close(output)
        assert process.stderr is not None
        said = process.stderr.readline()
        assert "standard output cannot be written" in said
        assert str(lake) not in said
        address = json.loads((lake / ".lakedrop/server.json").read_text())["address"]
        assert httpx.get(address + contract.CAPABILITIES_ROUTE).status_code == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
        assert process.stderr.read() == ""


@pytest.mark.parametrize(
    ("flags", "status", "told"),
    [
        ([], 2, "--lake"),
        (["--lake", ""], 2, "unset variable"),
        (["--lake", "{lake}", "--port", "x"], 2, "not a port"),
        (["--lake", "{lake}", "--port", "70000"], 2, "not a port"),
        (["--lake", "{lake}", "--nonsense"], 2, "--nonsense"),
        (["--lake", "{lake}", "--host", "0.0.0.0"], 2, "strict mode"),
        (["--lake", "{lake}", "--host", "example.org"], 2, "strict mode"),
        (["--lake", "{file}"], 1, "cannot be used as a lake"),
        (["--lake", "{file}/below"], 1, "cannot be used as a lake"),
        (["--lake", "{lake}", "--port", "{busy}"], 1, "in use"),
    ],
)
def test_what_cannot_be_served_is_told_in_one_line(
    lake: Path, tmp_path: Path, flags: list[str], status: int, told: str
) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"")
    with listening_socket("127.0.0.1", 0) as busy:
        busy.listen()
        values = {"lake": lake, "file": file, "busy": busy.getsockname()[1]}
        done = _serve(*[flag.format(**values) for flag in flags])
    assert done.returncode == status
    assert done.stdout == ""
    assert told in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_a_child_proves_that_it_knows_the_nonce_and_ends_with_its_parent(lake: Path) -> None:
    nonce, key = "00112233445566778899aabbccddeeff", "a-canary-key-1234567890"
    child = Child(lake, json.dumps({"nonce": nonce, "api_key": key}))
    address = child.said["listening"]
    proof = hmac.new(bytes.fromhex(nonce), address.encode(), "sha256").hexdigest()
    assert child.said == {"listening": address, "proof": proof}
    body = {"name": "n", "path": "/data/x", "sync_type": "FullSync"}
    url = address + contract.START_ROUTE
    assert httpx.post(url, json=body | {"api_key": key}).status_code == 200
    assert httpx.post(url, json=body | {"api_key": "other"}).status_code == 400
    status, said = child.end_of_input()
    assert status == 0
    assert key not in said
    assert nonce not in said
    assert not (lake / ".lakedrop/api-key").exists(), "the key is kept in memory only"
    assert not any(key.encode() in path.read_bytes() for path in lake.rglob("*") if path.is_file())


@pytest.mark.parametrize("line", ["", "no json", "{}", '{"nonce": "xx", "api_key": "k"}', "[]"])
def test_a_child_without_a_proper_first_line_says_so(lake: Path, line: str) -> None:
    done = _serve("--lake", str(lake), "--managed", given=line + "\n")
    assert done.returncode == 1
    assert json.loads(done.stdout)["error"] == "cannot_start"
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="reads the option on an accepted socket")
def test_accepted_sockets_do_not_wait_to_send(tmp_path: Path) -> None:
    with listening_socket("127.0.0.1", 0) as listener:
        assert listener.proto == socket.IPPROTO_TCP
        listener.listen()
        listener.settimeout(30)
        with socket.create_connection(listener.getsockname()):
            accepted, _ = listener.accept()
            with accepted:
                assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0


def test_a_machine_without_the_other_loopback_says_that_it_cannot_be_listened_on() -> None:
    def without_ipv6(family: int, kind: int, protocol: int) -> socket.socket:
        if family == socket.AF_INET6:
            raise OSError(errno.EAFNOSUPPORT, os.strerror(errno.EAFNOSUPPORT))
        return socket.socket(family, kind, protocol)

    with pytest.raises(CannotServe, match=r"cannot listen on ::1 port 0: .*--host"):
        listening_socket("::1", 0, without_ipv6)


def test_a_key_file_that_is_no_text_is_told_without_its_bytes(lake: Path) -> None:
    _serve("--lake", str(lake), "--show-key")
    (lake / ".lakedrop/api-key").write_bytes(b"secret\xff")
    for flags in (["--show-key"], ["--port", "0"]):
        done = _serve("--lake", str(lake), *flags)
        assert done.returncode == 1
        assert done.stdout == ""
        assert "api-key is not text in UTF-8" in done.stderr
        assert "Traceback" not in done.stderr
        assert "secret" not in done.stderr


def test_it_listens_on_the_other_loopback_too(lake: Path) -> None:
    if not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")
    try:
        listening_socket("::1", 0).close()
    except Exception as error:  # noqa: BLE001  # whatever the machine says, it is not our fault
        pytest.skip(f"this machine has no ::1: {error}")
    with RealServer(lake, program=["-m", "embedded_server", "--host", "::1"]) as server:
        assert server.address.startswith("http://[::1]:")
        assert httpx.get(server.address + contract.LIST_ROUTE).json() == []
