"""An error of the engine as a person needs it: what happened, what helps, and the details."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QObject

from app.domain.errors import LakeDropError
from app.ui.sentences import Sentences


@dataclass(frozen=True, slots=True)
class Presented:
    """All in the window's language; `detail` is what the engine said, where it is known a sentence
    of its own, with a server's words in it as they are."""

    title: str
    help: str
    detail: str

    @property
    def text(self) -> str:
        return (
            f"{self.detail}\n{self.help}" if self.detail and self.help else self.detail or self.help
        )


class ErrorPresenter(QObject):
    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._sentences = Sentences(self)

    def said(self, message: str) -> str:
        """An engine's message alone, in the window's language."""
        return self._sentences.said(message)

    def present(self, error: LakeDropError) -> Presented:
        return self.present_kind(error.kind, error.message)

    def present_kind(self, kind: str, detail: str) -> Presented:
        """`kind` as in `LakeDropError.kind`; an unknown one is a fault of LakeDrop's own."""
        title, help_ = self._words(kind)
        return Presented(title, help_, self.said(detail))

    def _words(self, kind: str) -> tuple[str, str]:
        match kind:
            case "LakeUnreachable":
                return (
                    self.tr("The server cannot be reached"),
                    self.tr("Check the network and the connection's address, then try again."),
                )
            case "LakeBusy":
                return (
                    self.tr("The server is busy"),
                    self.tr("It takes no more right now. Try again in a while."),
                )
            case "LakeBroken":
                return (
                    self.tr("The server failed"),
                    self.tr("Try again; if it stays so, tell whoever runs the server."),
                )
            case "LakeFull":
                return (
                    self.tr("The server has no space left"),
                    self.tr("Space must be made there first; then go on."),
                )
            case "LakeRefused":
                return (self.tr("The server refused"), "")
            case "InvalidApiKey":
                return (
                    self.tr("The API key is not accepted"),
                    self.tr("Type the right key on the Connections page, then try again."),
                )
            case "SyncExpired":
                return (
                    self.tr("The server has let the sync expire"),
                    self.tr("Nothing came for too long. Upload it again as a new job."),
                )
            case "SyncAborted":
                return (
                    self.tr("The sync was aborted"),
                    self.tr("Somebody gave it up on the server. Upload it again as a new job."),
                )
            case "SyncAlreadyEnded":
                return (
                    self.tr("The sync has already ended"),
                    self.tr("Upload what is missing as a new job."),
                )
            case "SyncNotFound":
                return (
                    self.tr("The server does not know this sync"),
                    self.tr("Upload as a new job."),
                )
            case "FileRefused":
                return (
                    self.tr("The server does not take this file"),
                    self.tr("Rename the file, or leave it out."),
                )
            case "ContractBroken":
                return (
                    self.tr("The server's answer makes no sense"),
                    self.tr("Is the address of the connection the right one?"),
                )
            case "DigestMismatch":
                return (
                    self.tr("The server stored other bytes than were sent"),
                    self.tr("Try again; if it stays so, tell whoever runs the server."),
                )
            case "SourceUnreadable":
                return (
                    self.tr("The file cannot be read"),
                    self.tr("Is it still there, and may you read it? Then try again."),
                )
            case "SourceLocked":
                return (
                    self.tr("Another program has locked the file"),
                    self.tr("Close it in that program, then try again."),
                )
            case "SourceChanged":
                return (
                    self.tr("The file changed while it was read"),
                    self.tr("Try again once nothing writes to it any more."),
                )
            case "SourceGone":
                return (self.tr("What was dropped is not there any more"), "")
            case _:
                return self._own_words(kind)

    def _own_words(self, kind: str) -> tuple[str, str]:
        """What lies on this machine."""
        match kind:
            case "ConnectionNotUsable":
                return (
                    self.tr("The connection cannot be used"),
                    self.tr("See to it on the Connections page, then try again."),
                )
            case "LocalLakeFailed":
                return (self.tr("The local lake does not start"), "")
            case "JournalFailed":
                return (
                    self.tr("The upload queue cannot be written"),
                    self.tr("Is the disk full? Make space, then try again."),
                )
            case "JournalSetAside":
                return (self.tr("The upload queue was damaged"), "")
            case "PlacesFailed":
                return (self.tr("LakeDrop has no place for its things"), "")
            case "WindowFailed":
                return (self.tr("The window cannot be opened"), "")
            case "WrongUse":
                return (self.tr("That cannot be done"), "")
            case "EngineNotStarted":
                return (
                    self.tr("The upload engine does not start"),
                    self.tr("LakeDrop goes on trying."),
                )
            case "EngineGone" | "EngineSilent":
                return (
                    self.tr("The upload engine stopped"),
                    self.tr("LakeDrop starts it again; the queue is kept."),
                )
            case _:
                return (
                    self.tr("LakeDrop met a fault of its own"),
                    self.tr("Its log has the details."),
                )
