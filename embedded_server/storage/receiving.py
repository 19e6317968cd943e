"""Files on their way in, and the step that brings their bytes to stable storage."""

from __future__ import annotations

import itertools
import os
import uuid
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import replace

from embedded_server.domain.errors import LakeError
from embedded_server.domain.ports import IncomingFile
from embedded_server.domain.upload import ReceivedFile
from embedded_server.storage.disk import Disk
from embedded_server.storage.disk_errors import as_lake_error
from embedded_server.storage.incoming_file import TemporaryIncoming
from embedded_server.storage.kept_incoming import KeptIncoming
from embedded_server.storage.layout import Layout
from embedded_server.storage.small_files import SmallFiles

# So few are not worth waking other threads: the first one's journal commit serves the others too.
_SYNCED_IN_LINE = 8
_SYNC_THREADS = 4  # more did not help on the disks measured


class Receiving:
    """Any thread may call it."""

    def __init__(
        self, disk: Disk, layout: Layout, helpers: Executor, small_files: SmallFiles
    ) -> None:
        self._disk = disk
        self._helpers = helpers
        self._small_files = small_files
        # Asking the system for chance once a run, not once a file.
        self._begin = os.path.join(layout.incoming, uuid.uuid4().hex)
        self._numbers = itertools.count()

    def new_incoming(self) -> KeptIncoming:
        path = f"{self._begin}-{next(self._numbers):x}"
        return KeptIncoming(self._disk, path, self._helpers)

    def are_small(self, files: Sequence[IncomingFile]) -> bool:
        return all(isinstance(file, KeptIncoming) and file.on_disk is None for file in files)

    def make_durable(
        self, files: Sequence[IncomingFile], *, small_ones_later: bool = False
    ) -> Sequence[ReceivedFile | LakeError]:
        """See `ports.Lake`; `small_ones_later` leaves them to `publish`."""
        received = [file.written() for file in files]
        outcomes: list[ReceivedFile | LakeError] = [*received]
        small: list[tuple[int, KeptIncoming]] = []
        large: list[tuple[int, TemporaryIncoming]] = []
        for index, file in enumerate(files):
            assert isinstance(file, KeptIncoming), "made by new_incoming()"
            if file.on_disk is not None:
                large.append((index, file.on_disk))
            elif small_ones_later:
                whole = received[index]
                outcomes[index] = ReceivedFile(
                    *(whole.temporary, whole.size_bytes, whole.sha256, 0, file.take())
                )
            else:
                small.append((index, file))
        stored = self._small_files.store([(file.path, file.take()) for _, file in small])
        for (index, _), mtime_ns in zip(small, stored, strict=True):
            if isinstance(mtime_ns, OSError):
                outcomes[index] = as_lake_error(mtime_ns)
            else:
                outcomes[index] = replace(received[index], mtime_ns=mtime_ns)
        errors = self._fsync_all([file for _, file in large])
        for (index, _), error in zip(large, errors, strict=True):
            if error is not None:
                outcomes[index] = error
        return outcomes

    def _fsync_all(self, files: Sequence[TemporaryIncoming]) -> list[LakeError | None]:
        if len(files) <= _SYNCED_IN_LINE:
            return [_fsync(file) for file in files]
        # The disk merges fsyncs that wait at the same time into fewer journal commits.
        slices = [range(start, len(files), _SYNC_THREADS) for start in range(_SYNC_THREADS)]
        outcomes: list[LakeError | None] = [None] * len(files)

        def fsync_slice(indices: range) -> None:
            for index in indices:
                outcomes[index] = _fsync(files[index])

        for done in [self._helpers.submit(fsync_slice, indices) for indices in slices]:
            done.result()
        return outcomes


def _fsync(file: TemporaryIncoming) -> LakeError | None:
    try:
        file.fsync_and_close()
    except OSError as cause:
        return as_lake_error(cause)
    return None
