"""The one question on closing while something uploads."""

from __future__ import annotations

from enum import StrEnum

from PySide6.QtWidgets import QDialog, QHBoxLayout, QLayout, QVBoxLayout, QWidget

from app.ui.context import UiContext
from app.ui.widgets.buttons import button, label

_TEXT_WIDTH = 520


class CloseAnswer(StrEnum):
    KEEP = "keep"  # the engine goes on by itself
    PAUSE = "pause"  # all that runs rests until somebody resumes it
    STAY = "stay"


class CloseDialog(QDialog):
    """`answer` is STAY unless a button said otherwise: Escape and the cross close nothing."""

    def __init__(self, context: UiContext, running_jobs: int, parent: QWidget) -> None:
        super().__init__(parent)
        self.answer = CloseAnswer.STAY
        self.setWindowTitle("LakeDrop")
        self.setObjectName("close")
        self.setModal(True)
        heading = label(self.tr("%n upload(s) still running", "", running_jobs), role="heading")
        text = label(
            self.tr(
                "Keep uploading in the background, or pause? What is paused goes on when you open "
                "LakeDrop again and press Resume. Nothing is lost either way."
            )
        )
        text.setWordWrap(True)
        keep = button(
            context.theme,
            self.tr("Keep uploading in the background"),
            name="close.keep",
            kind="primary",
        )
        pause = button(context.theme, self.tr("Pause and close"), name="close.pause")
        stay = button(context.theme, self.tr("Do not close"), name="close.stay")
        for made, answer in (
            (keep, CloseAnswer.KEEP),
            (pause, CloseAnswer.PAUSE),
            (stay, CloseAnswer.STAY),
        ):
            made.clicked.connect(lambda _, answer=answer: self._say(answer))
        keep.setDefault(True)
        row = QHBoxLayout()
        row.addWidget(stay)
        row.addStretch(1)
        row.addWidget(pause)
        row.addWidget(keep)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 18, 20, 16)
        column.setSpacing(12)
        column.addWidget(heading)
        column.addWidget(text)
        column.addSpacing(6)
        column.addLayout(row)
        text.setMinimumWidth(_TEXT_WIDTH)
        column.setSizeConstraint(QLayout.SizeConstraint.SetFixedSize)  # nothing is ever cut
        keep.setFocus()

    def _say(self, answer: CloseAnswer) -> None:
        self.answer = answer
        self.done(0)
