"""A small server that speaks the plain contract, the five calls and nothing else, to try against.

    LAKEDROP_API_KEY=… python -m tests.support.plain_server --root DIR --port 0

Its first line of output is its address. It can be told to misbehave; every count is of calls since
its start:

    --fail-first N           the first N uploads are answered 500, nothing is stored
    --fail-every K           so is every K-th upload
    --busy-first N           the first N uploads are answered 503 with Retry-After
    --retry-after TEXT       the header's value (0)
    --html-first N           the first N uploads are answered by a proxy's page (502)
    --drop-uploads N         the first N uploads are stored, and the connection cut without answer
    --drop-starts N          so for start …
    --drop-ends N            … and for end
    --refuse-name NAME       uploads of this name are answered 200 with code 1
    --read-bytes-per-s N     bodies are read no faster than this
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import socketserver
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.support.plain_lake import PlainLake, Refused, one_file_of

KEY_VARIABLE = "LAKEDROP_API_KEY"
_REPOSITORY = Path(__file__).resolve().parents[2]
_READ_BYTES = 64 * 1024
_PROXY_PAGE = b"<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"


class _CutConnection(Exception):
    """The answer is not given."""


class _Failing(Exception):
    """A fault that the command line asked for: this status and body instead of the call."""

    def __init__(self, status: int, body: bytes, content_type: str) -> None:
        super().__init__(status)
        self.status = status
        self.body = body
        self.content_type = content_type


class _PlainServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, lake: PlainLake, faults: argparse.Namespace) -> None:
        super().__init__(("127.0.0.1", faults.port), _Call)
        self.lake = lake
        self.faults = faults
        self._seen: Counter[str] = Counter()
        self._lock = threading.Lock()

    def server_bind(self) -> None:
        # Not HTTPServer's own, which asks the network for this machine's full name.
        socketserver.TCPServer.server_bind(self)

    def handle_error(self, request: object, client_address: object) -> None:
        # A client that hangs up is what some tests are about; anything else is told as usual.
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]

    def nth(self, event: str) -> int:
        """How often it happened, this time included."""
        with self._lock:
            self._seen[event] += 1
            return self._seen[event]

    def fail_as_asked(self) -> None:
        faults, number = self.faults, self.nth("upload")
        if number <= faults.html_first:
            raise _Failing(502, _PROXY_PAGE, "text/html")
        if number <= faults.busy_first:
            raise _Failing(503, _error(503, "internal_error", "busy"), "application/json")
        if number <= faults.fail_first or (faults.fail_every and number % faults.fail_every == 0):
            raise _Failing(500, _error(500, "internal_error", "disk trouble"), "application/json")

    def cut_as_asked(self, call: str) -> None:
        if self.nth(f"{call} done") <= getattr(self.faults, f"drop_{call}s"):
            raise _CutConnection


class _Call(BaseHTTPRequestHandler):
    server: _PlainServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body leave as one packet

    def do_GET(self) -> None:
        self._answer_call("GET")

    def do_POST(self) -> None:
        self._answer_call("POST")

    def _answer_call(self, method: str) -> None:
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        try:
            body = self._body()
            match method, url.path:
                case "POST", "/api/ingestion/file/sync/start":
                    wire: Any = self.server.lake.start(_fields(body, query))
                    self.server.cut_as_asked("start")
                case "POST", "/api/lake/file/upload":
                    wire = self._upload(query, body)
                    self.server.cut_as_asked("upload")
                case "POST", "/api/ingestion/file/sync/end":
                    wire = self.server.lake.end(_fields(body, query))
                    self.server.cut_as_asked("end")
                case "GET", "/api/ingestion/file/sync/list":
                    wire = self.server.lake.jobs(*_page(query))
                case "GET", "/api/ingestion/file/sync/history":
                    wire = self.server.lake.history(*_page(query))
                case _:
                    return self._send(404, _error(404, "not_found", "Resource not found"))
        except Refused as refusal:
            return self._send(400, _error(400, refusal.reason, refusal.message))
        except _Failing as failing:
            return self._send(failing.status, failing.body, failing.content_type)
        except _CutConnection:
            self.close_connection = True
            return None
        return self._send(200, json.dumps(wire).encode())

    def _upload(self, query: dict[str, str], body: bytes) -> dict[str, Any]:
        lake = self.server.lake
        name, content = one_file_of(self.headers.get("Content-Type", ""), body)
        sync_id = _whole_number(query, "sync_id", None)
        row = lake.begin_upload(sync_id, name)
        failure: str | None = "the upload failed"
        try:
            self.server.fail_as_asked()
            if name == self.server.faults.refuse_name:
                failure = "this file is not welcome"
                return {"code": 1, "msg": failure}
            lake.store(sync_id, query.get("path"), name, content)
            failure = None
        finally:
            lake.end_upload(row, failure)
        return {"code": 0, "msg": None}

    def _body(self) -> bytes:
        left = int(self.headers.get("Content-Length", "0"))
        rate = self.server.faults.read_bytes_per_s
        pieces = []
        while left:
            piece = self.rfile.read(min(left, _READ_BYTES, rate or _READ_BYTES))
            if not piece:  # the client left in the middle
                raise _CutConnection
            pieces.append(piece)
            left -= len(piece)
            if rate:
                time.sleep(len(piece) / rate)
        return b"".join(pieces)

    def _send(self, status: int, body: bytes, content_type: str = "application/json") -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        if status == 503:
            self.send_header("Retry-After", self.server.faults.retry_after)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Silent: the first line of output must stay the address."""


def _fields(body: bytes, query: dict[str, str]) -> dict[str, Any]:
    """The JSON body; the public backend takes the key from the query as well."""
    try:
        fields = json.loads(body)
    except ValueError as cause:
        raise Refused("the body is not JSON", "invalid_param") from cause
    if not isinstance(fields, dict):
        raise Refused("the body is not an object", "invalid_param")
    if "api_key" in query:
        fields.setdefault("api_key", query["api_key"])
    return fields


def _page(query: dict[str, str]) -> tuple[int, int]:
    return _whole_number(query, "from", 0), min(_whole_number(query, "size", 10), 1000)


def _whole_number(query: dict[str, str], name: str, default: int | None) -> int:
    text = query.get(name)
    if text is None and default is not None:
        return default
    if text is None or not text.isascii() or not text.isdigit():
        raise Refused(f"{name} is not a number", "invalid_param")
    return int(text)


def _error(status: int, reason: str, message: str) -> bytes:
    return json.dumps({"code": status, "reason": reason, "message": message}).encode()


def main() -> None:
    parser = argparse.ArgumentParser(description="A plain upload server to test against.")
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--port", type=int, default=0)
    for count in (
        *("fail-first", "fail-every", "busy-first", "html-first"),
        *("drop-uploads", "drop-starts", "drop-ends", "read-bytes-per-s"),
    ):
        parser.add_argument(f"--{count}", type=int, default=0)
    parser.add_argument("--retry-after", default="0")
    parser.add_argument("--refuse-name", default="")
    parser.add_argument("--until-stdin-ends", action="store_true")
    options = parser.parse_args()
    server = _PlainServer(PlainLake(options.root, os.environ[KEY_VARIABLE]), options)
    print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
    if options.until_stdin_ends:
        threading.Thread(target=_end_with_stdin, daemon=True).start()
    with contextlib.suppress(KeyboardInterrupt):
        server.serve_forever()


def _end_with_stdin() -> None:
    """A test that was itself killed leaves no server behind."""
    sys.stdin.buffer.read()
    os._exit(0)


@dataclass(frozen=True, slots=True)
class RunningPlainServer:
    """`root` holds what `plain_lake` says: files, staging, trash."""

    address: str
    root: Path
    key: str
    process: subprocess.Popen[str]

    def kill(self) -> None:
        """As a power switch: no goodbye (SIGKILL where there is one)."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()


@contextlib.contextmanager
def running_plain_server(
    root: Path, key: str, *, port: int = 0, **faults: int | str
) -> Iterator[RunningPlainServer]:
    """`faults` are the switches of the command line, such as `fail_first=3`."""
    switches = [
        text for name, value in faults.items() for text in (f"--{name.replace('_', '-')}", value)
    ]
    with subprocess.Popen(
        [
            *(sys.executable, "-m", "tests.support.plain_server", "--until-stdin-ends"),
            *("--root", str(root), "--port", str(port)),
            *map(str, switches),
        ],
        cwd=_REPOSITORY,
        env={**os.environ, KEY_VARIABLE: key},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            address = process.stdout.readline().strip()
            assert address, "the plain server did not start"
            yield RunningPlainServer(address, root, key, process)
        finally:
            process.kill()


if __name__ == "__main__":
    main()
