"""What an upload tells: to a person in words, or as JSON lines to a program."""

from __future__ import annotations

import time
from argparse import Namespace
from collections.abc import Callable
from typing import Any, Protocol

from app.cli import exits, words
from app.cli.progress import ProgressShow, progress_show
from app.cli.terminal import Terminal
from app.domain import sentences
from app.domain.errors import LakeDropError
from app.domain.snapshots import JobSnapshot
from app.domain.upload_job import JobState

_EVENT_EVERY_S = 1.0
SHOWN_ROWS = 20


class UploadReport(Protocol):
    every_file: bool  # whether `file` wants all files, or only those that failed

    def looking(self, job: JobSnapshot) -> None:
        """The files are being looked for."""
        ...

    def found(self, job: JobSnapshot) -> None: ...

    def left_out(self, entries: list[tuple[str, str]], count: int) -> None:
        """Some of the `count` sources that are not uploaded, each with the reason."""
        ...

    def progress(self, job: JobSnapshot) -> None: ...

    def pause(self) -> None:
        """Before a question, or anything said beside."""
        ...

    def file(self, item: dict[str, Any]) -> None: ...

    def stays(self, text: str) -> None:
        """What an interrupted job leaves on the server."""
        ...

    def beware(self, text: str) -> None:
        """Before the start; nothing is asked."""
        ...

    def result(self, job: JobSnapshot, exit_code: int, took_s: float) -> None: ...

    def error(self, error: LakeDropError) -> None: ...


class HumanReport:
    every_file = False

    def __init__(self, terminal: Terminal, show: ProgressShow) -> None:
        self._terminal = terminal
        self._show = show
        self._failures_told = 0

    def looking(self, job: JobSnapshot) -> None:
        if not job.intake_done:
            self._show.show(job)

    def found(self, job: JobSnapshot) -> None:
        self.pause()
        self._terminal.tell(f"Found {words.files(job.files)}, {words.size(job.bytes)}.")

    def left_out(self, entries: list[tuple[str, str]], count: int) -> None:
        if not count:
            return
        self._terminal.tell("Left out:")
        for source, reason in entries[:SHOWN_ROWS]:
            self._terminal.tell(f"  {words.shown(source)}: {words.shown(reason)}")
        if count > SHOWN_ROWS:
            self._terminal.tell(f"  … and {count - SHOWN_ROWS:,} more; --json lists all")

    def progress(self, job: JobSnapshot) -> None:
        self._show.show(job)

    def pause(self) -> None:
        self._show.hide()

    def file(self, item: dict[str, Any]) -> None:
        self._failures_told += 1
        if self._failures_told == 1:
            self._terminal.tell("Not uploaded:")
        self._terminal.tell(
            f"  {words.shown(item['source'])}: {words.shown(item['message'] or item['state'])}"
        )

    def stays(self, text: str) -> None:
        self.pause()
        self._terminal.tell(text)

    def beware(self, text: str) -> None:
        self.pause()
        self._terminal.tell(f"Beware: {text}")

    def result(self, job: JobSnapshot, exit_code: int, took_s: float) -> None:
        self.pause()
        if job.files_failed > self._failures_told > 0:
            more = job.files_failed - self._failures_told
            self._terminal.tell(f"  … and {more:,} more; --json lists all")
        self._terminal.say(summary(job, exit_code, took_s))
        if job.receipt:
            self._terminal.tell(f"Receipt: {words.shown(job.receipt)} (and .csv)")

    def error(self, error: LakeDropError) -> None:
        self.pause()
        self._terminal.tell_error(error)


class JsonReport:
    """One object a line on standard output, `event` first; the last one is `result`, or `error`."""

    every_file = True

    def __init__(
        self, terminal: Terminal, monotonic_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._terminal = terminal
        self._monotonic_s = monotonic_s
        self._next_s = 0.0
        self._last: JobState | None = None

    def looking(self, job: JobSnapshot) -> None:
        pass  # `found` tells it at once when all are there

    def found(self, job: JobSnapshot) -> None:
        self._event(
            "found",
            job_id=job.job_id,
            files=job.files,
            bytes=job.bytes,
            files_left_out=job.files_left_out,
        )

    def left_out(self, entries: list[tuple[str, str]], count: int) -> None:
        for source, reason in entries:
            self._event("left_out", source=source, reason=reason)

    def progress(self, job: JobSnapshot) -> None:
        now_s = self._monotonic_s()
        if job.state is self._last and now_s < self._next_s:
            return
        self._last, self._next_s = job.state, now_s + _EVENT_EVERY_S
        self._event(
            "progress",
            state=job.state.value,
            files=job.files,
            bytes=job.bytes,
            files_arrived=job.files_arrived,
            files_verified=job.files_verified,
            files_failed=job.files_failed,
            bytes_sent=job.bytes_sent,
            speed_bytes_s=round(job.speed_bytes_s),
            waiting_reason=job.waiting_reason,
        )

    def pause(self) -> None:
        pass  # lines of their own do not disturb anybody

    def file(self, item: dict[str, Any]) -> None:
        self._event(
            "file",
            source=item["source"],
            path=item["lake_path"],
            size_bytes=item["size_bytes"],
            state=item["state"],
            assurance=item["assurance"],
            sha256=item["sha256"],
            message=item["message"],
        )

    def stays(self, text: str) -> None:
        self._event("stays", message=text)

    def beware(self, text: str) -> None:
        self._event("beware", message=text)

    def result(self, job: JobSnapshot, exit_code: int, took_s: float) -> None:
        self._event(
            "result",
            state=job.state.value,
            job_id=job.job_id,
            sync_id=job.sync_id,
            files=job.files,
            bytes=job.bytes,
            files_verified=job.files_verified,
            files_already_in_lake=job.files_already_in_lake,
            files_acknowledged=job.files_arrived - job.files_verified,
            files_failed=job.files_failed,
            files_cancelled=job.files_cancelled,
            files_left_out=job.files_left_out,
            plain_server=job.plain_server,
            took_s=round(took_s, 3),
            message=job.message,
            go_on_with=go_on_with(job),
            receipt=job.receipt or None,
            exit_code=exit_code,
        )

    def error(self, error: LakeDropError) -> None:
        tell_error_as_json(self._terminal, error)

    def _event(self, event: str, **fields: Any) -> None:
        self._terminal.say_json({"event": event, **fields})


def report_of(options: Namespace, terminal: Terminal) -> UploadReport:
    return JsonReport(terminal) if options.json else HumanReport(terminal, progress_show(terminal))


def tell_error_as_json(terminal: Terminal, error: LakeDropError) -> None:
    terminal.say_json(
        {"event": "error", "kind": error.kind, "title": error.title, "message": error.message}
    )


def summary(job: JobSnapshot, exit_code: int, took_s: float) -> str:
    """The last line for a person: what arrived, how sure that is, and why it is not all."""
    destination = words.shown(job.destination)
    sync = f" (sync {job.sync_id})" if job.sync_id is not None else ""
    arrived = f"{job.files_arrived:,} of {words.files(job.files)}"
    if exit_code == exits.DONE:
        sure = "acknowledged by the server" if job.plain_server else "verified"
        if job.files_already_in_lake:
            there = words.files(job.files_already_in_lake)
            sent = job.files_arrived - job.files_already_in_lake
            return (
                f"{words.files(job.files)}, {words.size(job.bytes)} in the lake and {sure} in "
                f"{words.duration(took_s)}, {sent:,} sent, {there} already there: "
                f"{destination}{sync}"
            )
        return (
            f"{words.files(job.files)}, {words.size(job.bytes)} uploaded and {sure} in "
            f"{words.duration(took_s)}: {destination}{sync}"
        )
    if job.state is JobState.FINISHED:
        reason = f"{job.files_failed:,} failed" if job.files_failed else "not all are verified"
        return f"Finished with {arrived} at {destination}: {reason}{sync}."
    if job.state is JobState.CANCELLED:
        return f"Cancelled: {arrived} had arrived{sync}."
    message = words.shown(job.message) or "It did not finish."
    text = f"{words.STATES[job.state].capitalize()}: {message} {arrived} arrived{sync}."
    return f"{text} To go on, run: {go_on}" if (go_on := go_on_with(job)) else text


def go_on_with(job: JobSnapshot) -> str:
    """The command that takes the job further, empty where none does."""
    if job.state is not JobState.NEEDS_ATTENTION:
        return ""
    return f"lakedrop retry {job.job_id}{' --allow-shrink' if shrinks(job) else ''}"


def shrinks(job: JobSnapshot) -> bool:
    """Whether it rests because the data would shrink, which needs a consent of its own."""
    rests = job.state is JobState.NEEDS_ATTENTION
    return rests and sentences.SHRINKS.gaps_in(job.message) is not None
