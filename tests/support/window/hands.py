"""A person's hands: pointer and keyboard events that the X server cannot tell from real ones."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass

from tests.support.needs import needs_tool
from tests.support.window.x_session import XSession

_MOVES_OF_A_DRAG = 10


@dataclass(frozen=True, slots=True)
class Point:
    """Pixels of the screen, from its left upper corner."""

    x: int
    y: int


@dataclass(frozen=True, slots=True)
class Hands:
    session: XSession

    def click(self, at: Point, *, button: int = 1) -> None:
        self._do("mousemove", "--sync", str(at.x), str(at.y), "click", str(button))

    def double_click(self, at: Point) -> None:
        self._do("mousemove", "--sync", str(at.x), str(at.y), *("click", "1") * 2)

    def move(self, to: Point) -> None:
        self._do("mousemove", "--sync", str(to.x), str(to.y))

    def wheel(self, at: Point, notches: int) -> None:
        """Downwards; upwards where negative."""
        button = "5" if notches > 0 else "4"
        self._do("mousemove", "--sync", str(at.x), str(at.y))
        self._do("click", "--repeat", str(abs(notches)), "--delay", "5", button)

    def press(self) -> None:
        self._do("mousedown", "1")

    def release(self) -> None:
        self._do("mouseup", "1")

    def glide(self, start: Point, end: Point) -> None:
        """Small moves with the button as it is, as a drag needs them."""
        for step in range(1, _MOVES_OF_A_DRAG + 1):
            share = step / _MOVES_OF_A_DRAG
            self.move(
                Point(
                    round(start.x + (end.x - start.x) * share),
                    round(start.y + (end.y - start.y) * share),
                )
            )

    def keys(self, *names: str) -> None:
        """Keys one after the other by their X names: `Tab`, `ctrl+a`, `Return`."""
        self._do("key", "--delay", "5", *names)

    def type(self, text: str) -> None:
        """Over a pipe: what is typed may be a secret, and arguments can be read by everybody."""
        self._do("type", "--delay", "5", "--file", "-", text=text)

    def _do(self, *words: str, text: str = "") -> None:
        subprocess.run(
            [needs_tool("xdotool"), *words],
            env=self.session.environment(),
            input=text,
            text=True,
            check=True,
            timeout=60,
        )
