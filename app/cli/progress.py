"""A running job shown while it runs: a bar on a terminal, now and then a line elsewhere."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from app.cli import words
from app.cli.terminal import Terminal
from app.domain.snapshots import JobSnapshot
from app.domain.upload_job import ENDED, JobState

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_LINE_EVERY_S = 5.0


class ProgressShow(Protocol):
    def show(self, job: JobSnapshot) -> None: ...

    def hide(self) -> None:
        """Leaves the line free for a question or a result; `show` begins again."""
        ...


def progress_show(terminal: Terminal) -> ProgressShow:
    return ProgressBar(terminal) if terminal.can_redraw else ProgressLines(terminal)


_TOLD_AT_ONCE = (JobState.UPLOADING, JobState.ENDING)


class ProgressLines:
    """One line every few seconds, and one when the sending and the ending begin; for logs."""

    def __init__(
        self, terminal: Terminal, monotonic_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._terminal = terminal
        self._monotonic_s = monotonic_s
        self._next_s = monotonic_s() + _LINE_EVERY_S
        self._told: JobState | None = None

    def show(self, job: JobSnapshot) -> None:
        now_s = self._monotonic_s()
        at_once = job.state in _TOLD_AT_ONCE and job.state is not self._told
        if at_once or (now_s >= self._next_s and job.state not in ENDED):
            self._told, self._next_s = job.state, now_s + _LINE_EVERY_S
            self._terminal.tell(f"{_state_words(job)}: {_figures(job)}")

    def hide(self) -> None:
        pass  # nothing stays on the line


class ProgressBar:
    """Bytes as a bar, files as a count. `rich` is imported when the first is drawn."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._progress: Progress | None = None
        self._task: TaskID | None = None

    def show(self, job: JobSnapshot) -> None:
        if self._progress is None or self._task is None:
            self._progress = self._begin()
            self._task = self._progress.add_task("", total=None, files="", speed="", left="")
        speed = f"{words.size(job.speed_bytes_s)}/s" if job.speed_bytes_s else ""
        missing_bytes = job.bytes - job.bytes_sent
        left = ""
        if job.speed_bytes_s > 0 and missing_bytes > 0:
            left = f"{words.duration(missing_bytes / job.speed_bytes_s)} left"
        self._progress.update(
            self._task,
            description=_state_words(job),
            # One byte more than nothing, so that a job of empty files has a bar that fills.
            total=max(job.bytes, 1) if job.intake_done else None,
            completed=job.bytes_sent,
            files=_figures(job),
            speed=speed,
            left=left,
        )

    def hide(self) -> None:
        if self._progress is not None:
            self._progress.stop()
            self._progress = self._task = None

    def _begin(self) -> Progress:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

        def text(field: str) -> TextColumn:
            return TextColumn(f"{{task.{field}}}", markup=False)

        progress = Progress(
            SpinnerColumn(),
            text("description"),
            BarColumn(bar_width=24),
            text("fields[files]"),
            text("fields[speed]"),
            text("fields[left]"),
            console=Console(file=self._terminal.stderr),
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        progress.start()
        return progress


def _state_words(job: JobSnapshot) -> str:
    if job.waiting_reason:
        left_s = job.next_try_at_ms / 1000 - time.time()
        again = f"; trying again in {math.ceil(left_s)} s" if left_s > 0 else ""
        return f"waiting ({words.shown(job.waiting_reason)}{again})"
    return words.STATES[job.state]


def _figures(job: JobSnapshot) -> str:
    if not job.intake_done:
        return f"{words.files(job.files)}, {words.size(job.bytes)}"
    failed = f", {job.files_failed:,} failed" if job.files_failed else ""
    return (
        f"{job.files_arrived:,} of {words.files(job.files)}, "
        f"{words.size(job.bytes_sent)} of {words.size(job.bytes)}{failed}"
    )
