"""Everything the server can refuse or fail at, each with the answer that goes on the wire.

    LakeError
    ├── InvalidParam        400 invalid_param    fix the request (field, path, name, body)
    ├── Refused             400 bad_request      the request is well-formed but cannot be done
    │   ├── WrongKey            "invalid api key"
    │   ├── SyncNotFound        "sync info for id 8 not found"
    │   ├── SyncAlreadyEnded    "job is already ended"
    │   ├── SyncAborted         "sync 8 was aborted: …"
    │   ├── EndHasBegun         too late to abort
    │   └── PathConflict        a file, folder or link stands in the way
    ├── NotAuthenticated    401 not_authenticated  a key is missing, or nobody knows it
    ├── NotAllowed          403 not_allowed        the key is known, and may not do this
    ├── TooManyTries        429 bad_request        too many unknown keys or syncs: wait
    ├── NothingThere        404 not_found        the path, or the version, is not there
    ├── SyncExpired         410 expired          start a new sync
    ├── KeyUsedOtherwise    422 invalid_param    an Idempotency-Key came again with another body
    ├── RangeNotSatisfiable 416 invalid_param    the file has no such part
    ├── BodyTooLarge        413 quota_exceed     send less in one request
    ├── LakeFull            507 quota_exceed     make room, then send again
    ├── ServerStopping      503 internal_error   send again later
    ├── CatalogBusy         503 internal_error   another program holds the catalog
    └── LakeFault           500 internal_error   the disk or the catalog failed

A text of these errors is made for the person who sent the request: it never holds a path of this
machine outside the lake, nor a key.
"""

from __future__ import annotations

from collections.abc import Mapping

from embedded_server import contract
from embedded_server.contract import ErrorReason

BEARER_CHALLENGE = f'Bearer realm="{contract.PRODUCT}"'  # RFC 6750, section 3


class LakeError(Exception):
    """An answer other than success; `status` is the HTTP status and the body's `code`."""

    status = 500
    reason = ErrorReason.INTERNAL_ERROR

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def headers(self) -> Mapping[str, str]:
        """What the answer says besides its body."""
        return {}


class InvalidParam(LakeError):
    status = 400
    reason = ErrorReason.INVALID_PARAM


class Refused(LakeError):
    status = 400
    reason = ErrorReason.BAD_REQUEST


class WrongKey(Refused):
    def __init__(self) -> None:
        super().__init__(contract.INVALID_API_KEY)


class SyncNotFound(Refused):
    def __init__(self, sync_id: int) -> None:
        super().__init__(contract.sync_not_found_text(sync_id))


class SyncAlreadyEnded(Refused):
    def __init__(self) -> None:
        super().__init__(contract.JOB_ALREADY_ENDED)


class SyncAborted(Refused):
    def __init__(self, sync_id: int) -> None:
        super().__init__(contract.sync_aborted_text(sync_id))


class EndHasBegun(Refused):
    def __init__(self, sync_id: int) -> None:
        super().__init__(
            f"the end of sync {sync_id} has begun and cannot be taken back: end it again"
        )


class NothingThere(LakeError):
    status = 404
    reason = ErrorReason.NOT_FOUND


class ChangedMeanwhile(LakeError):
    """What a client named by the state in which it saw it is in another one by now."""

    status = 409
    reason = ErrorReason.BAD_REQUEST


class SyncExpired(LakeError):
    status = 410
    reason = ErrorReason.EXPIRED

    def __init__(self, sync_id: int) -> None:
        super().__init__(contract.sync_expired_text(sync_id))


class KeyUsedOtherwise(LakeError):
    status = 422
    reason = ErrorReason.INVALID_PARAM

    def __init__(self) -> None:
        super().__init__(
            "this Idempotency-Key was sent before with another name, path or sync_type:"
            " use a new key for a new sync"
        )


class PathConflict(Refused):
    """A file where a folder is needed, a folder where a file is, or a link in the way."""


class NotAuthenticated(LakeError):
    """The challenge tells a client that a key in `Authorization: Bearer` would let it in."""

    status = 401
    reason = ErrorReason.NOT_AUTHENTICATED

    def headers(self) -> Mapping[str, str]:
        return {"WWW-Authenticate": BEARER_CHALLENGE}


class NotAllowed(LakeError):
    status = 403
    reason = ErrorReason.NOT_ALLOWED


class TooManyTries(LakeError):
    status = 429
    reason = ErrorReason.BAD_REQUEST

    def __init__(self, what: str, retry_after_s: int) -> None:
        super().__init__(f"too many {what} from this address: try again in {retry_after_s} s")
        self.retry_after_s = retry_after_s

    def headers(self) -> Mapping[str, str]:
        return {"Retry-After": str(self.retry_after_s)}


class BodyTooLarge(LakeError):
    status = 413
    reason = ErrorReason.QUOTA_EXCEED


class RangeNotSatisfiable(LakeError):
    status = 416
    reason = ErrorReason.INVALID_PARAM

    def __init__(self, size_bytes: int) -> None:
        super().__init__(f"the file has {size_bytes} bytes: there is nothing in that range")
        self.size_bytes = size_bytes

    def headers(self) -> Mapping[str, str]:
        return {"Content-Range": f"bytes */{self.size_bytes}"}


class LakeFull(LakeError):
    status = 507
    reason = ErrorReason.QUOTA_EXCEED

    def __init__(self) -> None:
        super().__init__("the lake's disk is full: make room on it, then send the file again")


class ServerStopping(LakeError):
    status = 503

    def __init__(self) -> None:
        super().__init__("the server is stopping: send again when it is back")


class CatalogBusy(LakeError):
    status = 503

    def __init__(self) -> None:
        super().__init__(
            "another program holds the lake's catalog: close it (or end its transaction), then"
            " send again"
        )

    def headers(self) -> Mapping[str, str]:
        return {"Retry-After": "10"}


class LakeFault(LakeError):
    """The disk or the catalog failed; the cause is in the log, not on the wire."""


class CannotServe(Exception):
    """The lake cannot be opened at all; the text says what to do about it."""
