"""`lakedrop receipt`: what became of each file of an upload, to keep: as CSV for people, or JSON.

It is made of the upload queue, which remembers every outcome durably, page by page.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from app.cli import exits, words
from app.cli.context import CommandContext
from app.cli.engine_session import EngineSession
from app.domain.errors import LakeDropError, WrongUse
from app.domain.receipt import BYTE_ORDER_MARK, CsvForm, Form, JsonForm, Row, row_of, write
from app.domain.snapshots import JobSnapshot
from app.domain.upload_job import JobState

_PAGE = 5_000


def receipt(options: Namespace, context: CommandContext) -> int:
    """0 once it is written whole. Raises `WrongUse` for a job that is not there or a draft."""
    with EngineSession(context.attach_engine) as session:
        job = session.watch(options.job).now
        if job.state is JobState.DRAFT:
            raise WrongUse(f"Job {job.job_id} was not started yet: there is nothing to tell of it.")
        rows = map(row_of, _items(session, job))
        if options.output is None:
            stdout = context.terminal.stdout
            write([_form(options.format, stdout, job, for_eyes=stdout.isatty())], rows)
            stdout.flush()
            return exits.DONE
        try:
            with _durable(Path(options.output)) as file:
                if options.format == "csv":
                    file.write(BYTE_ORDER_MARK)
                write([_form(options.format, file, job, line_end="\r\n")], rows)
        except OSError as cause:
            name = words.shown(options.output)
            raise LakeDropError(f"{name} cannot be written: {cause.strerror}.") from cause
    return exits.DONE


def _form(
    form: str, out: TextIO, job: JobSnapshot, *, line_end: str = "\n", for_eyes: bool = False
) -> Form:
    """`for_eyes`: nothing that steers a terminal."""
    if form == "json":
        return JsonForm(out, job)
    return CsvForm(out, line_end=line_end, shown=words.shown if for_eyes else str)


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
