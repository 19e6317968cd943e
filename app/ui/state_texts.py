"""States in words, with the icon and the tone that go with them: the same everywhere."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QObject

from app.domain.queue_item import Assurance, ItemState
from app.domain.upload_job import JobState
from app.ui.tokens import Tone
from embedded_server.contract import SyncStatus, SyncType


@dataclass(frozen=True, slots=True)
class Shown:
    """A state as a person sees it: text, Lucide icon, tone."""

    text: str
    icon: str
    tone: Tone


class StateTexts(QObject):
    def item(self, state: ItemState, assurance: Assurance = Assurance.NONE) -> Shown:
        match state:
            case ItemState.QUEUED:
                return Shown(self.tr("Queued"), "clock", Tone.MUTED)
            case ItemState.UPLOADING:
                return Shown(self.tr("Uploading"), "arrow-up-from-line", Tone.ACCENT)
            case ItemState.VERIFYING:
                return Shown(self.tr("Verifying"), "shield-check", Tone.ACCENT)
            case ItemState.WAITING:
                return Shown(self.tr("Waiting"), "hourglass", Tone.WARN)
            case ItemState.UPLOADED if assurance is Assurance.VERIFIED:
                return Shown(self.tr("Verified"), "shield-check", Tone.GOOD)
            case ItemState.UPLOADED:
                return Shown(self.tr("Uploaded"), "check", Tone.GOOD)
            case ItemState.ALREADY_IN_LAKE:
                return Shown(self.tr("Already there"), "equal", Tone.GOOD)
            case ItemState.FAILED:
                return Shown(self.tr("Failed"), "circle-alert", Tone.BAD)
            case ItemState.CANCELLED:
                return Shown(self.tr("Cancelled"), "ban", Tone.MUTED)

    def job(self, state: JobState) -> Shown:
        match state:
            case JobState.DRAFT:
                return Shown(self.tr("Not started"), "square-pen", Tone.MUTED)
            case JobState.QUEUED:
                return Shown(self.tr("Waiting to start"), "clock", Tone.MUTED)
            case JobState.STARTING:
                return Shown(self.tr("Starting"), "arrow-up-from-line", Tone.ACCENT)
            case JobState.UPLOADING:
                return Shown(self.tr("Uploading"), "arrow-up-from-line", Tone.ACCENT)
            case JobState.ENDING:
                return Shown(self.tr("Finishing"), "hourglass", Tone.ACCENT)
            case JobState.FINISHED:
                return Shown(self.tr("Finished"), "circle-check", Tone.GOOD)
            case JobState.PAUSED:
                return Shown(self.tr("Paused"), "circle-pause", Tone.WARN)
            case JobState.NEEDS_ATTENTION:
                return Shown(self.tr("Needs attention"), "triangle-alert", Tone.WARN)
            case JobState.FAILED:
                return Shown(self.tr("Failed"), "circle-x", Tone.BAD)
            case JobState.CANCELLED:
                return Shown(self.tr("Cancelled"), "ban", Tone.MUTED)

    def sync_status(self, status: SyncStatus) -> Shown:
        """The server's word for a sync or for an upload."""
        match status:
            case SyncStatus.SYNCING:
                return Shown(self.tr("Syncing"), "arrow-up-from-line", Tone.ACCENT)
            case SyncStatus.FINISHED:
                return Shown(self.tr("Finished"), "circle-check", Tone.GOOD)
            case SyncStatus.FAILED:
                return Shown(self.tr("Failed"), "circle-x", Tone.BAD)

    def mode(self, mode: SyncType) -> str:
        return self.tr("Full") if mode is SyncType.FULL else self.tr("Incremental")

    def connection(self, name: str) -> str:
        """The local lake's own name in words; remotes are called as the user called them."""
        return self.tr("Local lake") if name == "local" else name
