"""A job in words: its name, extent, progress and outcome, the same on card, form and footer."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QObject

from app.domain.snapshots import JobSnapshot
from app.domain.upload_job import JobState
from app.ui.context import UiContext
from app.ui.shown import shown
from app.ui.state_texts import Shown


class JobWords(QObject):
    def __init__(self, context: UiContext, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._context = context

    def name(self, job: JobSnapshot) -> str:
        return shown(job.name) or self.tr("New upload")

    def connection(self, job: JobSnapshot) -> str:
        return shown(self._context.states.connection(job.connection))

    def fraction(self, job: JobSnapshot) -> float:
        """0 to 1 of the bytes; of the files where all are empty. 1 only when it is finished."""
        if job.state is JobState.FINISHED:
            return 1.0
        done = job.bytes_sent / job.bytes if job.bytes else 0.0
        if not job.bytes and job.files:
            done = job.files_arrived / job.files
        return min(max(done, 0.0), 0.99)

    def state(self, job: JobSnapshot) -> Shown:
        """As everywhere; a draft whose files are still looked for says so."""
        said = self._context.states.job(job.state)
        if job.state is JobState.DRAFT and not job.intake_done:
            return replace(said, text=self.tr("Looking for files…"))
        return said

    def failed(self, job: JobSnapshot) -> str:
        return self.tr("{0} failed").format(self._context.formats.number(job.files_failed))

    def not_arrived(self, job: JobSnapshot) -> str:
        files = self._context.formats.files(job.files_failed)
        return self.tr("{0} did not arrive").format(files)

    def extent(self, job: JobSnapshot) -> str:
        """Short, for a card: `412 files`, `20 of 412 files`."""
        formats = self._context.formats
        if job.state is JobState.NEEDS_ATTENTION and job.files_failed:
            return self.failed(job)
        if job.state in (JobState.DRAFT, JobState.FINISHED) or not job.files_arrived:
            return formats.files(job.files)
        return self.tr("{0} of {1}").format(
            formats.number(job.files_arrived), formats.files(job.files)
        )

    def totals(self, job: JobSnapshot) -> str:
        """Long, for the footer: count and size of a draft; what of the files is done."""
        formats = self._context.formats
        if job.state is JobState.DRAFT:
            return f"{formats.files(job.files)}, {formats.size(job.bytes)}"
        parts = [
            self.tr("{0} of {1}").format(
                formats.number(job.files_arrived), formats.files(job.files)
            ),
        ]
        if job.files_failed:
            parts.append(self.failed(job))
        return " · ".join(parts)

    def sent(self, job: JobSnapshot) -> str:
        """What of the bytes is done."""
        formats = self._context.formats
        return self.tr("{0} of {1}").format(formats.size(job.bytes_sent), formats.size(job.bytes))

    def outcome(self, job: JobSnapshot) -> str:
        """A finished job in one sentence."""
        formats = self._context.formats
        words = self.tr("{0}, {1} uploaded").format(
            formats.files(job.files_arrived), formats.size(job.bytes_sent)
        )
        if took := formats.took(job.started_at_ms, job.ended_at_ms):
            words = self.tr("{0} in {1}").format(words, took)
        if job.files_failed:
            return f"{words}; {self.not_arrived(job)}."
        if job.files_verified == job.files_arrived:
            return self.tr("{0}. The server proved that it holds every byte.").format(words)
        return self.tr("{0}. This server acknowledged every file; it tells no digests.").format(
            words
        )
