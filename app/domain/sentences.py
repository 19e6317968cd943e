"""What users commonly meet, as sentences with gaps: whoever raises fills them, a screen finds them.

Messages travel and are kept as plain English text (on the socket, in the journal, on the command
line). A screen in another language finds the sentence that a message was made of, and what stood in
its gaps, instead of guessing from words; what no sentence fits is shown as it is. Gaps hold names,
numbers, a server's own words, or (`what`) another sentence.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_GAP = re.compile(r"\{(\w+)\}")


class Sentence:
    """`UNTRUSTED(host="x")` is its text; `UNTRUSTED.gaps_in(text)` is `{"host": "x"}`, or None."""

    def __init__(self, template: str) -> None:
        self.template = template
        self._pieces = _GAP.split(template)
        self._pattern: re.Pattern[str] | None = None  # made by the first screen that looks

    def __call__(self, **gaps: object) -> str:
        return self.template.format(**gaps)

    @property
    def gaps(self) -> frozenset[str]:
        return frozenset(self._pieces[1::2])

    def gaps_in(self, text: str) -> Mapping[str, str] | None:
        if self._pattern is None:
            pieces = enumerate(self._pieces)
            pattern = (f"(?P<{p}>.+?)" if number % 2 else re.escape(p) for number, p in pieces)
            self._pattern = re.compile("".join(pattern), re.DOTALL)
        found = self._pattern.fullmatch(text)
        return None if found is None else found.groupdict()


# -- the way to a server ---------------------------------------------------------------------

CONNECT_TIMEOUT = Sentence("{host} did not answer within {seconds} s. Is it running?")
WRITE_TIMEOUT = Sentence("{host} took no more data for {seconds} s.")
READ_TIMEOUT = Sentence("{host} did not answer for {seconds} s.")
PROXY_REFUSED = Sentence("The proxy on the way to {host} refused the connection.")
UNTRUSTED = Sentence(
    "The certificate of {host} is not trusted, so nothing was sent. Check the address, or let "
    "SSL_CERT_FILE name the authority that signed it."
)
NO_TLS = Sentence("No encrypted connection to {host} is possible. Does it speak https there?")
UNKNOWN_HOST = Sentence("The name of {host} is not known. Check the address and your network.")
REFUSED = Sentence("{host} refused the connection. Is the server running there?")
NO_CONNECTION = Sentence("No connection to {host} is possible. Check the address and your network.")
BROKEN_OFF = Sentence("{host} broke the connection off, or did not answer in proper HTTP.")
CUT = Sentence("The connection to {host} was cut.")
ANSWERED_EARLY = Sentence("{host} answered before it had the whole file. It will be sent again.")
THROUGH_PROXY = Sentence("{host} (through the proxy {proxy})")
FILES_WAIT = Sentence("{what} The files that are left wait; try again later.")

# -- what a server says ----------------------------------------------------------------------

SAYS = Sentence("{host} says: {words} ({status}).")
ANSWERED = Sentence("{host} answered {status}.")
ANSWERED_A_PAGE = Sentence("{host} answered {status}, with a web page.")
DID_NOT_TAKE = Sentence("{host} did not take the file: {words}.")
MAKE_ROOM = Sentence("{what} Make room on the server, then try again.")
RIGHT_ADDRESS = Sentence("{what} Is the address of this connection right?")
RIGHT_KEY = Sentence("{what} Give this connection the right API key.")
REDIRECTED = Sentence(
    "{host} sends us on to another address instead of answering. LakeDrop does not follow, so that "
    "the API key stays where it belongs. Check the address of this connection (http or https, the "
    "right host, the right path)."
)
NONSENSE = Sentence(
    "The answer of {host} is not one of the upload API: {words}. Is the address of this connection "
    "right, and does nothing else answer in its place?"
)
NOT_FOR_UPLOADS = Sentence(
    "{host} says that it ended a sync that cannot exist. It does not look like a server for "
    "uploads; check the address of this connection."
)
WRONG_KEY = Sentence(
    "The server does not accept the API key of this connection. Give it the right one."
)
ALREADY_ENDED = Sentence(
    "The sync has already ended on the server; nothing can be added to it. Start a new one."
)
EXPIRED = Sentence(
    "Nothing came for this sync for too long, and the server gave it up. Start a new one."
)
ABORTED = Sentence(
    "This sync was aborted on the server; nothing can be added to it. Start a new one."
)
UNKNOWN_SYNC = Sentence("The server does not know this sync any more. Start a new one.")
OTHER_BYTES = Sentence("The server stored other bytes than were sent.")
NO_END = Sentence(
    "The server answers the same rows again and again, so its list has no end. Is the address of "
    "this connection right?"
)

# -- files -----------------------------------------------------------------------------------

CANNOT_READ = Sentence("The file cannot be read: {reason}.")
PATH_CANNOT_BE_READ = Sentence("{path} cannot be read: {reason}.")
UNREAD_FOLDER = Sentence(
    "This is a folder that could not be read when the files were looked for. Mend it, then upload "
    "again as a new job."
)
LOCKED = Sentence(
    "Another program has locked the file: {reason}. It will be tried again; close it there."
)
NO_FILE_NOW = Sentence("This is no longer a file.")
SHRANK = Sentence("The file became shorter while it was read.")
WENT_AWAY = Sentence("The file went away while it was read.")
CHANGED = Sentence("The file changed while it was read.")
SIZE_CHANGED = Sentence("The file's size changed while it was sent. It will be read again.")
NAME_NO_UNICODE = Sentence(
    "The name is not valid Unicode, so the lake cannot take it. Rename the file."
)
A_LINK = Sentence("a symbolic link; links are not followed")
NOT_A_FILE = Sentence("not a file or a folder")
JUNK = Sentence("a file that {system} keeps for itself")
JUNK_FOLDER = Sentence("a folder that {system} keeps for itself")
UNFINISHED = Sentence("an unfinished download")
OPENED = Sentence("left by a program that has, or had, a file open")
EXCLUDED = Sentence("excluded by a pattern of this upload")
NOT_INCLUDED = Sentence("matches no pattern that this upload includes")
NO_FILE_IN_IT = Sentence("no file is in it; if there should be, is its disk connected?")
SOURCE_GONE = Sentence(
    "The folder {path} is gone, or empty by now. Was a disk taken out, or a network folder cut "
    "off? Bring it back, then try again: the other files wait, and nothing was ended."
)
EMPTY_SOURCE = Sentence(
    "There is no file in {names}. A full sync without what was there takes it away at the "
    "destination; that needs a consent of its own."
)
EMPTY_FULL_SYNC = Sentence(
    "There is no file to upload. Ending this full sync would leave the destination empty; that "
    "needs a consent of its own."
)
SHRINKS = Sentence(
    "The data at {destination} would shrink from {before} to {after}, by more than {percent} %. "
    "Nothing was sent; it needs a consent of its own."
)
NAME_REFUSED = Sentence(
    "The server refuses the name of {path} ({reason}), and a full sync never ends without a file. "
    "Nothing was sent. Rename it, then start a new upload."
)
SAME_PLACE = Sentence(
    "Several files would be written to the same place, and only one would stay: {names}. Upload "
    "them to different folders."
)
SAME_NAMES = Sentence(
    'Several folders have a file named "{name}", and it cannot be seen whether this server keeps '
    "folders apart. Nothing was sent; it needs a consent of its own."
)
SOME_MISSING = Sentence("{files} of {planned} did not arrive.")
SOME_MISSING_OF_FULL = Sentence(
    "{files} of {planned} did not arrive, so the full sync was not ended. The data that is there "
    "stays as it was."
)

# -- this machine ----------------------------------------------------------------------------

NO_KEYRING_WAY_OUT = Sentence(
    'In the window, choose "this session only" for the key. On the command line, add the '
    "connection with --no-key, and set LAKEDROP_API_KEY for the commands that need the key."
)
NO_KEYRING = Sentence(
    "This system has no keyring that LakeDrop can use (on Linux: GNOME Keyring or KWallet in a "
    "desktop session). {way_out}"
)
KEYRING_FAILED = Sentence(
    "The key could not be {done}: the system's keyring failed ({kind}). Unlock it and try again. "
    "{way_out}"
)
NO_KEY = Sentence(
    'There is no API key for "{label}". Give it to the connection in the window; or on the '
    "command line set LAKEDROP_API_KEY, or store the key with: lakedrop connect add NAME URL "
    "(with --replace for one that is there)"
)
KEY_OF_ANOTHER = Sentence(
    '"{name}" goes to {now} by now, and its key is for that server alone. This was for {before}: '
    "give its API key again."
)
NO_SUCH_CONNECTION = Sentence(
    'There is no connection "{name}". See those there are: lakedrop connect list'
)
NAME_IS_TAKEN = Sentence('There is a connection "{name}" already. Choose another name.')
QUEUE_FAILED = Sentence("The upload queue cannot be written or read: {reason}. Is the disk full?")
QUEUE_SET_ASIDE = Sentence(
    "The old upload queue is kept as {file}, and a new one was begun. Which uploads had not come "
    "to their end is not known any more: look at the sync jobs, and add again what is missing."
)
SERVER_NOT_STARTED = Sentence("The lake server did not start; its log says why.")
OWN_FAULT = Sentence("LakeDrop met a fault of its own; its log has the details. Try again.")

ALL = tuple(value for value in list(globals().values()) if isinstance(value, Sentence))
