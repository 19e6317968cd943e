"""One file on its way into the lake, and what is known of it at each step.

Tuples where one is made for every file: a frozen dataclass takes three times as long to be made.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from embedded_server.contract import SyncStatus
from embedded_server.domain.lake_path import LakePath


class Destination(NamedTuple):
    """Where a file is to lie: a folder of the lake and a base name."""

    folder: LakePath
    file_name: str


@dataclass(frozen=True, slots=True)
class ReceivedFile:
    """Bytes that arrived whole, for a temporary file of the lake; not yet in sight."""

    temporary: str
    size_bytes: int
    sha256: str
    mtime_ns: int  # its last write, 0 before it; moving it to its place does not change that
    # Its bytes, where they are in memory alone still: `Lake.publish` takes them along.
    kept: Sequence[bytes] | None = field(default=None, repr=False, compare=False)


def _stands_by_itself() -> bool:
    return False


class Published(NamedTuple):
    """A file that is in its place, durably.

    Asked by whoever is about to write its row: while `is_held` says yes, the lake's log keeps
    file and row, and the row need not be durable by itself.
    """

    mtime_ns: int
    is_held: Callable[[], bool] = _stands_by_itself


class UploadRow(NamedTuple):
    """A row of the history for an attempt that is over, in the order of the catalog's columns.

    Times in ms since 1970 UTC.
    """

    sync_id: int
    folder: str
    file_name: str
    size_bytes: int
    sha256: str  # 64 hex digits, or empty where the file never arrived whole
    started_at_ms: int
    ended_at_ms: int
    status: SyncStatus
    message: str
    mtime_ns: int = 0  # of the stored file; 0 where it never arrived whole
    key_name: str = ""  # of the key that sent it; empty where none was asked for
