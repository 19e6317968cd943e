"""Another user of the same machine is a stranger to a local server."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass

import pytest

from embedded_server import contract
from tests.integration.server.conftest import Client
from tests.support.needs import needs_root
from tests.support.real_server import RealServer

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="asks Linux whose a socket is")
pytestmark = linux_only

# All is imported before the user changes: that one may not be able to read the modules.
_AS_NOBODY = """
import json, os, socket, sys
asked = json.load(sys.stdin)
"ä".encode("idna")
os.setgroups([]); os.setgid(65534); os.setuid(65534)
assert os.getuid() == 65534
connection = socket.create_connection(("127.0.0.1", asked["port"]), 60)
connection.sendall(asked["request"].encode())
answer = b""
while piece := connection.recv(65536):
    answer += piece
sys.stdout.write(answer.decode())
"""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    head: str
    body: str


@pytest.fixture
def nobody(server: RealServer) -> Nobody:
    needs_root()
    return Nobody(server)


class Nobody:
    """Sends requests as the user "nobody"."""

    def __init__(self, server: RealServer) -> None:
        self._port = server.port

    def ask(self, method: str, target: str, body: str = "", **headers: str) -> Answer:
        lines = [
            f"{method} {target} HTTP/1.1",
            f"Host: 127.0.0.1:{self._port}",
            "Connection: close",
            f"Content-Length: {len(body)}",
            *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items()),
        ]
        request = "\r\n".join([*lines, "", body])
        done = subprocess.run(
            [sys.executable, "-c", _AS_NOBODY],
            input=json.dumps({"port": self._port, "request": request}),
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        head, _, answered = done.stdout.partition("\n\n")  # read as text, breaks are plain
        return Answer(int(head.split()[1]), head, answered)


_FORM = '--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nx\r\n--b--\r\n'


def test_another_user_needs_the_key_on_every_call(client: Client, nobody: Nobody) -> None:
    sync_id = client.started()
    upload = f"{contract.UPLOAD_ROUTE}?sync_id={sync_id}"
    form = {"Content_Type": "multipart/form-data; boundary=b"}
    bearer = {"Authorization": f"Bearer {client.server.api_key}"}
    start = {"name": "n", "path": client.path, "sync_type": "FullSync"}
    for answer in (
        nobody.ask("GET", contract.LIST_ROUTE),
        nobody.ask("GET", contract.HISTORY_ROUTE),
        nobody.ask("GET", contract.CAPABILITIES_ROUTE),
        nobody.ask("POST", upload, _FORM, **form),
        nobody.ask("POST", upload, _FORM, **form, Authorization="Bearer guessed"),
        nobody.ask("POST", contract.START_ROUTE, json.dumps(start)),
        nobody.ask("POST", contract.END_ROUTE, json.dumps({"sync_id": sync_id})),
    ):
        assert answer.status == 401, answer.body
        assert json.loads(answer.body)["reason"] == "not_authenticated"
    assert client.published() == {}
    assert client.upload(sync_id, "mine", b"x").status_code == 200, "its own user needs none"
    assert nobody.ask("POST", upload, _FORM, **form, **bearer).status == 200
    assert nobody.ask("GET", contract.LIST_ROUTE, **bearer).status == 200
    in_body = json.dumps({"sync_id": sync_id, "api_key": client.server.api_key})
    assert nobody.ask("POST", contract.END_ROUTE, in_body).status == 200
    assert client.published() == {"mine": b"x", "a": b"x"}
