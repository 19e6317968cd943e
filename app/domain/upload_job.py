"""A job: what goes where, in which mode; its states, and the only moves between them.

    draft ─► queued ─► starting ─► uploading ─► ending ─► finished
               ▲ │        │            │           │
               │ │        └────────────┴───────────┴──► needs_attention ─► queued   (retry)
               │ │        │            │           └──► failed
               │ └────────┴────────────┴──► paused ─► queued   (resume)
               └── (after a crash: starting and uploading; ending goes on as ending)
    every state that is not final ──► cancelled

*needs attention*: some files failed, or a question is open; nothing was ended.
*paused*: by the user; stays so, also in the next engine, until the user resumes it.
*failed*: the sync cannot go on at all (wrong key, refused destination).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from app.domain.connections import Connection
from app.domain.errors import ConnectionNotUsable, InvalidApiKey, WrongUse
from app.domain.picking import USUAL, Picking
from app.domain.queue_item import IllegalMove
from embedded_server.contract import SyncType

MOST_SHRINK_PERCENT = 50


class JobState(StrEnum):
    DRAFT = "draft"
    QUEUED = "queued"
    STARTING = "starting"
    UPLOADING = "uploading"
    ENDING = "ending"
    FINISHED = "finished"
    PAUSED = "paused"
    NEEDS_ATTENTION = "needs_attention"
    FAILED = "failed"
    CANCELLED = "cancelled"


PAUSABLE = frozenset({JobState.QUEUED, JobState.STARTING, JobState.UPLOADING})
RUNNING = frozenset({JobState.QUEUED, JobState.STARTING, JobState.UPLOADING, JobState.ENDING})
ENDED = frozenset({JobState.FINISHED, JobState.FAILED, JobState.CANCELLED})

_DAY_MS = 24 * 60 * 60 * 1000
_ENDED_KEPT_MS = 30 * _DAY_MS
_DRAFTS_KEPT_MS = 7 * _DAY_MS

_WANT_A_KEY = (ConnectionNotUsable.__name__, InvalidApiKey.__name__)

_S = JobState
_STOPPED = frozenset({_S.FAILED, _S.NEEDS_ATTENTION, _S.CANCELLED})
_MOVES: dict[JobState, frozenset[JobState]] = {
    _S.DRAFT: frozenset({_S.QUEUED, _S.FAILED, _S.CANCELLED}),
    _S.QUEUED: _STOPPED | {_S.STARTING, _S.UPLOADING, _S.PAUSED},
    _S.STARTING: _STOPPED | {_S.UPLOADING, _S.QUEUED, _S.PAUSED},
    _S.UPLOADING: _STOPPED | {_S.ENDING, _S.QUEUED, _S.PAUSED},
    _S.ENDING: frozenset({_S.FINISHED, _S.QUEUED, _S.FAILED, _S.NEEDS_ATTENTION}),
    _S.PAUSED: frozenset({_S.QUEUED, _S.CANCELLED}),
    _S.NEEDS_ATTENTION: frozenset({_S.QUEUED, _S.CANCELLED}),
    _S.FINISHED: frozenset(),
    _S.FAILED: frozenset(),
    _S.CANCELLED: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Source:
    """A dropped file or folder. `contents_only` leaves the folder's own name out."""

    path: str
    contents_only: bool = False


@dataclass(frozen=True, slots=True)
class PendingSource:
    """A dropped path whose files are not all in the journal yet; numbers grow with time."""

    source_id: int
    source: Source


@dataclass(frozen=True, slots=True)
class Consents:
    """What the user agreed to, each for itself; nothing is agreed to by default."""

    empty_full_sync: bool = False  # end a full sync that has no files: empties the path
    same_names_on_plain_server: bool = False  # same base name in several folders
    empty_sources: bool = False  # full only: though a dropped folder holds no file
    shrink: bool = False  # full only: though the data shrinks by more than the job's share
    end_without_failed_files: bool = False  # incremental only: end though some files failed


@dataclass(frozen=True, slots=True)
class UploadJob:
    """Times are milliseconds since 1970-01-01 UTC, 0 where not yet.

    Its sources are not part of it: the journal keeps those that are still to be taken in.
    """

    job_id: int
    connection: Connection
    destination: str
    mode: SyncType
    name: str
    state: JobState = JobState.DRAFT
    intake_done: bool = False
    consents: Consents = Consents()
    sync_id: int | None = None
    plain_server: bool = False  # as negotiated when the run began
    end_sent: bool = False  # an *end* may have reached the server, answered or not
    message: str = ""
    problem: str = ""  # the kind of the error that made it rest, e.g. "InvalidApiKey"
    created_at_ms: int = 0
    started_at_ms: int = 0
    ended_at_ms: int = 0
    contents_only: bool = False  # the dropped folders' own names are left out of the lake paths
    start_key: str = ""  # of its *start*: what was begun under it is not begun twice
    aborted: bool = False  # the server knows that it was given up
    kept: bool = False  # a draft of the window: stays until it is started or removed
    picking: Picking = USUAL  # what is taken of the dropped folders
    most_shrink_percent: int = MOST_SHRINK_PERCENT  # of files or bytes, without a consent
    send_all: bool = False  # also what the lake has already
    receipt: str = ""  # where it is kept
    receipt_problem: str = ""  # why this engine could not keep it; the next one tries again

    def moved_to(self, state: JobState, message: str = "", problem: str = "") -> UploadJob:
        """The job in its next state; raises `IllegalMove` where the table has no such move."""
        if state not in _MOVES[self.state]:
            raise IllegalMove(f"job {self.job_id}: {self.state} to {state}")
        return replace(self, state=state, message=message, problem=problem)

    def may_be_forgotten(self, now_ms: int) -> bool:
        """Ended long ago, or a draft that nobody came back to: the journal need not keep it."""
        if self.state is JobState.DRAFT:
            return not self.kept and now_ms - self.created_at_ms > _DRAFTS_KEPT_MS
        since_ms = self.ended_at_ms or self.created_at_ms
        return self.state in ENDED and now_ms - since_ms > _ENDED_KEPT_MS

    @property
    def wants_receipt(self) -> bool:
        """Over, with a sync that began: what was sent must be told for as long as anybody asks."""
        return self.state in ENDED and self.sync_id is not None and not self.receipt

    @property
    def is_shown(self) -> bool:
        """Whether a window lists it: a command line's draft is nobody else's business yet."""
        return self.kept or self.state is not JobState.DRAFT

    @property
    def waits_for_key(self) -> bool:
        return self.state is JobState.NEEDS_ATTENTION and self.problem in _WANT_A_KEY


def checked_destination(path: str) -> str:
    """The absolute lake folder without a trailing slash; raises `WrongUse` with what to write.

    The server has the full rules for names; this finds the slips of a command line early.
    """
    trimmed = path.rstrip("/")
    if not path.startswith("/") or not trimmed:
        raise WrongUse(
            f"The destination must be a folder of the lake such as /data/sales, not {path!r}."
        )
    if any("\ud800" <= character <= "\udfff" for character in trimmed):
        raise WrongUse(f"The destination is not valid Unicode, so no lake can take it: {path!r}.")
    if any(part in ("", ".", "..") for part in trimmed[1:].split("/")):
        raise WrongUse(
            f"The destination must not hold '//', '.' or '..' between its slashes: {path!r}."
        )
    return trimmed
