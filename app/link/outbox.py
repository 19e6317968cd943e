"""Requests that nobody waits for: sent by a thread of their own, each answered exactly once."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from app.domain.errors import LakeDropError, WrongUse, error_from_kind
from app.link.protocol import MAX_FRAME_BYTES, encode

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a request: its result, or the error; the other one is None."""

    result: dict[str, Any] | None
    error: LakeDropError | None


OnAnswer = Callable[[Answer], None]


def answer_of(message: Mapping[str, Any]) -> Answer:
    """An answer as it came from the socket."""
    if "error" in message:
        error = message["error"]
        told = error_from_kind(str(error.get("kind", "")), str(error.get("message", "")))
        return Answer(None, told)
    result = message.get("result")
    return Answer(result if isinstance(result, dict) else {}, None)


class Outbox:
    """Encodes and sends, so that neither a long list nor a busy engine holds up who posts.

    `send` hands a frame to the socket and raises `EngineGone`. `answer` and `end` are called by
    the thread that reads.
    """

    def __init__(self, send: Callable[[bytes], None]) -> None:
        self._send = send
        self._news = threading.Condition()  # guards all below
        self._open: dict[int, OnAnswer] = {}
        self._unsent: deque[tuple[int, str, Mapping[str, Any]]] = deque()
        self._has_ended = False
        self._has_sender = False

    def post(
        self, request_id: int, command: str, args: Mapping[str, Any], on_answer: OnAnswer
    ) -> None:
        with self._news:
            self._open[request_id] = on_answer
            self._unsent.append((request_id, command, args))
            self._news.notify_all()
            if self._has_sender:
                return
            self._has_sender = True
        threading.Thread(target=self._send_all, name="engine-sender", daemon=True).start()

    def answer(self, request_id: int, message: Mapping[str, Any]) -> bool:
        """Whether it was the answer to a posted request."""
        with self._news:
            if request_id not in self._open:
                return False
        # Outside the lock: whoever is told may post the next one.
        self._finish(request_id, answer_of(message))
        return True

    def end(self, error: LakeDropError) -> None:
        """The connection is over: everybody who waits is told so."""
        with self._news:
            self._has_ended = True
            left = list(self._open)
            self._news.notify_all()
        for request_id in left:
            self._finish(request_id, Answer(None, error))

    def _finish(self, request_id: int, answer: Answer) -> None:
        with self._news:
            on_answer = self._open.pop(request_id, None)
        if on_answer is None:
            return
        try:
            on_answer(answer)
        except Exception:
            # The listener's own fault must not cost everybody else the connection.
            log.critical("a listener failed at the engine's answer", exc_info=True)

    def _send_all(self) -> None:
        while True:
            with self._news:
                while not self._unsent and not self._has_ended:
                    self._news.wait()
                if not self._unsent:
                    self._has_sender = False
                    return
                request_id, command, args = self._unsent.popleft()
                if request_id not in self._open:  # told already that the engine is gone
                    continue
            try:
                self._send(_frame(request_id, command, args))
            except LakeDropError as error:
                self._finish(request_id, Answer(None, error))


def _frame(request_id: int, command: str, args: Mapping[str, Any]) -> bytes:
    try:
        frame = encode({"id": request_id, "command": command, "args": args})
    except (TypeError, ValueError) as cause:
        raise WrongUse(f"The request {command!r} cannot be sent as it is.") from cause
    if len(frame) > MAX_FRAME_BYTES:
        raise WrongUse(f"The request {command!r} is too long to be sent at once.")
    return frame
