"""Drafts made and filled: where dropped paths go, and what a new upload begins with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from PySide6.QtCore import QObject, Signal

from app.domain.errors import LakeDropError
from app.domain.snapshots import JobSnapshot
from app.domain.upload_job import JobState
from app.ui.context import UiContext
from app.ui.engine_client import Result
from app.ui.upload.source_sender import PIECE, SourceSender
from embedded_server.contract import SyncType

_DESTINATION = "/data/uploads"
_LOCAL = "local"


class NewDrafts(QObject):
    """Never begins with a full sync: that one is chosen by a person."""

    made = Signal(int)
    changed = Signal()  # whether paths are still on their way
    failed = Signal(object)  # LakeDropError

    def __init__(self, context: UiContext, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._link = context.link
        self._sender = SourceSender(context, self)
        self._sending: Counter[int] = Counter()
        self._being_made = False
        self._held: list[str] = []  # dropped while the draft they belong to is being made
        self._sender.done.connect(self._sent)
        self._sender.failed.connect(self._not_sent)

    def is_sending(self, job_id: int) -> bool:
        return self._sending[job_id] > 0

    def add(self, chosen: JobSnapshot | None, paths: Sequence[str]) -> None:
        """Into the chosen draft; into a new one where that is no draft."""
        if self._being_made:
            self._held += paths
        elif chosen is not None and chosen.state is JobState.DRAFT:
            self._send(chosen.job_id, paths)
        else:
            self.make(chosen, paths)

    def make(self, like: JobSnapshot | None, paths: Sequence[str]) -> None:
        """A new draft that goes where `like` (else the newest job) goes."""
        if self._being_made:
            self._held += paths
            return
        jobs = self._link.jobs
        like = like or (jobs[max(jobs)] if jobs else None)
        self._ask_for(
            like.connection if like else _LOCAL, like.destination if like else _DESTINATION, paths
        )

    def _ask_for(self, connection: str, destination: str, paths: Sequence[str]) -> None:
        self._being_made = True
        rest = paths[PIECE:]

        def begun(result: Result) -> None:
            self._being_made = False
            job_id = int(result["job_id"])
            more, self._held = [*rest, *self._held], []
            if more:
                self._send(job_id, more)
            self._show_when_known(job_id)

        def refused(error: LakeDropError) -> None:
            self._being_made = False
            if error.kind == "ConnectionNotUsable" and connection != _LOCAL:
                # The job it is like went to a connection that is no more.
                more, self._held = [*paths, *self._held], []
                self._ask_for(_LOCAL, destination, more)
                return
            self._held = []
            self.failed.emit(error)

        self._link.ask(
            "add_job",
            begun,
            refused,
            owner=self,
            connection={"name": connection},
            key=None,
            destination=destination,
            mode=SyncType.INCREMENTAL.value,
            name="",
            sources=[[path, False] for path in paths[:PIECE]],
            contents_only=False,
            kept=True,
        )

    def _show_when_known(self, job_id: int) -> None:
        """Its first snapshot may come after the answer."""
        if job_id in self._link.jobs:
            self.made.emit(job_id)
            return

        def look(changed: set[int]) -> None:
            if job_id in changed:
                self._link.jobs_changed.disconnect(look)
                self.made.emit(job_id)

        self._link.jobs_changed.connect(look)

    def _send(self, job_id: int, paths: Sequence[str]) -> None:
        self._sending[job_id] += 1
        self.changed.emit()
        self._sender.send(job_id, paths, False)

    def _sent(self, job_id: int) -> None:
        self._sending[job_id] -= 1
        self.changed.emit()

    def _not_sent(self, job_id: int, error: LakeDropError) -> None:
        self._sent(job_id)
        self.failed.emit(error)
