"""Dropped paths become items of the journal, streamed, never all in memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from app.domain import sentences
from app.domain.errors import Cancelled, SourceUnreadable
from app.domain.ports import Journal, SourceFiles
from app.domain.queue_item import FoundFile, LeftOut
from app.domain.upload_job import Source, UploadJob
from app.engine.picker import Picker

_ROWS_A_BATCH = 2_000
_FIRST_BATCH_AFTER_S = 0.05  # somebody looks at an empty table
_BATCH_AT_LEAST_EVERY_S = 0.25

OnFound = Callable[[int, int, int, int], None]
"""Called with files, bytes, left-out entries and, of the files, those that cannot be uploaded;
each since the last call."""


class Intake:
    """Takes a job's pending sources into the journal, in durable batches, until none is left.

    In a `kept` job a file that it has already is passed over, and a dropped path that is not there
    becomes an item that failed.
    """

    def __init__(
        self,
        job: UploadJob,
        sources: SourceFiles,
        journal: Journal,
        on_found: OnFound,
        is_cancelled: Callable[[], bool],
    ) -> None:
        self._job = job
        self._picker = Picker(job.picking)
        self._sources = sources
        self._journal = journal
        self._on_found = on_found
        self._is_cancelled = is_cancelled
        self._found: list[FoundFile] = []
        self._left_out: list[LeftOut] = []
        self._taken_in_to = 0
        self._write_at_s = 0.0
        # Paths that a kept job has; None while the only source fills an empty job, which can hold
        # no path twice.
        self._known: set[str] | None = None

    def run(self) -> None:
        """Raises `SourceUnreadable` when a dropped path is not there, `JournalFailed`, or
        `Cancelled`."""
        self._write_at_s = time.monotonic() + _FIRST_BATCH_AFTER_S
        if self._job.kept:
            self._known = self._known_paths() or None
        begun = False
        while page := self._journal.pending_sources(self._job.job_id, _ROWS_A_BATCH):
            for pending in page:
                if begun and self._known is None and self._job.kept:
                    self._write()
                    self._known = self._known_paths()
                begun = True
                self._take(pending.source)
                self._taken_in_to = pending.source_id
            self._write()

    def _known_paths(self) -> set[str]:
        return set(self._journal.source_paths(self._job.job_id))

    def _take(self, source: Source) -> None:
        is_empty = True
        for entry in self._entries(source):
            if self._is_cancelled():
                raise Cancelled
            # What is left out by itself says so already.
            is_empty = is_empty and isinstance(entry, LeftOut) and entry.source != source.path
            if self._known is not None:
                if entry.source in self._known:
                    continue
                self._known.add(entry.source)
            if isinstance(entry, LeftOut):
                self._left_out.append(entry)
            else:
                self._found.append(entry)
            self._write_if_due()
        if is_empty and (self._known is None or source.path not in self._known):
            self._left_out.append(LeftOut(source.path, sentences.NO_FILE_IN_IT()))

    def _entries(self, source: Source) -> Iterator[FoundFile | LeftOut]:
        try:
            yield from self._sources.walk(source, self._picker)
        except SourceUnreadable as error:
            if not self._job.kept:
                raise
            name = Path(source.path).name or source.path
            yield FoundFile(source.path, "", name, 0, 0, error.message)

    def _write_if_due(self) -> None:
        rows = len(self._found) + len(self._left_out)
        if rows >= _ROWS_A_BATCH or (rows and time.monotonic() > self._write_at_s):
            self._write()

    def _write(self) -> None:
        found, left_out = self._found, self._left_out
        self._journal.add_items(self._job.job_id, found, left_out, self._taken_in_to)
        self._on_found(
            len(found),
            sum(file.size_bytes for file in found),
            len(left_out),
            sum(1 for file in found if file.problem),
        )
        self._found, self._left_out = [], []
        self._write_at_s = time.monotonic() + _BATCH_AT_LEAST_EVERY_S
