"""Frozen values handed to the screens, and their form on the engine's socket."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.domain.upload_job import JobState
from embedded_server.contract import SyncType


@dataclass(frozen=True, slots=True)
class ActiveTransfer:
    """One request under way: a file, or a batch of small ones told by its first file.

    `item_ids` are the items in it as [first, last] ranges; `verifying`: all bytes are sent, and
    the server's answer about them is awaited.
    """

    lake_path: str
    files: int
    sent_bytes: int
    size_bytes: int
    item_ids: tuple[tuple[int, int], ...] = ()
    verifying: bool = False


@dataclass(frozen=True, slots=True)
class JobSnapshot:
    """A job at one moment. Sizes are bytes, `speed_bytes_s` a mean over the last seconds.

    Times are milliseconds since 1970-01-01 UTC, 0 where not yet. `rows_version` grows when items
    were removed or the lake paths of all changed; items that are added only grow `files`.
    """

    job_id: int
    name: str
    connection: str
    destination: str
    mode: SyncType
    state: JobState
    message: str
    intake_done: bool
    sync_id: int | None
    plain_server: bool
    files: int
    bytes: int
    files_arrived: int
    files_verified: int
    files_failed: int
    files_cancelled: int
    files_left_out: int
    bytes_sent: int
    speed_bytes_s: float
    waiting_reason: str  # why nothing moves right now, "" while it does
    active: tuple[ActiveTransfer, ...] = ()
    problem: str = ""  # the kind of the error that made the job rest
    contents_only: bool = False
    kept: bool = False
    aborted: bool = False  # the server was told that the sync is given up
    created_at_ms: int = 0
    started_at_ms: int = 0
    ended_at_ms: int = 0
    rows_version: int = 0
    files_already_in_lake: int = 0  # of those that arrived: not sent, the lake had them
    receipt: str = ""  # the path where it is kept
    receipt_problem: str = ""
    receipt_due: bool = False  # it is about to be kept
    limit_bytes_s: int = 0  # what all uploads together may take right now; 0 is no limit
    next_try_at_ms: int = 0  # when what waits (`waiting_reason`) is tried again
    waiting: tuple[tuple[int, str], ...] = ()  # items that wait to be tried again, with the reason

    def to_wire(self) -> dict[str, Any]:
        wire = {name: getattr(self, name) for name in self.__slots__}
        wire["mode"], wire["state"] = self.mode.value, self.state.value
        wire["active"] = [
            [getattr(transfer, name) for name in transfer.__slots__] for transfer in self.active
        ]
        return wire

    @classmethod
    def from_wire(cls, wire: Mapping[str, Any]) -> JobSnapshot:
        fields = {name: wire[name] for name in cls.__slots__}
        fields["mode"], fields["state"] = SyncType(fields["mode"]), JobState(fields["state"])
        fields["active"] = tuple(
            ActiveTransfer(path, files, sent, size, id_ranges(ids), verifying)
            for path, files, sent, size, ids, verifying in fields["active"]
        )
        fields["waiting"] = tuple((item_id, reason) for item_id, reason in fields["waiting"])
        return cls(**fields)


def id_ranges(wire: Iterable[Sequence[int]]) -> tuple[tuple[int, int], ...]:
    """Ranges [first, last] as they come over the socket; raises `ValueError` for anything else."""
    return tuple((int(first), int(last)) for first, last in wire)


def as_ranges(item_ids: Iterable[int]) -> tuple[tuple[int, int], ...]:
    """Growing numbers as compact ranges: 1, 2, 3, 7 are (1, 3), (7, 7)."""
    ranges: list[tuple[int, int]] = []
    first = last = None
    for item_id in item_ids:
        if first is None or last is None:
            first = last = item_id
        elif item_id == last + 1:
            last = item_id
        else:
            ranges.append((first, last))
            first = last = item_id
    if first is not None and last is not None:
        ranges.append((first, last))
    return tuple(ranges)
