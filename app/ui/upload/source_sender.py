"""Sends many dropped paths to the engine in pieces, the next one read while one is under way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

from app.domain.errors import LakeDropError
from app.ui.context import UiContext
from app.ui.engine_client import Result

PIECE = 2_000

NextPiece = Callable[[], Sequence[str]]
"""The next paths, at most `PIECE`; none at the end. Called on other threads, one at a time."""


@dataclass(slots=True)
class _Sending:
    job_id: int
    next_piece: NextPiece
    read: Sequence[str] | None = None  # waits until the piece before it was answered
    is_reading: bool = False
    is_under_way: bool = False


class SourceSender(QObject):
    """`done` tells the job whose paths all arrived; `failed` the job and what stood in the way."""

    done = Signal(int)
    failed = Signal(int, object)  # job_id, LakeDropError

    def __init__(self, context: UiContext, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._link = context.link

    def send(self, job_id: int, next_piece: NextPiece) -> None:
        """Returns at once. Several may be under way, for the same job too."""
        self._read_on(_Sending(job_id, next_piece))

    def _read_on(self, sending: _Sending) -> None:
        """On a thread of its own: with many paths, even a piece takes longer than a frame."""

        def take(piece: Sequence[str]) -> None:
            sending.is_reading = False
            sending.read = piece
            self._send_on(sending)

        sending.is_reading = True
        self._link.in_background(sending.next_piece, take, owner=self)

    def _send_on(self, sending: _Sending) -> None:
        if sending.is_under_way or sending.is_reading:
            return
        piece, sending.read = sending.read, None
        if not piece:
            self.done.emit(sending.job_id)
            return

        def arrived(_: Result) -> None:
            sending.is_under_way = False
            self._send_on(sending)

        def give_up(error: LakeDropError) -> None:
            self.failed.emit(sending.job_id, error)

        sending.is_under_way = True
        self._link.ask(
            "add_sources",
            arrived,
            give_up,
            owner=self,
            job_id=sending.job_id,
            sources=[[path, False] for path in piece],
        )
        self._read_on(sending)
