"""The user's files: found, read once, and watched for changes while they are read."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from app.domain import sentences
from app.domain.errors import (
    LakeDropError,
    SourceChanged,
    SourceGone,
    SourceLocked,
    SourceUnreadable,
)
from app.domain.ports import Picks, SmallFile
from app.domain.queue_item import FoundFile, LeftOut, QueueItem, Stamp
from app.domain.upload_job import Source

PIECE_BYTES = 1024 * 1024
_COARSEST_TICK_NS = 2_000_000_000  # FAT's

# What a lease, a share of Windows or a mandatory lock answers with. Windows itself tells a sharing
# violation (32, 33) from a refusal only where its own number came along.
_LOCKED = frozenset({errno.EAGAIN, errno.EWOULDBLOCK, errno.EBUSY, errno.ETXTBSY})
_LOCKED_ON_WINDOWS = frozenset({32, 33})

_NO_NAME = sentences.NAME_NO_UNICODE()


class LocalSourceFiles:
    """`ports.SourceFiles` on this machine's file systems; `now_ns` is their clock's time."""

    def __init__(self, now_ns: Callable[[], int] = time.time_ns) -> None:
        self._now_ns = now_ns

    def walk(self, source: Source, picks: Picks) -> Iterator[FoundFile | LeftOut]:
        # Strings: a Path for each of a hundred thousand dropped files would take most of the time.
        try:
            # The dropped path itself may be a link: the user pointed at it.
            found = os.stat(source.path)  # noqa: PTH116
        except (OSError, ValueError) as cause:
            raise SourceUnreadable(
                sentences.PATH_CANNOT_BE_READ(path=source.path, reason=_words(cause))
            ) from cause
        if stat.S_ISDIR(found.st_mode):
            path = Path(source.path)
            own_name = _own_name(path)
            top = "" if source.contents_only or not own_name else f"/{own_name}"
            yield from self._walk_folder(str(path), own_name, top, picks)
        elif stat.S_ISREG(found.st_mode):
            name = os.path.basename(source.path)  # noqa: PTH119
            if reason := picks.reason_against(name, name, is_folder=False):
                yield LeftOut(source.path, reason)
            else:
                yield _found(source.path, "", name, found, "")
        else:
            yield LeftOut(source.path, sentences.NOT_A_FILE())

    def _walk_folder(
        self, dropped: str, own_name: str, top: str, picks: Picks
    ) -> Iterator[FoundFile | LeftOut]:
        """Depth first, each folder in the order of its names, one folder's names in memory."""
        waiting = [(dropped, top)]
        while waiting:
            folder, lake = waiting.pop()
            try:
                with os.scandir(folder) as listing:
                    entries = sorted(listing, key=lambda entry: entry.name)
            except OSError as cause:
                problem = f"The folder cannot be read: {_words(cause)}."
                if folder == dropped:
                    yield FoundFile(folder, "", own_name, 0, 0, problem)
                else:
                    parent, _, name = lake.rpartition("/")
                    yield FoundFile(folder, parent, name, 0, 0, problem, top)
                continue
            below: list[tuple[str, str]] = []
            inside = f"{lake[len(top) + 1 :]}/" if len(lake) > len(top) else ""
            for entry in entries:
                try:
                    if entry.is_symlink():
                        yield LeftOut(entry.path, sentences.A_LINK())
                        continue
                    is_folder = entry.is_dir(follow_symlinks=False)
                    reason = picks.reason_against(
                        f"{inside}{entry.name}", entry.name, is_folder=is_folder
                    )
                    if reason:
                        yield LeftOut(entry.path, reason)
                    elif is_folder:
                        below.append((entry.path, f"{lake}/{entry.name}"))
                    elif entry.is_file(follow_symlinks=False):
                        found = entry.stat(follow_symlinks=False)
                        yield _found(entry.path, lake, entry.name, found, top)
                    else:
                        yield LeftOut(entry.path, sentences.NOT_A_FILE())
                except OSError as cause:
                    yield FoundFile(entry.path, lake, entry.name, 0, 0, f"{_words(cause)}.", top)
            waiting.extend(reversed(below))

    def open(self, item: QueueItem, raise_if_cancelled: Callable[[], None]) -> OpenedFile:
        _refuse_odd_name(item)
        with _gone_told(item):
            return OpenedFile(item.source, raise_if_cancelled, self._now_ns)

    def look(self, item: QueueItem) -> Stamp | None:
        try:
            found = os.stat(item.source)  # noqa: PTH116
        except (OSError, ValueError):
            return None
        return _stamp(found) if stat.S_ISREG(found.st_mode) else None

    def read_small(self, item: QueueItem, most_bytes: int) -> SmallFile | None:
        _refuse_odd_name(item)
        with _gone_told(item), OpenedFile(item.source, _never, self._now_ns) as opened:
            if opened.size_bytes > most_bytes:
                return None
            content = b"".join(opened.chunks())
            return SmallFile(item.folder, item.name, content, opened.sha256, opened.stamp)


class OpenedFile:
    """One reading of one file. `sha256` and the check for changes stand after the last piece.

    The size is the one at opening: a file that grew or shrank since it was dropped is sent as it
    is now, one that changes under the reader is not.
    """

    def __init__(
        self,
        source: str,
        raise_if_cancelled: Callable[[], None],
        now_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._source = source
        self._raise_if_cancelled = raise_if_cancelled
        self._digest = hashlib.sha256()
        try:
            self._file: BinaryIO = open(source, "rb", buffering=0, opener=_open_at_once)  # noqa: SIM115  closed by __exit__
            self._opened_at_ns = now_ns()
            self._before = os.fstat(self._file.fileno())
        except IsADirectoryError as cause:
            # Planned as one file because it could not be listed; what it holds was never found.
            raise SourceUnreadable(sentences.UNREAD_FOLDER()) from cause
        except (OSError, ValueError) as cause:
            raise unreadable(cause) from cause
        if not stat.S_ISREG(self._before.st_mode):
            self._file.close()
            raise SourceUnreadable(sentences.NO_FILE_NOW())
        self._left_bytes = self._before.st_size

    def __enter__(self) -> OpenedFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    @property
    def size_bytes(self) -> int:
        return self._before.st_size

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    @property
    def identity(self) -> str:
        return ":".join(map(str, _fingerprint(self._before)))

    @property
    def stamp(self) -> Stamp | None:
        """A write in the same tick of the file system's clock leaves the same times."""
        last_change_ns = max(self._before.st_mtime_ns, self._before.st_ctime_ns)
        is_settled = self._opened_at_ns - last_change_ns > _COARSEST_TICK_NS
        return _stamp(self._before) if is_settled else None

    def skip(self, count_bytes: int) -> None:
        for _ in self._pieces(count_bytes):
            pass

    def chunks(self) -> Iterator[bytes]:
        yield from self._pieces(self._left_bytes)
        if not self.size_bytes:
            self._check_unchanged()

    def _pieces(self, count_bytes: int) -> Iterator[bytes]:
        left = count_bytes
        while left:
            self._raise_if_cancelled()
            try:
                piece = self._file.read(min(PIECE_BYTES, left))
            except OSError as cause:
                raise unreadable(cause) from cause
            if not piece:
                raise SourceChanged(sentences.SHRANK())
            self._digest.update(piece)
            left -= len(piece)
            self._left_bytes -= len(piece)
            if not self._left_bytes:
                # Before the last piece leaves: a changed file never becomes a whole request.
                self._check_unchanged()
            yield piece

    def _check_unchanged(self) -> None:
        try:
            now, at_path = os.fstat(self._file.fileno()), os.stat(self._source)  # noqa: PTH116
        except OSError as cause:
            raise SourceChanged(sentences.WENT_AWAY()) from cause
        if _fingerprint(now) != _fingerprint(self._before) or _fingerprint(at_path) != _fingerprint(
            self._before
        ):
            raise SourceChanged(sentences.CHANGED())


def unreadable(cause: Exception, *, on_windows: bool = os.name == "nt") -> LakeDropError:
    """Whether to wait for another program or to tell the user that it cannot be read.

    Python opens by the C library, which makes one `EACCES` of a sharing violation and of a missing
    permission. So on Windows a refusal without a number is tried again, too: not for ever.
    """
    number = getattr(cause, "winerror", None)
    locked = isinstance(cause, OSError) and (
        cause.errno in _LOCKED
        or number in _LOCKED_ON_WINDOWS
        or (on_windows and number is None and isinstance(cause, PermissionError))
    )
    if locked:
        return SourceLocked(sentences.LOCKED(reason=_words(cause)))
    return SourceUnreadable(sentences.CANNOT_READ(reason=_words(cause)))


@contextmanager
def _gone_told(item: QueueItem) -> Iterator[None]:
    """A file that cannot be read is its own trouble, unless all that was dropped is gone with it:
    a disk that was taken out leaves nothing, or the empty folder that it was mounted on."""
    try:
        yield
    except SourceUnreadable as error:
        dropped = Path(item.source).parents[item.depth]
        if _is_gone(dropped):
            raise SourceGone(sentences.SOURCE_GONE(path=dropped)) from error
        raise


def _is_gone(folder: Path) -> bool:
    try:
        with os.scandir(folder) as listing:
            return next(listing, None) is None
    except PermissionError:
        return False  # it is there
    except OSError:
        return True


def _open_at_once(path: str, flags: int) -> int:
    """Without waiting for a writer, should a named pipe stand where the file was."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _refuse_odd_name(item: QueueItem) -> None:
    if not _is_unicode(item.lake_path):
        raise SourceUnreadable(_NO_NAME)


def _never() -> None:
    """A small file is read in one go: nothing to interrupt."""


def _found(source: str, folder: str, name: str, found: os.stat_result, top: str) -> FoundFile:
    problem = "" if _is_unicode(f"{folder}/{name}") else _NO_NAME
    return FoundFile(source, folder, name, found.st_size, found.st_mtime_ns, problem, top)


def _is_unicode(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _fingerprint(found: os.stat_result) -> tuple[int, int, int]:
    return found.st_size, found.st_mtime_ns, found.st_ino


def _stamp(found: os.stat_result) -> Stamp:
    return Stamp(found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def _own_name(path: Path) -> str:
    """`..`, `.` and a drive's root have no name of their own until resolved."""
    return path.name if path.name not in ("", "..") else path.resolve().name


def _words(cause: Exception) -> str:
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror[0].lower() + cause.strerror[1:]
    return str(cause)
