"""A job in words: its name, extent, progress and outcome, the same on card, form and footer."""

from __future__ import annotations

from PySide6.QtCore import QObject

from app.domain.snapshots import JobSnapshot
from app.domain.upload_job import JobState
from app.ui.context import UiContext
from app.ui.shown import shown


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

    def extent(self, job: JobSnapshot) -> str:
        """Short, for a card: `412 files`, `20 of 412 files`."""
        formats = self._context.formats
        if job.state is JobState.DRAFT and not job.intake_done:
            return self.tr("looking for files…")
        if job.state in (JobState.DRAFT, JobState.FINISHED) or not job.files_arrived:
            return formats.files(job.files)
        return self.tr("{0} of {1}").format(
            formats.number(job.files_arrived), formats.files(job.files)
        )

    def totals(self, job: JobSnapshot) -> str:
        """Long, for the footer: count and size, and what is done of it."""
        formats = self._context.formats
        if job.state is JobState.DRAFT:
            found = f"{formats.files(job.files)}, {formats.size(job.bytes)}"
            return found if job.intake_done else self.tr("{0} – still looking…").format(found)
        parts = [
            self.tr("{0} of {1}").format(
                formats.number(job.files_arrived), formats.files(job.files)
            ),
            self.tr("{0} of {1}").format(formats.size(job.bytes_sent), formats.size(job.bytes)),
        ]
        if job.files_failed:
            parts.append(self.tr("%n failed", "", job.files_failed))
        return " · ".join(parts)

    def outcome(self, job: JobSnapshot) -> str:
        """A finished job in one sentence."""
        formats = self._context.formats
        words = self.tr("{0}, {1} uploaded").format(
            formats.files(job.files_arrived), formats.size(job.bytes_sent)
        )
        if took := formats.took(job.started_at_ms, job.ended_at_ms):
            words = self.tr("{0} in {1}").format(words, took)
        if job.files_failed:
            return self.tr("{0}; %n file(s) did not arrive.", "", job.files_failed).format(words)
        if job.files_verified == job.files_arrived:
            return self.tr("{0}. The server proved that it holds every byte.").format(words)
        return self.tr("{0}. This server acknowledged every file; it tells no digests.").format(
            words
        )
