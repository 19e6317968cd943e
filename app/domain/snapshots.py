"""Frozen values handed to the screens, and their form on the engine's socket."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.domain.upload_job import JobState
from embedded_server.contract import SyncType


@dataclass(frozen=True, slots=True)
class ActiveTransfer:
    """One request under way: a file, or a batch of small ones told by its first file."""

    lake_path: str
    files: int
    sent_bytes: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class JobSnapshot:
    """A job at one moment. Sizes are bytes, `speed_bytes_s` a mean over the last seconds."""

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

    def to_wire(self) -> dict[str, Any]:
        wire = {name: getattr(self, name) for name in self.__slots__}
        wire["mode"], wire["state"] = self.mode.value, self.state.value
        wire["active"] = [
            [transfer.lake_path, transfer.files, transfer.sent_bytes, transfer.size_bytes]
            for transfer in self.active
        ]
        return wire

    @classmethod
    def from_wire(cls, wire: Mapping[str, Any]) -> JobSnapshot:
        fields = {name: wire[name] for name in cls.__slots__}
        fields["mode"], fields["state"] = SyncType(fields["mode"]), JobState(fields["state"])
        fields["active"] = tuple(ActiveTransfer(*transfer) for transfer in fields["active"])
        return cls(**fields)
