"""Receipts as files of their own, which nothing of LakeDrop ever takes away."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from app.domain.errors import LakeDropError
from app.domain.moments import moment_of
from app.domain.receipt import BYTE_ORDER_MARK, CsvForm, JsonForm, Row, write
from app.domain.snapshots import JobSnapshot
from app.infra.places import make_durable_folder, sync_folder


class ReceiptFiles:
    """`ports.Receipts` in one folder: `20261125T154012340Z-job-7.json`, and beside it the CSV.

    The moment is the job's end, UTC: numbers of jobs begin anew when a queue was lost. One writer.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, job: JobSnapshot, rows: Iterable[Row]) -> str:
        as_json = self._folder / f"{_name_of(job)}.json"
        try:
            make_durable_folder(self._folder)
            with _whole(as_json) as for_json, _whole(as_json.with_suffix(".csv")) as for_csv:
                for_csv.write(BYTE_ORDER_MARK)
                write([JsonForm(for_json, job), CsvForm(for_csv)], rows)
            sync_folder(self._folder)
        except OSError as cause:
            raise LakeDropError(
                f"The receipt {as_json} cannot be written: {cause.strerror or cause}. It is tried "
                "again when LakeDrop's upload engine starts the next time."
            ) from cause
        return str(as_json)


def _name_of(job: JobSnapshot) -> str:
    ended = moment_of(job.ended_at_ms) or moment_of(job.created_at_ms)
    when = "" if ended is None else f"{ended:%Y%m%dT%H%M%S}{ended.microsecond // 1000:03}Z-"
    return f"{when}job-{job.job_id}"


@contextmanager
def _whole(path: Path) -> Iterator[TextIO]:
    """A file of the owner's alone that takes the place of `path` at the end, synced, or never."""
    # The same name for each try: what a crash left is written over.
    fresh = path.with_name(f".{path.name}.new")
    try:
        # A name that is no Unicode is told in CSV with its odd bytes written out.
        with open(
            fresh, "w", encoding="utf-8", errors="backslashreplace", newline="", opener=_own_alone
        ) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except BaseException:
        with suppress(OSError):
            fresh.unlink()
        raise


def _own_alone(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
