"""The engine that started this server as its child, and what is said on standard output."""

from __future__ import annotations

import hmac
import json
import logging
import os
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO

from embedded_server.domain.api_key import ApiKey
from embedded_server.domain.errors import CannotServe

_MAX_LINE_BYTES = 64 << 10

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Parent:
    """What an engine that starts the server as its child says on standard input."""

    nonce: bytes = field(repr=False)
    key: ApiKey

    @classmethod
    def read(cls, stdin: IO[bytes]) -> Parent:
        """Raises `CannotServe`."""
        line = stdin.readline(_MAX_LINE_BYTES)
        try:
            told = json.loads(line)
            return cls(bytes.fromhex(told["nonce"]), ApiKey(told["api_key"]))
        except (ValueError, KeyError, TypeError, AttributeError):
            # Without the cause: it could quote the line, and the line holds the key.
            raise CannotServe(
                'the first line of standard input must be {"nonce": "<hex>", "api_key": "<key>"}'
            ) from None

    def proof(self, address: str) -> str:
        return hmac.new(self.nonce, address.encode("ascii"), "sha256").hexdigest()


def ask_at_end_of_input(stdin: IO[bytes], ask: Callable[[], None]) -> None:
    """The parent never writes again: the end of its pipe means that it is gone."""

    def wait() -> None:
        while stdin.read(1024):
            pass
        _log.info("the parent is gone: stopping")
        ask()

    threading.Thread(target=wait, name="parent-watch", daemon=True).start()


def say(line: str) -> bool:
    """Whether the line was taken. A reader that went away (`serve | head -1`) ends nothing."""
    try:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
    except OSError as cause:
        _log.warning("standard output cannot be written: %s", cause.strerror)
        # What is still in its buffer must have somewhere to go when the process ends.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
        return False
    return True
