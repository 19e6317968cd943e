"""Does again what the log of small files tells: its run may have ended by a power cut.

A file may be whole, torn, empty, or not there; it may lie where it was moved to, or still have its
temporary name. What somebody has put into its place since is left alone.
"""

from __future__ import annotations

import hashlib
import logging
import os
import uuid
from collections.abc import Sequence
from contextlib import suppress

from embedded_server.contract import SyncStatus
from embedded_server.domain.errors import PathConflict
from embedded_server.domain.upload import UploadRow
from embedded_server.storage.disk import Disk, Kind
from embedded_server.storage.disk_errors import translated
from embedded_server.storage.durable_folders import DurableFolders
from embedded_server.storage.intake_log import LoggedFact, LoggedFile, Segment, logged_files
from embedded_server.storage.layout import Layout
from embedded_server.storage.small_files import SmallFiles

_SECTOR_BYTES = 512

_log = logging.getLogger(__name__)


def fact_row(row: UploadRow) -> tuple[object, ...]:
    """As plain values; its mtime is told beside it."""
    return *row[:7], row.status.value, row.message, row.key_name


def _row_of(fact: LoggedFact) -> UploadRow:
    *begun, status, message, key_name = fact.row
    sync_id, folder, file_name, size_bytes, sha256, started_at_ms, ended_at_ms = begun
    return UploadRow(
        *(sync_id, folder, file_name, size_bytes, sha256, started_at_ms, ended_at_ms),
        *(SyncStatus(status), message, fact.mtime_ns, key_name),
    )


class Replay:
    def __init__(
        self, disk: Disk, layout: Layout, folders: DurableFolders, small_files: SmallFiles
    ) -> None:
        self._disk = disk
        self._layout = layout
        self._folders = folders
        self._small_files = small_files

    def go_on(self) -> Sequence[UploadRow]:
        """Every file that the log holds stands by itself then; the rows of all of them.

        Raises `LakeFull`, `LakeFault`. May be done again, until `forget`.
        """
        rows: list[UploadRow] = []
        whole: list[str] = []
        with translated():
            for path in self._segments():
                for logged in logged_files(path):
                    row = _row_of(logged.fact)
                    if hashlib.sha256(logged.data).hexdigest() != row.sha256:
                        continue  # torn: nobody was told that it is there
                    if self.bring(logged, anew=False):
                        whole.append(self.target_of(logged))
                    rows.append(row)
            for error in self._small_files.sync(whole):
                if error is not None:
                    raise error
        if rows:
            _log.warning("%d small files were in the log when the server stopped", len(rows))
        return rows

    def forget(self) -> None:
        """The rows are durable too. Raises `LakeFull`, `LakeFault`."""
        with translated():
            for path in self._segments():
                segment = Segment(self._disk, path)
                try:
                    segment.forget()
                finally:
                    segment.close()

    def _segments(self) -> Sequence[str]:
        names = sorted(self._disk.names_in(self._layout.log))
        return [os.path.join(self._layout.log, name) for name in names]

    def target_of(self, logged: LoggedFile) -> str:
        return os.path.join(self._layout.root, logged.fact.target)

    def bring(self, logged: LoggedFile, *, anew: bool) -> bool:
        """True where the file stands and has yet to be synced. Raises `OSError`.

        `anew`: its blocks are known to be bad.
        """
        target = self.target_of(logged)
        try:
            kind = self._disk.kind(target)
            if kind not in (Kind.NOTHING, Kind.FILE):
                raise PathConflict(f"{kind.value} stands in its place")
            if kind is Kind.FILE:
                found = self._found(target, len(logged.data))
                if found == logged.data and not anew:
                    return True
                if not _may_be_torn(found, logged.data):
                    raise PathConflict("another file stands in its place")
            self._write(logged, target)
        except PathConflict as error:
            _log.warning("%s is left as it is: %s", target, error.message)
        return False

    def _found(self, path: str, size_bytes: int) -> bytes:
        """One byte more where it is longer."""
        with self._disk.reached(path) as reached, open(reached, "rb", buffering=0) as file:
            return file.read(size_bytes + 1)

    def _write(self, logged: LoggedFile, target: str) -> None:
        folder = os.path.dirname(logged.fact.target).split(os.sep)
        # `files`, or `.lakedrop/staging`: they are there and durable.
        depth = 1 if folder[0] == os.path.basename(self._layout.files) else 2
        base = os.path.join(self._layout.root, *folder[:depth])
        self._folders.make(base, folder[depth:])
        temporary = os.path.join(self._layout.incoming, uuid.uuid4().hex)
        descriptor = self._disk.create_file(temporary)
        try:
            try:
                self._disk.write(descriptor, logged.data)
                self._disk.mark_mtime(temporary, logged.fact.mtime_ns)
                self._disk.fsync_file(descriptor)
            finally:
                self._disk.close(descriptor)
            self._disk.replace(temporary, target)
        except OSError:
            with suppress(OSError):  # the first failure is the one to tell; a start removes it
                self._disk.unlink(temporary)
            raise
        self._disk.fsync_folder(os.path.dirname(target))


def _may_be_torn(found: bytes, whole: bytes) -> bool:
    """Whether a power cut can have made one of the other: each byte is there, or is zero.

    Byte by byte, because one write may reach the page cache in parts that end anywhere.
    """
    if len(found) > len(whole):
        return False
    for begin in range(0, len(found), _SECTOR_BYTES):
        sector = found[begin : begin + _SECTOR_BYTES]
        meant = whole[begin : begin + len(sector)]
        if sector != meant and any(
            it not in (0, one) for it, one in zip(sector, meant, strict=True)
        ):
            return False
    return True
