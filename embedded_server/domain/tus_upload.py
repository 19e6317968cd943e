"""A resumable upload (tus 1.0.0): a file that arrives in pieces, over any number of requests.

    receiving ──all bytes are durable──> arrived ──in its place──> finished
        │                                   └──cannot be put there──> failed
        └──sync over, deleted, expired, not the promised digest──> failed

`offset_bytes` only ever counts bytes that are on stable storage: after a crash or a power cut the
client is told it, and nothing before it comes again. `arrived` is written down before the file is
moved, so that a start knows which files to put in their places.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from embedded_server.contract import ErrorReason
from embedded_server.domain.errors import LakeError
from embedded_server.domain.upload import Destination


class TusState(StrEnum):
    RECEIVING = "receiving"
    ARRIVED = "arrived"
    FINISHED = "finished"
    FAILED = "failed"


_MOVES = {
    TusState.RECEIVING: {TusState.ARRIVED, TusState.FAILED},
    TusState.ARRIVED: {TusState.FINISHED, TusState.FAILED},
    TusState.FINISHED: set[TusState](),
    TusState.FAILED: set[TusState](),
}


@dataclass(frozen=True, slots=True)
class TusUpload:
    """`upload_id` cannot be guessed: whoever knows it may go on with the upload.

    `metadata` is the client's own Upload-Metadata, told back to it as it came. `expected_sha256`
    and `sha256` are 64 hex digits, or empty: not promised, not known yet. Times in ms since 1970.
    """

    upload_id: str
    sync_id: int
    where: Destination
    length_bytes: int
    metadata: str
    expected_sha256: str
    created_at_ms: int
    touched_at_ms: int
    offset_bytes: int = 0
    state: TusState = TusState.RECEIVING
    sha256: str = ""
    message: str = ""
    key_name: str = ""
    history_id: int = 0  # given by the catalog

    def arrived(self, sha256: str) -> TusUpload:
        return replace(
            self._moved_to(TusState.ARRIVED), offset_bytes=self.length_bytes, sha256=sha256
        )

    def finished(self) -> TusUpload:
        return self._moved_to(TusState.FINISHED)

    def failed(self, message: str) -> TusUpload:
        return replace(self._moved_to(TusState.FAILED), message=message)

    def _moved_to(self, state: TusState) -> TusUpload:
        """Raises `ValueError` for a move that the picture above does not have."""
        if state not in _MOVES[self.state]:
            raise ValueError(f"a resumable upload does not go from {self.state} to {state}")
        return replace(self, state=state)

    @property
    def is_over(self) -> bool:
        return self.state in (TusState.FINISHED, TusState.FAILED)


_REASONS = {
    404: ErrorReason.NOT_FOUND,
    410: ErrorReason.EXPIRED,
    413: ErrorReason.QUOTA_EXCEED,
    423: ErrorReason.BAD_REQUEST,
}


class TusRefused(LakeError):
    """An answer that the protocol gives a status of its own; the reason is the contract's."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.reason = _REASONS.get(status, ErrorReason.INVALID_PARAM)


class WrongOffset(TusRefused):
    def __init__(self, offset_bytes: int) -> None:
        super().__init__(409, f"the server has {offset_bytes} bytes of this file: go on from there")


class UploadGone(TusRefused):
    """Not known, or over: the client begins again (tus 1.0.0, "HEAD": 404, 410 or 403)."""

    def __init__(self, why: str = "") -> None:
        super().__init__(410 if why else 404, why or "there is no such upload: begin it again")


class ChecksumMismatch(TusRefused):
    def __init__(self, what: str) -> None:
        super().__init__(460, f"the bytes do not have the checksum that came with {what}")


class UploadBusy(TusRefused):
    def __init__(self) -> None:
        super().__init__(423, "another request is writing to this upload: try again in a moment")
