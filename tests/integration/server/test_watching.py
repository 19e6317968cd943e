"""Health, metrics, request ids, and the lines of the log."""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from embedded_server import contract
from tests.integration.server.conftest import Client
from tests.support.real_server import RealServer
from tests.support.tls import SERVE_WITH_TLS, trusting

FILE = {"file": ("a.csv", b"x")}
TALKING = ("-m", "embedded_server", "--log-format", "json", "--log-requests")


@pytest.fixture
def talking(tmp_path: Path) -> Iterator[Client]:
    with (
        RealServer(tmp_path / "lake", program=TALKING) as server,
        Client(server, "/data/x") as client,
    ):
        yield client


def _lines(server: RealServer) -> list[dict[str, Any]]:
    return [json.loads(line) for line in server.errors.read_text().splitlines()]


def _samples(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_health_is_told_without_a_key_and_without_a_word_more(talking: Client) -> None:
    answer = talking.http.get("/healthz")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok"}
    assert talking.http.head("/healthz").status_code == 200
    assert list((talking.server.lake / ".lakedrop/incoming").iterdir()) == []


def test_a_lake_that_cannot_be_written_is_not_well(talking: Client) -> None:
    shutil.rmtree(talking.server.lake / ".lakedrop/incoming")
    answer = talking.http.get("/healthz")
    assert answer.status_code == 503
    assert answer.json()["code"] == 503
    assert str(talking.server.lake) not in answer.text
    assert any("is not well" in line["message"] for line in _lines(talking.server))


def test_a_strict_server_tells_its_health_to_anybody_and_its_numbers_by_key(
    tmp_path: Path,
) -> None:
    key = "kept-by-the-team-0123456789abcdef"
    program = ("-m", "embedded_server", "--strict", *SERVE_WITH_TLS)
    with (
        RealServer(tmp_path / "lake", api_key=key, program=program) as server,
        httpx.Client(base_url=server.address, verify=trusting(), timeout=60) as http,
    ):
        assert http.get("/healthz").status_code == 200
        assert http.get("/metrics").status_code == 401
        numbers = http.get("/metrics", headers={"Authorization": f"Bearer {key}"})
        assert numbers.status_code == 200
        assert ("lakedrop_requests_total") in numbers.text


def test_what_was_done_is_counted(talking: Client) -> None:
    sync_id = talking.started()
    assert talking.upload(sync_id, "a.csv", b"x" * 100_000).status_code == 200
    assert talking.upload(sync_id, "b.csv", b"x").status_code == 200
    batch = f"{contract.BATCH_ROUTE}?sync_id={sync_id}"
    wrong = {"Content-Digest": "sha-256=:" + "A" * 43 + "=:"}
    parts: list[tuple[str, Any]] = [
        ("file", ("c", b"1")),
        ("file", ("d", b"2", "text/plain", wrong)),
    ]
    assert talking.http.post(batch, files=parts).status_code == 200
    talking.http.get("/no/such/route")
    talking.http.get("/another")
    for upload in ("0123", "4567/89"):
        talking.http.head(f"{contract.TUS_ROUTE}/{upload}", headers={"Tus-Resumable": "1.0.0"})
    answer = talking.http.get("/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    found = _samples(answer.text)

    def of(name: str, **labels: str) -> float:
        return found[name, tuple(sorted(labels.items()))]

    def asked(method: str, route: str, status: int) -> float:
        return of("lakedrop_requests_total", method=method, route=route, status=str(status))

    assert asked("POST", contract.UPLOAD_ROUTE, 200) == 2
    assert asked("POST", contract.START_ROUTE, 200) == 1
    assert asked("GET", "other", 404) == 2
    assert asked("HEAD", contract.TUS_UPLOAD_ROUTE, 404) == 2
    assert of("lakedrop_uploads_total", outcome="finished") == 3
    assert of("lakedrop_uploads_total", outcome="failed") == 1
    assert of("lakedrop_running_syncs") == 1
    assert of("lakedrop_received_bytes_total") > 100_000
    assert of("lakedrop_disk_free_bytes") > 0
    assert of("lakedrop_fsync_seconds_count") >= 2
    assert of("lakedrop_commit_seconds_count") >= 3
    assert of("lakedrop_commit_seconds_bucket", le="+Inf") == of("lakedrop_commit_seconds_count")
    talking.end(sync_id)
    again = _samples(talking.http.get("/metrics").text)
    assert again["lakedrop_running_syncs", ()] == 0


@pytest.mark.parametrize("given", ["0123abcd-4567", "a" * 64])
def test_a_request_s_own_id_is_kept(talking: Client, given: str) -> None:
    answer = talking.http.get(contract.LIST_ROUTE, headers={"X-Request-Id": given})
    assert answer.headers["X-Request-Id"] == given


@pytest.mark.parametrize("given", [None, "", "short", "a b c d e f", "a" * 65, "x'--\"<y>", "key"])
def test_any_other_gets_a_new_one(talking: Client, given: str | None) -> None:
    if given == "key":
        given = talking.server.api_key
    headers = {} if given is None else {"X-Request-Id": given}
    ids = {
        talking.http.get(contract.LIST_ROUTE, headers=headers).headers["X-Request-Id"]
        for _ in range(2)
    }
    assert len(ids) == 2
    assert all(len(made) == 16 for made in ids)


def test_every_line_of_a_request_bears_its_ids(talking: Client) -> None:
    sync_id = talking.started()
    headers = {"X-Request-Id": "the-upload-1"}
    url = f"{contract.UPLOAD_ROUTE}?sync_id={sync_id}"
    talking.http.post(url, files=FILE, headers=headers)
    # A batch that is cut off writes a line of its own, from a worker thread.
    half = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nx'
    head = (
        f"POST {contract.BATCH_ROUTE}?sync_id={sync_id} HTTP/1.1\r\n"
        f"Host: 127.0.0.1:{talking.server.port}\r\nX-Request-Id: the-batch-1\r\n"
        "Content-Length: 1000\r\nContent-Type: multipart/form-data; boundary=b\r\n"
        "Expect: 100-continue\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", talking.server.port)) as cut:
        cut.sendall(head.encode())
        assert cut.recv(100).startswith(b"HTTP/1.1 100")  # it is being read
        cut.sendall(half)
    talking.end(sync_id)
    talking.server.stop()
    lines = _lines(talking.server)
    [upload] = [line for line in lines if line.get("request_id") == "the-upload-1"]
    assert upload["sync_id"] == sync_id
    assert upload["message"] == f"POST {contract.UPLOAD_ROUTE} 200"
    assert (upload["method"], upload["route"], upload["status"]) == (
        "POST",
        contract.UPLOAD_ROUTE,
        200,
    )
    assert upload["ms"] > 0
    batch = [line for line in lines if line.get("request_id") == "the-batch-1"]
    assert [line["sync_id"] for line in batch] == [sync_id, sync_id]
    assert any("was given up" in line["message"] for line in batch)
    ended = [line for line in lines if line.get("route") == contract.END_ROUTE]
    assert [line["sync_id"] for line in ended] == [sync_id]
    assert ended[0]["key"] == "lake"
    assert all(line["time"] and line["level"] and line["logger"] for line in lines)


def test_people_read_text_and_a_quiet_server_writes_no_requests(tmp_path: Path) -> None:
    program = ("-m", "embedded_server", "--log-requests")
    with RealServer(tmp_path / "one", program=program) as server, Client(server, "/data/x") as it:
        it.upload(it.started(), "a.csv", b"x")
        server.stop()
        [line] = [
            it for it in server.errors.read_text().splitlines() if contract.UPLOAD_ROUTE in it
        ]
    assert "INFO POST" in line
    assert "sync_id=1" in line
    with RealServer(tmp_path / "two") as server, Client(server, "/data/x") as it:
        it.upload(it.started(), "a.csv", b"x")
        server.stop()
        assert server.errors.read_text() == ""


# A key, in every place where somebody may put one, rightly or not.
CANARY = "canary-0123456789-abcdefghijklmnop"


@pytest.mark.parametrize("right", [True, False])
def test_a_key_turns_up_nowhere(tmp_path: Path, right: bool) -> None:
    own = CANARY if right else "another-key-0123456789-abcdefghij"
    flags = ("--strict", "--log-format", "json", "--wrong-keys-per-minute", "0")
    program = ("-m", "embedded_server", *flags, *SERVE_WITH_TLS)
    lake = tmp_path / "lake"
    answers: list[bytes] = []
    with (
        RealServer(lake, api_key=own, program=program) as server,
        httpx.Client(base_url=server.address, verify=trusting(), timeout=60) as http,
    ):
        for headers in (
            {"Authorization": f"Bearer {CANARY}"},
            {"Authorization": f"Basic {CANARY}"},
            {"Authorization": CANARY},
            {"Authorization": f"Bearer {CANARY} {CANARY}"},
            {"X-Request-Id": CANARY, "Authorization": f"Bearer {CANARY}"},
            {"X-Api-Key": CANARY},
            {"Cookie": f"api_key={CANARY}"},
            {},
        ):
            for method, url, body in (
                ("GET", contract.LIST_ROUTE, {}),
                ("GET", f"{contract.LIST_ROUTE}?api_key={CANARY}", {}),
                ("GET", f"{contract.HISTORY_ROUTE}?{CANARY}=1&{CANARY}=2", {}),
                ("GET", "/openapi.json", {}),
                ("GET", f"/{CANARY}", {}),
                ("DELETE", f"{contract.UPLOAD_ROUTE}/{CANARY}", {}),
                ("GET", "/metrics", {}),
                ("POST", f"{contract.UPLOAD_ROUTE}?sync_id=1&api_key={CANARY}", {"files": FILE}),
                ("POST", f"{contract.UPLOAD_ROUTE}?sync_id=9", {"content": CANARY}),
                ("POST", contract.START_ROUTE, {"json": {"api_key": CANARY}}),
                ("POST", f"{contract.START_ROUTE}?api_key={CANARY}", {"json": {}}),
                ("POST", f"{contract.START_ROUTE}?api_key={CANARY}", {"content": "{"}),
                ("POST", contract.START_ROUTE, {"content": f'{{"api_key": "{CANARY}", '}),
                ("POST", contract.END_ROUTE, {"json": {"api_key": CANARY, "sync_id": "x"}}),
                ("POST", contract.END_ROUTE, {"json": {"api_key": [CANARY], "sync_id": 1}}),
                ("POST", contract.END_ROUTE, {"json": {"api_key": CANARY, "sync_id": 77}}),
            ):
                answer = http.request(method, url, headers=headers, **body)
                answers.append(repr(answer.headers).encode() + answer.content)
                assert answer.status_code < 500
        for raw in (
            b"GET /?api_key=%s HTTP/9.9\r\n\r\n",
            b"%s\r\n\r\n",
            b"GET / HTTP/1.1\r\n%s\r\n\r\n",
        ):
            with socket.create_connection(("127.0.0.1", server.port), 60) as plain:
                answers.append(
                    _said_to(
                        trusting().wrap_socket(plain, server_hostname="127.0.0.1"),
                        raw % CANARY.encode(),
                    )
                )
        arguments = Path(f"/proc/{server.process.pid}/cmdline")
        if arguments.exists():
            answers.append(arguments.read_bytes())
        server.stop()
        log = server.errors.read_bytes()
    assert b"/api/ingestion/file/sync/list" in log
    assert [line for line in log.splitlines() if CANARY.encode() in line] == []
    assert not [it for it in answers if CANARY.encode() in it]
    kept = [path for path in lake.rglob("*") if path.is_file()]
    assert not [path for path in kept if CANARY.encode() in path.read_bytes()]
    assert not [path for path in kept if CANARY in path.name]


def _said_to(connection: socket.socket, raw: bytes) -> bytes:
    came = b""
    with connection:
        connection.sendall(raw)
        while piece := connection.recv(65_536):
            came += piece
    return came
