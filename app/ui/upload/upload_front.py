"""What the window opens with: where to drop. The jobs' own part is made behind it when needed.

Making that part (a form, a table, banners) takes longer than all else of the window, and nobody can
see it before the engine has told of a job.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QMimeData
from PySide6.QtWidgets import QApplication, QStackedWidget, QVBoxLayout

from app.ui.context import Page, UiContext
from app.ui.upload.drop_zone import DropZone
from app.ui.widgets.buttons import label

if TYPE_CHECKING:
    from app.ui.upload.upload_page import UploadPage


class UploadFront(Page):
    """Usable from its first paint: whatever a person does first is given to the jobs' part."""

    def __init__(self, context: UiContext) -> None:
        super().__init__(context)
        self._jobs: UploadPage | None = None
        self._welcome = DropZone(context, large=True, names="welcome")
        self._welcome.add_files.connect(lambda: self.jobs.add_files())
        self._welcome.add_folder.connect(lambda: self.jobs.add_folder())
        self._stack = QStackedWidget()
        self._stack.addWidget(self._welcome)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 14, 16, 14)
        column.setSpacing(12)
        column.addWidget(label(self.tr("Upload"), role="title"))
        column.addWidget(self._stack, 1)
        context.link.jobs_changed.connect(self._show_one)
        context.link.jobs_gone.connect(self._show_one)

    @property
    def untouched_drafts(self) -> list[int]:
        """Empty ones that nobody has edited: no loss when the window closes."""
        return self._jobs.untouched_drafts if self._jobs is not None else []

    @property
    def jobs(self) -> UploadPage:
        if self._jobs is None:
            from app.ui.upload.upload_page import UploadPage

            self._jobs = UploadPage(self.context)
            self._stack.addWidget(self._jobs)
            self._show_one()
        return self._jobs

    def entered(self) -> None:
        self.jobs.entered()

    def show_drop_target(self, over: bool) -> None:
        """While something is dragged over the window."""
        self._welcome.show_over(over)
        if self._jobs is not None:
            self._jobs.show_drop_target(over)

    def take(self, mime: QMimeData) -> None:
        """Files dropped or pasted."""
        self.jobs.take(mime)

    def take_keyboard(self) -> None:
        """To where most begin: the jobs, or how to add the first files."""
        if self.context.link.jobs:
            self.jobs.take_keyboard()
        else:
            self._welcome.take_keyboard()

    def _show_one(self) -> None:
        wanted = self.jobs if self.context.link.jobs else self._welcome
        turns = wanted is not self._stack.currentWidget()
        had_keyboard = self._stack.isAncestorOf(QApplication.focusWidget() or self)
        self._stack.setCurrentWidget(wanted)
        if turns and had_keyboard:
            self.take_keyboard()
