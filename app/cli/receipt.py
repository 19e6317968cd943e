"""`lakedrop receipt`: what became of each file of an upload, to keep: as CSV for people, or JSON.

It is made of the upload queue, which remembers every outcome durably, page by page.
"""

from __future__ import annotations

import contextlib
import csv
import json
import os
import tempfile
from argparse import Namespace
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO

from app.cli import exits, words
from app.cli.context import CommandContext
from app.cli.engine_session import EngineSession
from app.domain.errors import LakeDropError, WrongUse
from app.domain.queue_item import Assurance, ItemState
from app.domain.snapshots import JobSnapshot
from app.domain.upload_job import JobState

COLUMNS = ("path", "size", "sha256", "sent", "assurance", "answer", "source")
_PAGE = 5_000
_BYTE_ORDER_MARK = "\ufeff"
# What a spreadsheet takes for the beginning of a formula (OWASP, "CSV Injection").
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_ANSWERS = {
    Assurance.VERIFIED: "stored with this SHA-256",
    Assurance.ACKNOWLEDGED: "acknowledged, no SHA-256 told",
}

Row = Mapping[str, Any]


def receipt(options: Namespace, context: CommandContext) -> int:
    """0 once it is written whole. Raises `WrongUse` for a job that is not there or a draft."""
    with EngineSession(context.attach_engine) as session:
        job = session.watch(options.job).now
        if job.state is JobState.DRAFT:
            raise WrongUse(f"Job {job.job_id} was not started yet: there is nothing to tell of it.")
        rows = map(row_of, _items(session, job))
        if options.output is None:
            stdout = context.terminal.stdout
            write(stdout, options.format, job, rows, for_eyes=stdout.isatty())
            stdout.flush()
            return exits.DONE
        try:
            with _durable(Path(options.output)) as file:
                if options.format == "csv":
                    file.write(_BYTE_ORDER_MARK)
                write(file, options.format, job, rows, line_end="\r\n")
        except OSError as cause:
            name = words.shown(options.output)
            raise LakeDropError(f"{name} cannot be written: {cause.strerror}.") from cause
    return exits.DONE


def row_of(item: Row) -> Row:
    """`sent` is false for what did not arrive; `answer` then says why."""
    assurance = Assurance(item["assurance"])
    return {
        "path": item["lake_path"],
        "size": item["size_bytes"],
        "sha256": item["sha256"],
        "sent": item["state"] == ItemState.UPLOADED.value,
        "assurance": assurance.value,
        "answer": _ANSWERS.get(assurance) or item["message"] or item["state"],
        "source": item["source"],
    }


def write(
    out: TextIO,
    form: str,
    job: JobSnapshot,
    rows: Iterable[Row],
    *,
    line_end: str = "\n",
    for_eyes: bool = False,
) -> None:
    """`for_eyes`: nothing that steers a terminal. JSON is ASCII, and tells every name exactly."""
    if form == "json":
        _write_json(out, job, rows)
        return
    table = csv.writer(out, lineterminator=line_end)
    table.writerow(COLUMNS)
    for row in rows:
        cells = [cell(row[name]) for name in COLUMNS]
        table.writerow([words.shown(text) for text in cells] if for_eyes else cells)


def cell(value: object) -> str:
    """What would be a formula in a spreadsheet begins with an apostrophe instead.

    Lake paths begin with a slash, so they are always told as they are.
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _write_json(out: TextIO, job: JobSnapshot, rows: Iterable[Row]) -> None:
    """One object, one file a line."""
    head = {
        "job_id": job.job_id,
        "name": job.name,
        "connection": job.connection,
        "destination": job.destination,
        "mode": job.mode.value,
        "state": job.state.value,
        "sync_id": job.sync_id,
        "plain_server": job.plain_server,
        "started": words.iso_time(job.started_at_ms),
        "ended": words.iso_time(job.ended_at_ms),
        "files_planned": job.files,
        "files_arrived": job.files_arrived,
        "files_verified": job.files_verified,
    }
    out.write(json.dumps(head)[:-1] + ', "files": [')
    comma = "\n"
    for row in rows:
        out.write(comma + json.dumps(row))
        comma = ",\n"
    out.write("\n]}\n")


def _items(session: EngineSession, job: JobSnapshot) -> Iterator[Row]:
    after = 0
    while page := session.request(
        "items", job_id=job.job_id, states=None, after=after, limit=_PAGE
    )["items"]:
        yield from page
        after = int(page[-1]["item_id"])


@contextlib.contextmanager
def _durable(path: Path) -> Iterator[TextIO]:
    """Wholly there or, after an error or a crash, as before."""
    folder = path.parent
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=folder)  # 0600
    try:
        # A name that is no Unicode is told with its odd bytes written out.
        with os.fdopen(
            handle, "w", encoding="utf-8", errors="backslashreplace", newline=""
        ) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            Path(name).unlink()
        raise
    if os.name == "posix":
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)
