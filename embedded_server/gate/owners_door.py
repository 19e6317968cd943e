"""A running server's back door for its owner's commands: one line in, one line out, on loopback.

The lake's catalog has one writer, and a revoked key must be out at once, so commands on a lake that
is being served are done by its server. It tells where, and the secret of this run, in a 0600 file
of the lake's own folder: who can read that can read the lake. Not part of the HTTP server, because
that may speak TLS under another machine's name.

    {"secret": "…", "command": "revoke", "name": "ci"}  →  {"done": …} or {"problem": "…"}
"""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

from embedded_server.domain.errors import LakeError

_LONGEST_LINE_BYTES = 64 << 10
_LONGEST_WAIT_S = 10.0
_MOST_AT_ONCE = 16

Command = Callable[[dict[str, Any]], Awaitable[Any]]

_log = logging.getLogger(__name__)


class OwnersDoor:
    """Serves `do` until it is closed; lives on the event loop that opened it."""

    def __init__(self, do: Command) -> None:
        self.secret = secrets.token_urlsafe(32)
        self.port = 0
        self._do = do
        self._inside = 0
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        self._server = await asyncio.start_server(
            self._meet, "127.0.0.1", 0, limit=_LONGEST_LINE_BYTES
        )
        self.port = self._server.sockets[0].getsockname()[1]

    def close(self) -> None:
        if self._server is not None:
            self._server.close()

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._inside += 1
        try:
            if self._inside <= _MOST_AT_ONCE:
                async with asyncio.timeout(_LONGEST_WAIT_S):
                    answer = await self._answer(await reader.readline())
                    writer.write(json.dumps(answer).encode("ascii") + b"\n")
                    await writer.drain()
        except (TimeoutError, OSError, ValueError):  # a line without end is a ValueError
            return
        finally:
            self._inside -= 1
            writer.close()

    async def _answer(self, line: bytes) -> dict[str, Any]:
        try:
            asked = json.loads(line)
            offered = str(asked.pop("secret")).encode("utf-8", "surrogatepass")
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return {"problem": "this is the back door of a lake server"}
        if not hmac.compare_digest(offered, self.secret.encode("ascii")):
            return {"problem": "the secret is not the one of this run"}
        try:
            return {"done": await self._do(asked)}
        except LakeError as error:
            return {"problem": error.message}
        except Exception:  # noqa: BLE001  # told in the log; the answer must not quote a secret
            _log.exception("a command of the owner failed")
            return {"problem": "the server failed: look at its log"}
