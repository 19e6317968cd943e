"""Drafts made and filled: where dropped paths go, and what a new upload begins with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QObject, Signal

from app.domain.errors import LakeDropError
from app.domain.snapshots import JobSnapshot
from app.domain.upload_job import JobState
from app.ui.context import UiContext
from app.ui.engine_client import Result
from app.ui.upload.source_sender import NextPiece, SourceSender
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
        self._held: list[NextPiece] = []  # dropped while the draft they belong to is being made
        self._empty: dict[int, JobSnapshot] = {}  # made without files, as they were made
        self._sender.done.connect(self._sent)
        self._sender.failed.connect(self._not_sent)

    def is_sending(self, job_id: int) -> bool:
        return self._sending[job_id] > 0

    def add(self, chosen: JobSnapshot | None, next_piece: NextPiece) -> None:
        """Into the chosen draft; into a new one where that is no draft."""
        if self._being_made:
            self._held.append(next_piece)
        elif chosen is not None and chosen.state is JobState.DRAFT:
            self._send(chosen.job_id, next_piece)
        else:
            self._being_made = True
            self._link.in_background(
                next_piece, partial(self._make_for, chosen, next_piece), owner=self
            )

    def _make_for(
        self, like: JobSnapshot | None, next_piece: NextPiece, first: Sequence[str]
    ) -> None:
        """By the first paths; none of them: nothing was dropped that a draft could be made for."""
        if first:
            self._held.insert(0, next_piece)
            self._make(like, first)
            return
        self._being_made = False
        waiting, self._held = self._held, []
        for later in waiting:
            self.add(like, later)

    def begin(self, like: JobSnapshot | None, connection: str = "") -> None:
        """A draft to be filled: the one that nobody has touched yet, else a new one.

        It goes to `connection`; where `like` goes if that is "".
        """
        untouched = self.untouched()
        if self._being_made:
            return
        if not untouched:
            self._make(like, [], connection)
        elif connection in ("", self._link.jobs[untouched[-1]].connection):
            self.made.emit(untouched[-1])
        else:
            self._send_to(untouched[-1], connection)

    def untouched(self) -> list[int]:
        """Drafts of this window that hold nothing, and that nobody has edited."""
        jobs = self._link.jobs
        return [
            job_id
            for job_id, made in self._empty.items()
            if job_id in jobs and _is_as_made(jobs[job_id], made) and not self.is_sending(job_id)
        ]

    def _make(self, like: JobSnapshot | None, paths: Sequence[str], connection: str = "") -> None:
        """A new draft that goes where `like` (else the newest job) goes, or to `connection`."""
        jobs = self._link.jobs
        like = like or (jobs[max(jobs)] if jobs else None)
        goes_to = connection or (like.connection if like else _LOCAL)
        destination = like.destination if like else _DESTINATION
        self._ask_for(goes_to, destination, paths, or_local=not connection)

    def _ask_for(
        self, connection: str, destination: str, paths: Sequence[str], *, or_local: bool
    ) -> None:
        self._being_made = True

        def begun(result: Result) -> None:
            self._being_made = False
            job_id = int(result["job_id"])
            waiting, self._held = self._held, []
            for next_piece in waiting:
                self._send(job_id, next_piece)
            self._show_when_known(job_id, is_empty=not paths and not waiting)

        def refused(error: LakeDropError) -> None:
            self._being_made = False
            if error.kind == "ConnectionNotUsable" and or_local and connection != _LOCAL:
                # The job it is like went to a connection that is no more.
                self._ask_for(_LOCAL, destination, paths, or_local=False)
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
            sources=[[path, False] for path in paths],
            contents_only=False,
            kept=True,
        )

    def _send_to(self, job_id: int, connection: str) -> None:
        def sent(result: Result) -> None:
            self._empty[job_id] = JobSnapshot.from_wire(result)
            self.made.emit(job_id)

        self._link.ask(
            "edit_job",
            sent,
            self.failed.emit,
            owner=self,
            job_id=job_id,
            connection={"name": connection},
        )

    def _show_when_known(self, job_id: int, *, is_empty: bool) -> None:
        """Its first snapshot may come after the answer."""

        def show() -> None:
            if is_empty:
                self._empty[job_id] = self._link.jobs[job_id]
            self.made.emit(job_id)

        if job_id in self._link.jobs:
            show()
            return

        def look(changed: set[int]) -> None:
            if job_id in changed:
                self._link.jobs_changed.disconnect(look)
                show()

        self._link.jobs_changed.connect(look)

    def _send(self, job_id: int, next_piece: NextPiece) -> None:
        self._sending[job_id] += 1
        self.changed.emit()
        self._sender.send(job_id, next_piece)

    def _sent(self, job_id: int) -> None:
        self._sending[job_id] -= 1
        self.changed.emit()

    def _not_sent(self, job_id: int, error: LakeDropError) -> None:
        self._sent(job_id)
        self.failed.emit(error)


def _is_as_made(job: JobSnapshot, made: JobSnapshot) -> bool:
    return (
        job.state is JobState.DRAFT
        and job.intake_done
        and not (job.files or job.files_left_out)
        and _what_is_edited(job) == _what_is_edited(made)
    )


def _what_is_edited(job: JobSnapshot) -> tuple[object, ...]:
    return job.name, job.destination, job.mode, job.connection, job.contents_only
