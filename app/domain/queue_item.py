"""A file in a job: its states, and the only moves between them.

    queued ──► uploading ──► verifying ──► uploaded
      ▲            │             ├───────► already_in_lake
      │            ├── waiting ◄─┤
      ├────────────┴─────┘       │
      └── (after a crash)        └───────► failed ──► queued   (retry)
    every state that is not final ──► cancelled

After a crash everything in flight is queued again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from app.domain.errors import SourceUnreadable


class ItemState(StrEnum):
    QUEUED = "queued"
    UPLOADING = "uploading"
    VERIFYING = "verifying"
    WAITING = "waiting"
    UPLOADED = "uploaded"
    ALREADY_IN_LAKE = "already_in_lake"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Assurance(StrEnum):
    """How sure we are of an uploaded file."""

    NONE = "none"
    ACKNOWLEDGED = "acknowledged"  # the server said yes
    VERIFIED = "verified"  # the server told the digest of what it stored, and it is ours


IN_FLIGHT = frozenset({ItemState.UPLOADING, ItemState.VERIFYING, ItemState.WAITING})
ARRIVED = frozenset({ItemState.UPLOADED, ItemState.ALREADY_IN_LAKE})
FINAL = ARRIVED | {ItemState.FAILED, ItemState.CANCELLED}

_S = ItemState
_MOVES: dict[ItemState, frozenset[ItemState]] = {
    _S.QUEUED: frozenset({_S.UPLOADING, _S.FAILED, _S.CANCELLED}),
    _S.UPLOADING: frozenset({_S.VERIFYING, _S.WAITING, _S.QUEUED, _S.FAILED, _S.CANCELLED}),
    _S.VERIFYING: frozenset(
        {_S.UPLOADED, _S.ALREADY_IN_LAKE, _S.WAITING, _S.QUEUED, _S.FAILED, _S.CANCELLED}
    ),
    _S.WAITING: frozenset({_S.UPLOADING, _S.QUEUED, _S.FAILED, _S.CANCELLED}),
    _S.UPLOADED: frozenset(),
    _S.ALREADY_IN_LAKE: frozenset(),
    _S.FAILED: frozenset({_S.QUEUED}),
    _S.CANCELLED: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Stamp:
    """By what a file is seen to be another one: size, and the times of its last changes.

    `changed_ns` (of the inode) moves also where somebody has set `modified_ns` back; on Windows it
    is the time of creation.
    """

    size_bytes: int
    modified_ns: int
    changed_ns: int


@dataclass(frozen=True, slots=True)
class KnownDigest:
    """A source as it was when it was read whole."""

    stamp: Stamp
    sha256: str


class IllegalMove(Exception):
    """A move that the table does not have: a bug in the program."""


@dataclass(frozen=True, slots=True)
class QueueItem:
    """`source` is the file on this machine; `folder` its absolute folder on the lake."""

    item_id: int
    job_id: int
    source: str
    folder: str
    name: str
    size_bytes: int
    modified_ns: int
    state: ItemState = ItemState.QUEUED
    assurance: Assurance = Assurance.NONE
    tries: int = 0
    message: str = ""
    sha256: str = ""
    problem: str = ""  # the kind of the error that failed it, e.g. "FileRefused"
    depth: int = 0  # how many folders lie between the dropped one and the file

    def moved_to(self, state: ItemState, message: str = "", problem: str = "") -> QueueItem:
        """The item in its next state; raises `IllegalMove` where the table has no such move."""
        if state not in _MOVES[self.state]:
            raise IllegalMove(f"item {self.item_id}: {self.state} to {state}")
        return replace(self, state=state, message=message, problem=problem)

    def arrived(self, assurance: Assurance, sha256: str) -> QueueItem:
        moved = self.moved_to(ItemState.UPLOADED)
        return replace(moved, assurance=assurance, sha256=sha256)

    def found_in_lake(self, sha256: str, size_bytes: int) -> QueueItem:
        """Under way, and seen to need no sending."""
        moved = self.moved_to(ItemState.VERIFYING).moved_to(ItemState.ALREADY_IN_LAKE)
        return replace(moved, assurance=Assurance.VERIFIED, sha256=sha256, size_bytes=size_bytes)

    @property
    def lake_path(self) -> str:
        return f"{self.folder}/{self.name}"


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file that intake found, before the journal gave it a number.

    `folder` is the lake folder below the job's destination, "" or such as "/sales/2026". Its first
    part `top`, "" or "/sales", is the dropped folder's own name, which the job may leave out.

    `problem` says why it cannot be uploaded at all (a folder that cannot be listed, say). It is
    planned all the same and counts as failed, so that a full sync never ends without it.
    """

    source: str
    folder: str
    name: str
    size_bytes: int
    modified_ns: int
    problem: str = ""
    top: str = ""

    @property
    def problem_kind(self) -> str:
        return SourceUnreadable.__name__ if self.problem else ""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something that intake met and does not upload, with the reason in words."""

    source: str
    reason: str
