"""What one cell shows, as plain values that a delegate paints without asking again."""

from __future__ import annotations

from dataclasses import dataclass

from app.ui.tokens import Tone


@dataclass(frozen=True, slots=True)
class Cell:
    """`pill`: icon and text on the tone's soft background. `progress` (0 to 1): a thin bar with
    the text right of it. `spoken` replaces `text` for screen readers where the picture says more.
    """

    text: str = ""
    icon: str = ""
    tone: Tone = Tone.NORMAL
    pill: bool = False
    progress: float | None = None
    middle: bool = False  # elided in the middle: the end of a path matters as well
    strong: bool = False
    spoken: str = ""


EMPTY = Cell()


@dataclass(frozen=True, slots=True)
class Column:
    """`width` in device-independent pixels at the start; columns with `stretch` share the rest.

    Where there is no room for all, those with the largest `spare` go first, 0 never.
    """

    title: str
    width: int
    right: bool = False  # numbers, so that their digits stand below each other
    stretch: bool = False
    spare: int = 0
