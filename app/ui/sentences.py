"""The engine's sentences in the window's language; what stands in their gaps stays as it is."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping

from PySide6.QtCore import QObject

from app.domain import sentences
from app.domain.sentences import Sentence

_KEPT = 500  # a table asks for the same messages at every paint


class Sentences(QObject):
    """Makes its table when first asked: most windows never meet an error."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._table: Mapping[Sentence, str] = {}
        self._said: OrderedDict[str, str] = OrderedDict()

    def said(self, message: str) -> str:
        """The whole sentence, or the message as it is where it is none of the known ones."""
        if not message:
            return ""
        known = self._said.get(message)
        if known is None:
            known = self._said[message] = self._find(message)
            if len(self._said) > _KEPT:
                self._said.popitem(last=False)
        return known

    @property
    def table(self) -> Mapping[Sentence, str]:
        if not self._table:
            self._table = {
                **self._about_the_way(),
                **self._about_servers(),
                **self._about_files(),
                **self._about_this_machine(),
            }
        return self._table

    def _find(self, message: str) -> str:
        best: tuple[int, Sentence, Mapping[str, str]] | None = None
        for sentence in self.table:
            gaps = sentence.gaps_in(message)
            if gaps is not None:
                in_gaps = sum(map(len, gaps.values()))
                if best is None or in_gaps < best[0]:  # the one that says most of it itself
                    best = in_gaps, sentence, gaps
        if best is None:
            return message
        _, sentence, gaps = best
        words = {name: self._gap(name, text) for name, text in gaps.items()}
        return self.table[sentence].format(**words)

    def _gap(self, name: str, text: str) -> str:
        match name:
            case "what" | "way_out" | "host":
                return self._find(text)
            case "reason":
                return self._reasons().get(text, text)
            case "done":
                return self._doings().get(text, text)
            case "files":
                count = int("".join(filter(str.isdigit, text)) or 0)
                return self.tr("%n file(s)", "", count)
            case _:
                return text

    def _reasons(self) -> Mapping[str, str]:
        """What operating systems say most often; the rest stays in their words."""
        return {
            "no such file or directory": self.tr("it is not there any more"),
            "permission denied": self.tr("you may not read it"),
            "input/output error": self.tr("the disk reports an error"),
            "is a directory": self.tr("it is a folder"),
            "no space left on device": self.tr("the disk is full"),
            "too many open files": self.tr("too many files are open"),
        }

    def _doings(self) -> Mapping[str, str]:
        return {
            "found": self.tr("found"),
            "read": self.tr("read"),
            "stored": self.tr("stored"),
            "removed": self.tr("removed"),
        }

    def _about_the_way(self) -> dict[Sentence, str]:
        return {
            sentences.CONNECT_TIMEOUT: self.tr(
                "{host} did not answer within {seconds} s. Is it running?"
            ),
            sentences.WRITE_TIMEOUT: self.tr("{host} took no more data for {seconds} s."),
            sentences.READ_TIMEOUT: self.tr("{host} did not answer for {seconds} s."),
            sentences.PROXY_REFUSED: self.tr(
                "The proxy on the way to {host} refused the connection."
            ),
            sentences.UNTRUSTED: self.tr(
                "The certificate of {host} is not trusted, so nothing was sent. Check the "
                "address, or let SSL_CERT_FILE name the authority that signed it."
            ),
            sentences.NO_TLS: self.tr(
                "No encrypted connection to {host} is possible. Does it speak https there?"
            ),
            sentences.UNKNOWN_HOST: self.tr(
                "The name of {host} is not known. Check the address and your network."
            ),
            sentences.REFUSED: self.tr(
                "{host} refused the connection. Is the server running there?"
            ),
            sentences.NO_CONNECTION: self.tr(
                "No connection to {host} is possible. Check the address and your network."
            ),
            sentences.BROKEN_OFF: self.tr(
                "{host} broke the connection off, or did not answer in proper HTTP."
            ),
            sentences.CUT: self.tr("The connection to {host} was cut."),
            sentences.ANSWERED_EARLY: self.tr(
                "{host} answered before it had the whole file. It will be sent again."
            ),
            sentences.THROUGH_PROXY: self.tr("{host} (through the proxy {proxy})"),
            sentences.FILES_WAIT: self.tr("{what} The files that are left wait; try again later."),
        }

    def _about_servers(self) -> dict[Sentence, str]:
        return {
            sentences.SAYS: self.tr("{host} says: {words} ({status})."),
            sentences.ANSWERED: self.tr("{host} answered {status}."),
            sentences.ANSWERED_A_PAGE: self.tr("{host} answered {status}, with a web page."),
            sentences.DID_NOT_TAKE: self.tr("{host} did not take the file: {words}."),
            sentences.MAKE_ROOM: self.tr("{what} Make room on the server, then try again."),
            sentences.RIGHT_ADDRESS: self.tr("{what} Is the address of this connection right?"),
            sentences.RIGHT_KEY: self.tr("{what} Give this connection the right API key."),
            sentences.REDIRECTED: self.tr(
                "{host} sends us on to another address instead of answering. LakeDrop does "
                "not follow, so that the API key stays where it belongs. Check the address "
                "of this connection (http or https, the right host, the right path)."
            ),
            sentences.NONSENSE: self.tr(
                "The answer of {host} is not one of the upload API: {words}. Is the address"
                " of this connection right, and does nothing else answer in its place?"
            ),
            sentences.NOT_FOR_UPLOADS: self.tr(
                "{host} says that it ended a sync that cannot exist. It does not look like "
                "a server for uploads; check the address of this connection."
            ),
            sentences.WRONG_KEY: self.tr(
                "The server does not accept the API key of this connection. Give it the right one."
            ),
            sentences.ALREADY_ENDED: self.tr(
                "The sync has already ended on the server; nothing can be added to it. "
                "Start a new one."
            ),
            sentences.EXPIRED: self.tr(
                "Nothing came for this sync for too long, and the server gave it up. Start a "
                "new one."
            ),
            sentences.ABORTED: self.tr(
                "This sync was aborted on the server; nothing can be added to it. Start a new one."
            ),
            sentences.UNKNOWN_SYNC: self.tr(
                "The server does not know this sync any more. Start a new one."
            ),
            sentences.OTHER_BYTES: self.tr("The server stored other bytes than were sent."),
            sentences.NO_END: self.tr(
                "The server answers the same rows again and again, so its list has no end. "
                "Is the address of this connection right?"
            ),
        }

    def _about_files(self) -> dict[Sentence, str]:
        return {
            sentences.CANNOT_READ: self.tr("The file cannot be read: {reason}."),
            sentences.PATH_CANNOT_BE_READ: self.tr("{path} cannot be read: {reason}."),
            sentences.UNREAD_FOLDER: self.tr(
                "This is a folder that could not be read when the files were looked for. "
                "Mend it, then upload again as a new job."
            ),
            sentences.NO_FILE_NOW: self.tr("This is no longer a file."),
            sentences.LOCKED: self.tr(
                "Another program has locked the file: {reason}. It will be tried again; close it "
                "there."
            ),
            sentences.SHRANK: self.tr("The file became shorter while it was read."),
            sentences.WENT_AWAY: self.tr("The file went away while it was read."),
            sentences.CHANGED: self.tr("The file changed while it was read."),
            sentences.SIZE_CHANGED: self.tr(
                "The file's size changed while it was sent. It will be read again."
            ),
            sentences.NAME_NO_UNICODE: self.tr(
                "The name is not valid Unicode, so the lake cannot take it. Rename the file."
            ),
            sentences.A_LINK: self.tr("a symbolic link; links are not followed"),
            sentences.NOT_A_FILE: self.tr("not a file or a folder"),
            sentences.JUNK: self.tr("a file that {system} keeps for itself"),
            sentences.JUNK_FOLDER: self.tr("a folder that {system} keeps for itself"),
            sentences.UNFINISHED: self.tr("an unfinished download"),
            sentences.OPENED: self.tr("left by a program that has, or had, a file open"),
            sentences.EXCLUDED: self.tr("excluded by a pattern of this upload"),
            sentences.NOT_INCLUDED: self.tr("matches no pattern that this upload includes"),
            sentences.NO_FILE_IN_IT: self.tr(
                "no file is in it; if there should be, is its disk connected?"
            ),
            sentences.SOURCE_GONE: self.tr(
                "The folder {path} is gone, or empty by now. Was a disk taken out, or a network "
                "folder cut off? Bring it back, then try again: the other files wait, and "
                "nothing was ended."
            ),
            sentences.EMPTY_SOURCE: self.tr(
                "There is no file in {names}. A full sync without what was there takes it away at "
                "the destination; that needs a consent of its own."
            ),
            sentences.EMPTY_FULL_SYNC: self.tr(
                "There is no file to upload. Ending this full sync would leave the destination "
                "empty; that needs a consent of its own."
            ),
            sentences.SHRINKS: self.tr(
                "The data at {destination} would shrink from {before} to {after}, by more than "
                "{percent} %. Nothing was sent; it needs a consent of its own."
            ),
            sentences.NAME_REFUSED: self.tr(
                "The server refuses the name of {path} ({reason}), and a full sync never ends "
                "without a file. Nothing was sent. Rename it, then start a new upload."
            ),
            sentences.SAME_PLACE: self.tr(
                "Several files would be written to the same place, and only one would stay:"
                " {names}. Upload them to different folders."
            ),
            sentences.SAME_NAMES: self.tr(
                'Several folders have a file named "{name}", and it cannot be seen whether '
                "this server keeps folders apart. Nothing was sent; it needs a consent of "
                "its own."
            ),
            sentences.SOME_MISSING: self.tr("{files} of {planned} did not arrive."),
            sentences.SOME_MISSING_OF_FULL: self.tr(
                "{files} of {planned} did not arrive, so the full sync was not ended. The "
                "data that is there stays as it was."
            ),
        }

    def _about_this_machine(self) -> dict[Sentence, str]:
        return {
            sentences.NO_KEYRING_WAY_OUT: self.tr(
                'In the window, choose "this session only" for the key. On the command '
                "line, add the connection with --no-key, and set LAKEDROP_API_KEY for the "
                "commands that need the key."
            ),
            sentences.NO_KEYRING: self.tr(
                "This system has no keyring that LakeDrop can use (on Linux: GNOME Keyring "
                "or KWallet in a desktop session). {way_out}"
            ),
            sentences.KEYRING_FAILED: self.tr(
                "The key could not be {done}: the system's keyring failed ({kind}). Unlock "
                "it and try again. {way_out}"
            ),
            sentences.NO_KEY: self.tr(
                'There is no API key for "{label}". Give it to the connection in the '
                "window; or on the command line set LAKEDROP_API_KEY, or store the key "
                "with: lakedrop connect add NAME URL (with --replace for one that is there)"
            ),
            sentences.KEY_OF_ANOTHER: self.tr(
                '"{name}" goes to {now} by now, and its key is for that server alone. This '
                "was for {before}: give its API key again."
            ),
            sentences.NO_SUCH_CONNECTION: self.tr(
                'There is no connection "{name}". See those there are: lakedrop connect list'
            ),
            sentences.NAME_IS_TAKEN: self.tr(
                'There is a connection "{name}" already. Choose another name.'
            ),
            sentences.QUEUE_FAILED: self.tr(
                "The upload queue cannot be written or read: {reason}. Is the disk full?"
            ),
            sentences.QUEUE_SET_ASIDE: self.tr(
                "The old upload queue is kept as {file}, and a new one was begun. Which uploads"
                " had not come to their end is not known any more: look at the sync jobs, and add"
                " again what is missing."
            ),
            sentences.SERVER_NOT_STARTED: self.tr(
                "The lake server did not start; its log says why."
            ),
            sentences.OWN_FAULT: self.tr(
                "LakeDrop met a fault of its own; its log has the details. Try again."
            ),
        }
