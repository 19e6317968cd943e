"""What can go wrong, told by what helps: try later, mend the file, or stop and tell.

Every error has a title (a few words), a message (a sentence a person understands, which says what
to do) and a remedy. Foreign errors become one of these at the edge that met them, the cause kept.

    LakeDropError
    ├── LakeUnreachable          try later   no connection, a cut, a time-out
    ├── LakeBusy                 try later   429, 502, 503, 504; may carry Retry-After
    ├── LakeFull                 stop        507: no space on the server
    ├── LakeRefused              stop        the server says no; its own words in the message
    │   ├── InvalidApiKey        stop
    │   ├── SyncAlreadyEnded     stop
    │   ├── SyncNotFound         stop
    │   ├── SyncExpired          stop        idle for too long: the job starts over
    │   ├── SyncAborted          stop        somebody gave it up
    │   └── FileRefused          mend file   the server does not take this name or file
    ├── LakeBroken               try later   5xx: the server failed
    ├── ContractBroken           stop        the answer is not what the contract says
    ├── DigestMismatch           try later   the server stored other bytes than were sent
    ├── SourceUnreadable         mend file   missing, no permission, a read error
    ├── SourceChanged            try later   the file changed while it was read
    ├── SourceLocked             try later   another program keeps the file to itself
    ├── SourceGone               stop        the dropped folder itself is gone, or empty
    ├── ConnectionNotUsable      stop        no such connection, no key, plain http
    ├── LocalLakeFailed          stop        the local lake's server does not start
    ├── JournalFailed            stop        the queue cannot be written
    ├── JournalSetAside          stop        the queue was damaged; told once a new one was begun
    ├── PlacesFailed             stop        its own folders cannot be made or written
    ├── WindowFailed             stop        no display, or a library of the window is missing
    └── WrongUse                 stop        a command asks for what cannot be
Cancelling is an outcome, not an error: `Cancelled` stands outside the tree.
"""

from __future__ import annotations

from enum import StrEnum


class Remedy(StrEnum):
    TRY_LATER = "try_later"
    MEND_FILE = "mend_file"
    STOP = "stop"


class LakeDropError(Exception):
    """Base of all that is told to a user. `kind` is stable and goes over the engine's socket."""

    title = "Something went wrong"
    remedy = Remedy.STOP

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    @property
    def kind(self) -> str:
        return type(self).__name__


class LakeUnreachable(LakeDropError):
    title = "The server cannot be reached"
    remedy = Remedy.TRY_LATER


class LakeBusy(LakeDropError):
    """The server asks to come back later. `retry_after_s` is its own wish, seconds, or None."""

    title = "The server is busy"
    remedy = Remedy.TRY_LATER

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class LakeBroken(LakeDropError):
    title = "The server failed"
    remedy = Remedy.TRY_LATER


class LakeFull(LakeDropError):
    title = "The server has no space left"


class LakeRefused(LakeDropError):
    title = "The server refused"


class InvalidApiKey(LakeRefused):
    title = "The API key is not accepted"


class SyncAlreadyEnded(LakeRefused):
    title = "The sync has already ended"


class SyncNotFound(LakeRefused):
    title = "The server does not know this sync"


class SyncExpired(LakeRefused):
    title = "The server has let the sync expire"


class SyncAborted(LakeRefused):
    title = "The sync was aborted"


class FileRefused(LakeRefused):
    title = "The server does not take this file"
    remedy = Remedy.MEND_FILE


class ContractBroken(LakeDropError):
    title = "The server's answer makes no sense"


class DigestMismatch(LakeDropError):
    title = "The server stored other bytes than were sent"
    remedy = Remedy.TRY_LATER


class SourceUnreadable(LakeDropError):
    title = "The file cannot be read"
    remedy = Remedy.MEND_FILE


class SourceChanged(LakeDropError):
    title = "The file changed while it was read"
    remedy = Remedy.TRY_LATER


class SourceLocked(LakeDropError):
    title = "Another program has locked the file"
    remedy = Remedy.TRY_LATER


class SourceGone(LakeDropError):
    title = "What was dropped is not there any more"


class ConnectionNotUsable(LakeDropError):
    title = "The connection cannot be used"


class LocalLakeFailed(LakeDropError):
    title = "The local lake does not start"


class JournalFailed(LakeDropError):
    title = "The upload queue cannot be written"


class JournalSetAside(LakeDropError):
    title = "The upload queue was damaged"


class PlacesFailed(LakeDropError):
    title = "LakeDrop has no place for its things"


class WindowFailed(LakeDropError):
    title = "The window cannot be opened"


class WrongUse(LakeDropError):
    title = "That cannot be done"


class Cancelled(Exception):
    """The user cancelled; raised inside a transfer to unwind it."""


_KINDS: dict[str, type[LakeDropError]] = {
    cls.__name__: cls
    for cls in (
        LakeUnreachable,
        LakeBusy,
        LakeBroken,
        LakeFull,
        LakeRefused,
        InvalidApiKey,
        SyncAlreadyEnded,
        SyncNotFound,
        SyncExpired,
        SyncAborted,
        FileRefused,
        ContractBroken,
        DigestMismatch,
        SourceUnreadable,
        SourceChanged,
        SourceLocked,
        SourceGone,
        ConnectionNotUsable,
        LocalLakeFailed,
        JournalFailed,
        JournalSetAside,
        PlacesFailed,
        WindowFailed,
        WrongUse,
    )
}


def error_from_kind(kind: str, message: str) -> LakeDropError:
    """The error again on the other side of the engine's socket."""
    return _KINDS.get(kind, LakeDropError)(message)
