"""Sends many dropped paths to the engine in pieces, each after the answer to the one before."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, Signal

from app.domain.errors import LakeDropError
from app.ui.context import UiContext
from app.ui.engine_client import Result

PIECE = 2_000


class SourceSender(QObject):
    """`done` tells the job whose paths all arrived; `failed` the job and what stood in the way."""

    done = Signal(int)
    failed = Signal(int, object)  # job_id, LakeDropError

    def __init__(self, context: UiContext, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._link = context.link

    def send(self, job_id: int, paths: Sequence[str], contents_only: bool) -> None:
        """Returns at once. Several may be under way, for the same job too."""
        self._send_from(job_id, paths, contents_only, 0)

    def _send_from(
        self, job_id: int, paths: Sequence[str], contents_only: bool, start: int
    ) -> None:
        if start >= len(paths):
            self.done.emit(job_id)
            return

        def next_piece(_: Result) -> None:
            self._send_from(job_id, paths, contents_only, start + PIECE)

        def give_up(error: LakeDropError) -> None:
            self.failed.emit(job_id, error)

        self._link.ask(
            "add_sources",
            next_piece,
            give_up,
            owner=self,
            job_id=job_id,
            sources=[[path, contents_only] for path in paths[start : start + PIECE]],
        )
