"""What became of each file of a job, to keep: the rows of a receipt, as CSV for people and as JSON.

Both forms are UTF-8. JSON is ASCII with escapes and tells every name exactly, one that is no
Unicode too; it begins with the job and has one file a line. CSV (RFC 4180) is for spreadsheets.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol, TextIO

from app.domain.moments import iso_time
from app.domain.queue_item import Assurance, ItemState
from app.domain.snapshots import JobSnapshot

COLUMNS = ("path", "size", "sha256", "sent", "assurance", "answer", "source")
BYTE_ORDER_MARK = "\ufeff"  # by it a spreadsheet sees that a CSV file is UTF-8
# What a spreadsheet takes for the beginning of a formula (OWASP, "CSV Injection").
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_ANSWERS = {
    Assurance.VERIFIED: "stored with this SHA-256",
    Assurance.ACKNOWLEDGED: "acknowledged, no SHA-256 told",
}
_IN_LAKE = "already in the lake with this SHA-256"

Row = Mapping[str, Any]


def row_of(item: Row) -> Row:
    """Of an item as the engine's socket has it.

    `sent` is false for what did not arrive, and `answer` then says why, and for what the lake had
    already: that is verified all the same.
    """
    assurance = Assurance(item["assurance"])
    in_lake = item["state"] == ItemState.ALREADY_IN_LAKE.value
    answer = _IN_LAKE if in_lake else _ANSWERS.get(assurance) or item["message"] or item["state"]
    return {
        "path": item["lake_path"],
        "size": item["size_bytes"],
        "sha256": item["sha256"],
        "sent": item["state"] == ItemState.UPLOADED.value,
        "assurance": assurance.value,
        "answer": answer,
        "source": item["source"],
    }


class Form(Protocol):
    """Rows in between."""

    def begin(self) -> None: ...

    def row(self, row: Row) -> None: ...

    def end(self) -> None: ...


class CsvForm:
    """`shown` makes each cell what it may look like, on a terminal say."""

    def __init__(
        self,
        out: TextIO,
        *,
        line_end: str = "\r\n",
        shown: Callable[[str], str] = lambda text: text,
    ) -> None:
        self._table = csv.writer(out, lineterminator=line_end)
        self._shown = shown

    def begin(self) -> None:
        self._table.writerow(COLUMNS)

    def row(self, row: Row) -> None:
        self._table.writerow([self._shown(cell(row[name])) for name in COLUMNS])

    def end(self) -> None:
        pass


class JsonForm:
    def __init__(self, out: TextIO, job: JobSnapshot) -> None:
        self._out = out
        self._job = job
        self._comma = "\n"

    def begin(self) -> None:
        self._out.write(json.dumps(_head(self._job))[:-1] + ', "files": [')

    def row(self, row: Row) -> None:
        self._out.write(self._comma + json.dumps(row))
        self._comma = ",\n"

    def end(self) -> None:
        self._out.write("\n]}\n")


def write(forms: Iterable[Form], rows: Iterable[Row]) -> None:
    """All forms at once: the rows are read one time, and never all in memory."""
    together = tuple(forms)
    for form in together:
        form.begin()
    for row in rows:
        for form in together:
            form.row(row)
    for form in together:
        form.end()


def cell(value: object) -> str:
    """What would be a formula in a spreadsheet begins with an apostrophe instead.

    Lake paths and sources begin with a slash or a drive, so they are always told as they are.
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _head(job: JobSnapshot) -> Row:
    return {
        "job_id": job.job_id,
        "name": job.name,
        "connection": job.connection,
        "destination": job.destination,
        "mode": job.mode.value,
        "state": job.state.value,
        "message": job.message,
        "sync_id": job.sync_id,
        "plain_server": job.plain_server,
        "started": iso_time(job.started_at_ms),
        "ended": iso_time(job.ended_at_ms),
        "files_planned": job.files,
        "files_arrived": job.files_arrived,
        "files_verified": job.files_verified,
        "files_already_in_lake": job.files_already_in_lake,
    }
