"""A web site of somebody else's, and a real Chromium that a person opens it with."""

from __future__ import annotations

import json
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from typing import Any

from tests.support.needs import needs_tool
from tests.support.wire import HUNG_S

_PAGE = Path(__file__).with_name("evil_page.js")
_QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--disable-extensions", "--no-default-browser-check",
)  # fmt: skip
Told = list[dict[str, str]]


class EvilSite:
    """Serves its page at any path of any of its names, and takes what the page tells."""

    def __init__(self, script: str) -> None:
        self.said: Queue[bytes] = Queue()
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site._answer(self, site.page)

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.path == "/told":
                    site.said.put(body)
                else:
                    kind = self.headers["Content-Type"].encode("latin-1")
                    site.said.put(kind + b"\r\n\r\n" + body)
                site._answer(self, b"thanks")

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        script = script.replace("SITE", f"http://127.0.0.1:{self.port}")
        self.page = f"<!doctype html><body><script>{script}</script>".encode()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @staticmethod
    def _answer(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "text/html")
        handler.send_header("Content-Length", str(len(body)))
        handler.send_header("Connection", "close")
        handler.end_headers()
        handler.wfile.write(body)

    def told(self) -> Told:
        """What the page found out; fails where it says nothing."""
        found: Told = json.loads(self.said.get(timeout=HUNG_S))
        return found

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> EvilSite:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def attacking(lake: str, version: int) -> str:
    """The page's script; `lake` is empty where the page is of the lake's own origin."""
    values = f"const LAKE = {json.dumps(lake)}, VERSION = {version};\n"
    return values + _PAGE.read_text("utf-8") + "\nall();"


class Rebound:
    """evil.test on the lake's own port: its page at first, and the lake itself from then on.

    That is what a name becomes whose DNS answer changes: the origin stays, the machine is another.
    The relay stands in for the second answer: the lake sees loopback and `Host: evil.test:port`.
    """

    ADDRESS = "127.0.0.2"

    def __init__(self, port: int, page: bytes) -> None:
        self._port = port
        self._head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n"
        self._page = page
        self.relayed = 0
        self._listener = socket.create_server((self.ADDRESS, port))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._one, args=(client,), daemon=True).start()

    def _one(self, client: socket.socket) -> None:
        with client:
            first = client.recv(1 << 16)
            if first.startswith(b"GET /evil-page "):
                length = b"Content-Length: %d\r\n\r\n" % len(self._page)
                client.sendall(self._head + length + self._page)
                return
            if not first:
                return
            self.relayed += 1
            with socket.create_connection(("127.0.0.1", self._port)) as lake:
                lake.sendall(first)
                back = threading.Thread(target=_copied, args=(lake, client), daemon=True)
                back.start()
                _copied(client, lake)
                back.join()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def __enter__(self) -> Rebound:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _copied(source: socket.socket, target: socket.socket) -> None:
    try:
        while piece := source.recv(1 << 16):
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        return


@contextmanager
def opened_in_chromium(address: str, profile: Path, names: str = "") -> Iterator[None]:
    """`names`: host resolver rules, such as `MAP evil.test 127.0.0.2`."""
    chromium = needs_tool("chromium")
    profile.mkdir()
    rules = [f"--host-resolver-rules={names}"] if names else []
    with (profile / "chromium.log").open("wb") as log:
        process = subprocess.Popen(
            [chromium, *_QUIET, *rules, f"--user-data-dir={profile}", address],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield
    finally:
        process.terminate()
        process.wait(HUNG_S)


def dumped_by_chromium(address: str, profile: Path, names: str) -> str:
    """The page as a person sees it."""
    chromium = needs_tool("chromium")
    arguments = [*_QUIET, f"--host-resolver-rules={names}", f"--user-data-dir={profile}"]
    done: Any = subprocess.run(
        [chromium, *arguments, "--dump-dom", address],
        capture_output=True,
        check=True,
        timeout=HUNG_S,
        text=True,
    )
    return str(done.stdout)
