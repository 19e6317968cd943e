"""A large file on its way in pieces, so that a break costs no more than what was under way."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KeptUpload:
    """What is remembered, before the first byte leaves, to go on with an upload later.

    `upload_id` is the server's; whoever knows it may go on with the upload, so it is kept like the
    queue itself and never logged. `source` tells which bytes it was begun with: see
    `ports.HashedContent.identity`.
    """

    item_id: int
    job_id: int
    sync_id: int
    upload_id: str
    source: str


@dataclass(frozen=True, slots=True)
class HowFar:
    """The server has `offset_bytes` of `length_bytes` on stable storage."""

    offset_bytes: int
    length_bytes: int
