"""A port for a peer's server, and waiting until it is there."""

from __future__ import annotations

import socket
import subprocess
from contextlib import closing


def free_port() -> socket.socket:
    """Bound, so that nobody else is given it meanwhile; close it before the server starts."""
    held = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    held.bind(("127.0.0.1", 0))
    return held


def wait_until_it_listens(port: int, server: subprocess.Popen[bytes]) -> None:
    while server.poll() is None:
        with closing(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) as knock:
            knock.settimeout(0.1)
            if knock.connect_ex(("127.0.0.1", port)) == 0:
                return
    raise SystemExit("the peer's server did not start")
