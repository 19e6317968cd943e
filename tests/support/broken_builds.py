"""Servers with one promise taken out on purpose: what the tests must catch.

Each is a way to make the disk that a server is handed (those here break durability, `broken_doors`
what is let in); some change a class of the server as well,
which is why they run only in processes of their own (see `server_zygote`).
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from embedded_server.storage.disk import Disk
from tests.support.broken_doors import DOORS, replaced

SOUND = "sound"


class _NoFileFsync(Disk):
    def fsync_file(self, descriptor: int) -> None:
        if not _is_upload(descriptor):
            super().fsync_file(descriptor)


class _NoFolderFsync(Disk):
    def fsync_folder(self, path: str) -> None:
        pass


class _NoFsyncOf(Disk):
    """Of one of the lake's own folders."""

    def __init__(self, name: str) -> None:
        self._name = name

    def fsync_folder(self, path: str) -> None:
        if Path(path).name != self._name:
            super().fsync_folder(path)


class _NoAncestorFsync(Disk):
    """Syncs the folder that files are put into, and not the entries of the folders above it."""

    def __init__(self) -> None:
        self._new: set[str] = set()

    def make_folder(self, path: str) -> None:
        super().make_folder(path)
        if "/files/" in path:
            self._new.add(str(Path(path).parent))

    def fsync_folder(self, path: str) -> None:
        if path not in self._new:
            super().fsync_folder(path)
        self._new.discard(path)


class _SyncAfterPublishing(Disk):
    """Brings a file in sight first and syncs its bytes afterwards: sound once it has answered."""

    def fsync_file(self, descriptor: int) -> None:
        if not _is_upload(descriptor):
            super().fsync_file(descriptor)

    def replace(self, source: str, target: str) -> None:
        super().replace(source, target)
        descriptor = os.open(target, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


class _WritesInPlace(Disk):
    """Fills a visible file piece by piece instead of renaming a whole one."""

    def replace(self, source: str, target: str) -> None:
        if Path(source).is_dir():
            super().replace(source, target)
            return
        data = Path(source).read_bytes()
        half = len(data) // 2
        with Path(target).open("wb", buffering=0) as visible:
            visible.write(data[:half])
            time.sleep(0.005)
            visible.write(data[half:])
        self.unlink(source)


class _PublishesLater(Disk):
    """Says that a file is in its place and puts it there a moment later."""

    def replace(self, source: str, target: str) -> None:
        threading.Timer(0.5, os.replace, (source, target)).start()


class _TwoStepSwap(Disk):
    """Exchanges two folders with a moment in which neither is there, and says it was one step."""

    def exchange(self, one: str, other: str) -> bool:
        aside = one + ".aside"
        self.rename(other, aside)
        self.rename(one, other)
        self.rename(aside, one)
        return True


def _is_upload(descriptor: int) -> bool:
    parts = Path(f"/proc/self/fd/{descriptor}").readlink().parts
    return "incoming" in parts or "partial" in parts


def _no_intent_record() -> Disk:
    from embedded_server.catalog.sql_catalog import SqlCatalog

    replaced(SqlCatalog, "add_intent", lambda _self, _intent: None)
    return Disk()


def _answers_before_the_catalog() -> Disk:
    """And has no log of small files, from which their rows would come back."""
    from embedded_server.catalog.sql_catalog import SqlCatalog
    from embedded_server.storage import logged_files

    original = SqlCatalog.add_finished_uploads

    def later(self: SqlCatalog, *given: object) -> None:
        threading.Timer(0.05, original, (self, *given)).start()

    replaced(SqlCatalog, "add_finished_uploads", later)
    replaced(logged_files, "CAN_LOG", by=False)
    return Disk()


class _NoFsyncOfTheLog(Disk):
    def fsync_data(self, descriptor: int) -> None:
        pass


def _forgets_the_log_unsettled() -> Disk:
    from embedded_server.storage.small_files import InThisProcess

    replaced(InThisProcess, "sync", lambda _self, paths: [None] * len(paths))
    return Disk()


def _moves_what_only_the_log_holds() -> Disk:
    from embedded_server.storage.logged_files import LoggedFiles

    replaced(LoggedFiles, "settle", lambda _self: None)
    return Disk()


def _offsets_in_memory() -> Disk:
    """Tells how far a resumable upload is, and writes it down only when all of it is there."""
    from embedded_server.catalog.tus_rows import TusRows
    from embedded_server.domain.tus_upload import TusState, TusUpload

    find = TusRows.find
    told: dict[str, TusUpload] = {}

    def save_offset(_: TusRows, upload: TusUpload, offset_bytes: int, now_ms: int) -> TusUpload:
        known = replace(upload, offset_bytes=offset_bytes, touched_at_ms=now_ms)
        told[upload.upload_id] = known
        return known

    def find_told(self: TusRows, upload_id: str) -> TusUpload | None:
        written = find(self, upload_id)
        if written is None or written.state is not TusState.RECEIVING:
            return written
        return told.get(upload_id, written)

    replaced(TusRows, "save_offset", save_offset)
    replaced(TusRows, "find", find_told)
    return Disk()


def _forgets_resends() -> Disk:
    from embedded_server.storage.publishing import Publishing

    replaced(Publishing, "_stands_already", lambda *_: False)
    return Disk()


def _believes_the_clock() -> Disk:
    from embedded_server.services import expiry

    replaced(expiry, "_BELIEVED_PART", 0.001)  # of the limit: however long it claims to have been
    return Disk()


def _believes_the_clock_of_the_trash() -> Disk:
    from embedded_server.services import trash_purge

    replaced(trash_purge, "_BELIEVED_PART", 0.001)
    return Disk()


class _TrashOverwrites(Disk):
    def link_or_copy(self, source: str, target: str) -> None:
        Path(target).unlink(missing_ok=True)
        super().link_or_copy(source, target)


class _SwallowsErrorsOfFsync(Disk):
    def fsync_file(self, descriptor: int) -> None:
        with suppress(OSError):
            super().fsync_file(descriptor)


class _KeepsWhatWasCut(Disk):
    def unlink(self, path: str) -> None:
        if Path(path).parent.name != "incoming":
            super().unlink(path)


def _catalog_without_fsync() -> Disk:
    import sqlite3

    connect = sqlite3.connect

    class Unsynced(sqlite3.Connection):
        def execute(self, sql: str, *parameters: object) -> sqlite3.Cursor:
            if "synchronous" in sql:
                sql = "PRAGMA synchronous=OFF"
            return super().execute(sql, *parameters)  # type: ignore[arg-type]

    def connecting(*given: object, **named: object) -> sqlite3.Connection:
        return connect(*given, **named, factory=Unsynced)  # type: ignore[call-overload,no-any-return]

    replaced(sqlite3, "connect", connecting)
    return Disk()


def _answers_what_nobody_described() -> Disk:
    from embedded_server.domain.tus_upload import TusRefused
    from embedded_server.services.browse_service import BrowseService

    def refuse(*_: object) -> bool:
        raise TusRefused(418, "I'm a teapot")

    replaced(BrowseService, "make_folder", refuse)
    return Disk()


def _fails_in_a_route() -> Disk:
    from embedded_server.services.browse_service import BrowseService

    faults: dict[str, bool] = {}
    replaced(BrowseService, "make_folder", lambda *_: faults["a fault of ours"])
    return Disk()


def _answers_a_web_page() -> Disk:
    from starlette.responses import Response

    from embedded_server.routes import extensions

    replaced(extensions, "json_answer", lambda _: Response("<p>", media_type="text/html"))
    return Disk()


def _leaves_a_field_out() -> Disk:
    from embedded_server.contract import LakeUsage

    replaced(LakeUsage, "to_wire", lambda self: {"path": self.path})
    return Disk()


def _takes_anything_for_a_number() -> Disk:
    from embedded_server.routes import syncs

    replaced(syncs, "page", lambda _fields: (0, 10))
    return Disk()


def _lets_anybody_in() -> Disk:
    from embedded_server.domain.caller import OWNER
    from embedded_server.services.admission import Admission

    replaced(Admission, "by_header", lambda *_: OWNER)
    return Disk()


BUILDS: Mapping[str, Callable[[], Disk]] = {
    SOUND: Disk,
    "no fsync of files": _NoFileFsync,
    "no fsync of folders": _NoFolderFsync,
    "no fsync of partial files' names": lambda: _NoFsyncOf("partial"),
    "no fsync of what is being put back": lambda: _NoFsyncOf("restoring"),
    "no fsync of what is purged": lambda: _NoFsyncOf("incoming"),
    "no fsync of new ancestors": _NoAncestorFsync,
    "sync after publishing": _SyncAfterPublishing,
    "writes in place": _WritesInPlace,
    "publishes later": _PublishesLater,
    "swap in two steps": _TwoStepSwap,
    "no intent record": _no_intent_record,
    "answers before the catalog": _answers_before_the_catalog,
    "no fsync of the log": _NoFsyncOfTheLog,
    "forgets the log unsettled": _forgets_the_log_unsettled,
    "moves what only the log holds": _moves_what_only_the_log_holds,
    "offsets in memory": _offsets_in_memory,
    "forgets resends": _forgets_resends,
    "believes the clock": _believes_the_clock,
    "believes the clock of the trash": _believes_the_clock_of_the_trash,
    "trash overwrites": _TrashOverwrites,
    "swallows errors of fsync": _SwallowsErrorsOfFsync,
    "keeps what was cut": _KeepsWhatWasCut,
    "catalog without fsync": _catalog_without_fsync,
    "answers what nobody described": _answers_what_nobody_described,
    "fails in a route": _fails_in_a_route,
    "answers a web page": _answers_a_web_page,
    "leaves a field out": _leaves_a_field_out,
    "takes anything for a number": _takes_anything_for_a_number,
    "lets anybody in": _lets_anybody_in,
    **DOORS,
}
