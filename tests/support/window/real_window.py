"""The window under test from a person's chair: read by the probe, worked by pointer and keys."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.window.hands import Hands, Point
from tests.support.window.talking_process import TalkingProcess
from tests.support.window.under_test import PRODUCT
from tests.support.window.waiting import LONGEST_S, until
from tests.support.window.x_session import NO_BUS, XSession


@dataclass(frozen=True, slots=True)
class Look:
    """A widget as it is now. `at`: where a click meets it; `reachable`: nothing lies over that."""

    kind: str
    visible: bool
    reachable: bool
    enabled: bool
    focused: bool
    checked: bool
    text: str
    choices: list[str]
    accessible_name: str
    at: Point
    rect: tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Rows:
    """What a table shows; `count` may be more than the rows that were asked for."""

    count: int
    headers: list[str]
    rows: list[list[str]] = field(repr=False)
    selected: list[int]

    def column(self, header: str) -> list[str]:
        place = self.headers.index(header)
        return [row[place] for row in self.rows]

    def as_dicts(self) -> list[dict[str, str]]:
        return [dict(zip(self.headers, row, strict=True)) for row in self.rows]


class RealWindow:
    def __init__(self, process: TalkingProcess, session: XSession) -> None:
        self.process = process
        self.hands = Hands(session)
        self._session = session

    # Reading

    def look(self, name: str) -> Look | None:
        answer = self.process.ask("look", name=name)
        if answer is None:
            return None
        at = Point(answer.pop("x"), answer.pop("y"))
        return Look(at=at, rect=tuple(answer.pop("rect")), **answer)

    def see(self, name: str, *, enabled: bool | None = None, within_s: float = LONGEST_S) -> Look:
        """The widget, once it is in sight (and enabled, or disabled, where that is asked for)."""

        def looked() -> Look | None:
            look = self.look(name)
            if look is None or not look.visible:
                return None
            return look if enabled is None or look.enabled is enabled else None

        suffix = {None: "is in sight", True: "can be used", False: "cannot be used"}[enabled]
        found = until(looked, lambda: self._sight(f"{name} {suffix}"), within_s=within_s)
        assert found is not None
        return found

    def shows(self, name: str) -> bool:
        look = self.look(name)
        return look is not None and look.visible

    def text(self, name: str) -> str:
        look = self.look(name)
        return look.text if look is not None and look.visible else ""

    def wait_text(self, name: str, *parts: str, within_s: float = LONGEST_S) -> str:
        """The widget's text once it has all these parts."""

        def told() -> str:
            text = self.text(name)
            return text if all(part in text for part in parts) else ""

        return until(told, lambda: self._sight(f"{name} says {parts}"), within_s=within_s)

    def wait_words(self, *parts: str, within_s: float = LONGEST_S) -> None:
        """Until each of these stands somewhere in sight."""

        def told() -> bool:
            texts = "\n".join(self.process.ask("texts"))
            return all(part in texts for part in parts)

        until(told, lambda: self._sight(f"{parts} stand in sight"), within_s=within_s)

    def rows(self, table: str, *, first: int = 0, limit: int = 200, spoken: bool = False) -> Rows:
        """`spoken`: as a screen reader says them."""
        answer = self.process.ask("rows", name=table, first=first, limit=limit, spoken=spoken)
        return Rows(**answer)

    def wait_rows(self, table: str, count: int, *, within_s: float = LONGEST_S) -> Rows:
        """Until there are so many rows and each that is asked for says something."""

        def enough() -> bool:
            if self.rows(table, limit=0).count != count:
                return False
            # A row stands there before its page has come: then all its cells are blank.
            return all(any(row) for row in self.rows(table).rows)

        until(
            enough,
            lambda: (
                f"{table} has {count} rows; it has {self.rows(table)}\n{self._sight('it has them')}"
            ),
            within_s=within_s,
        )
        return self.rows(table)

    def focus(self) -> str | None:
        """Object name of what has the keyboard."""
        name: str | None = self.process.ask("health")["focus"]
        return name

    def names(self, prefix: str, *, controls: bool = False) -> list[str]:
        """Object names of what is in sight; `controls`: only what Tab must reach."""
        found: list[str] = self.process.ask("names", prefix=prefix, controls=controls)
        return found

    def windows(self) -> list[dict[str, Any]]:
        """Title, whether it is active, and place, of each window and dialog."""
        shown: list[dict[str, Any]] = self.process.ask("windows")
        return shown

    def qt_warnings(self) -> list[str]:
        seen: list[str] = self.process.ask("health")["qt_warnings"]
        return seen

    def worst_stall_ms(self) -> float:
        """Since it was asked the last time."""
        return float(self.process.ask("reset_stall"))

    def grab(self, path: Path) -> None:
        assert self.process.ask("grab", path=str(path))

    # Acting

    def click(self, name: str, *, within_s: float = LONGEST_S) -> None:
        """Once it can be used and stands still."""
        self.hands.click(self._steady(name, within_s).at)

    def click_cell(self, table: str, text: str, *, within_s: float = LONGEST_S) -> None:
        self.hands.click(self.cell(table, text, within_s=within_s))

    def cell(self, table: str, text: str, *, within_s: float = LONGEST_S) -> Point:
        found = until(
            lambda: self.process.ask("cell", name=table, text=text),
            lambda: self._sight(f"{table} shows {text!r}; it has {self.rows(table)}"),
            within_s=within_s,
        )
        return Point(*found)

    def fill(self, name: str, text: str) -> None:
        """Clicks a field, and types over what it has."""
        self.click(name)
        until(lambda: self._has_focus(name), lambda: self._sight(f"{name} has the keyboard"))
        self.type_over(name, text)

    def type_over(self, name: str, text: str) -> None:
        """Into the field that has the keyboard."""
        self.hands.keys("ctrl+a", "BackSpace")
        until(lambda: not self.text(name), lambda: self._sight(f"{name} is empty"))
        self.hands.type(text)
        until(
            lambda: len(self.text(name)) >= len(text),
            lambda: self._sight(f"{name} has what was typed; it has {self.text(name)!r}"),
        )

    def choose(self, name: str, choice: str) -> None:
        """A choice of a drop-down list, by typing its first letters."""
        if self.text(name) == choice:
            return
        until(
            lambda: (look := self.look(name)) is not None and choice in look.choices,
            lambda: self._sight(f"{name} offers {choice}"),
        )
        self.click(name)
        self.hands.type(choice)
        self.hands.keys("Return")
        until(lambda: self.text(name) == choice, lambda: self._sight(f"{name} is {choice}"))

    def tab_to(self, name: str, *, at_most: int = 60) -> list[str | None]:
        """Presses Tab until the widget has the keyboard; tells what had it on the way."""
        passed: list[str | None] = []
        while not self._has_focus(name):
            assert len(passed) < at_most, f"Tab did not reach {name}, only {passed}"
            passed.append(self.tab())
        return passed

    def tab(self) -> str | None:
        """To the next that takes the keyboard; its object name."""
        before = self.focus()
        self.hands.keys("Tab")
        until(lambda: self.focus() != before, f"Tab leaves {before}")
        return self.focus()

    def ask_to_close(self) -> None:
        """As the window manager does when its keys are pressed."""
        self.hands.keys("alt+F4")

    def ended(self, *, within_s: float = LONGEST_S) -> None:
        """Waits for its end, and looks at how it ended: well, without a word of complaint."""
        code = self.process.wait(within_s)
        assert code == 0, f"exit code {code}; it wrote:\n{self.process.errors()}"
        self.check_errors()

    def close(self) -> None:
        self.ask_to_close()
        self.ended()

    def check_errors(self) -> None:
        told = self.process.errors()
        assert "Traceback" not in told, told
        assert "Fatal Python error" not in told, told
        # From before the probe listened: the program's own handler wrote them down.
        warned = re.findall(r"(?:WARNING|ERROR|CRITICAL) \S+: (Qt: .*)", told)
        assert not warned, told

    def _has_focus(self, name: str) -> bool:
        look = self.look(name)
        return look is not None and look.focused

    def _steady(self, name: str, within_s: float) -> Look:
        """Two looks alike, one after the other: a page that is being laid out moves its buttons."""
        last: Look | None = None

        def stands() -> Look | None:
            nonlocal last
            look = self.look(name)
            before, last = last, look
            if look is None or not (look.visible and look.enabled and look.reachable):
                return None
            return look if before is not None and before.rect == look.rect else None

        found = until(stands, lambda: self._sight(f"{name} can be clicked"), within_s=within_s)
        assert found is not None
        return found

    def _sight(self, what: str) -> str:
        """What was waited for, and what is there instead."""
        return f"{what}\n{self.story()}"

    def story(self) -> str:
        """What is in sight, where its picture is, and what was written."""
        picture = self._session.folder / "failed.png"
        self.grab(picture)
        texts = "\n  ".join(self.process.ask("texts"))
        return f"In sight ({picture}):\n  {texts}\nWritten:\n{self.process.errors()}"


@contextlib.contextmanager
def real_window(
    session: XSession,
    environ: Mapping[str, str],
    *,
    program: str = PRODUCT,
    bus: str = NO_BUS,
    bears_warnings: Sequence[str] = (),
) -> Iterator[RealWindow]:
    """The window, started and active. When it is left, it must be without fault up to then.

    `environ` is a home's; the screen's is added here. `bus`: address of a session bus, with a
    keyring for example. `bears_warnings`: parts of Qt's messages that are meant.
    """
    log = session.folder / "window.log"
    log.write_bytes(b"")
    words = ["-m", "tests.support.window.under_test", program]
    told = {"LAKEDROP_TRACEBACK": "1"}  # its faults on standard error, not in its log alone
    process = TalkingProcess(words, session.environment(environ, bus=bus) | told, log)
    window = RealWindow(process, session)
    try:
        process.ask("ready")
        until(
            lambda: any(one["active"] for one in process.ask("windows")),
            lambda: f"the window is active; there are {process.ask('windows')}",
        )
        yield window
        if process.process.poll() is None:
            warnings = [
                text
                for text in window.qt_warnings()
                if not any(part in text for part in bears_warnings)
            ]
            assert not warnings, f"Qt warned: {warnings}"
        window.check_errors()
    finally:
        process.end()


class FileManager:
    """The other window, from which files are dragged."""

    def __init__(self, process: TalkingProcess, hands: Hands) -> None:
        self._process = process
        self._hands = hands

    def drag(self, paths: Sequence[Path | str], to: Point) -> None:
        """Drags all of these at once and drops them there; the drop must have been accepted."""
        assert self.try_to_drag(paths, to), f"nothing at {to} accepts {paths}"

    def try_to_drag(self, paths: Sequence[Path | str], to: Point, *, within_s: float = 30) -> bool:
        """False where what lies there does not accept the drag within that time."""
        self._process.ask("hold", paths=[str(path) for path in paths])
        start = Point(*self._process.ask("place"))
        near = Point(start.x - 12, start.y - 6)
        self._hands.move(start)
        self._hands.press()
        self._hands.glide(start, near)
        until(lambda: self._state()["state"] == "dragging", "the drag begins", within_s=30)
        self._hands.glide(near, to)
        accepted = self._accepted(to, within_s)
        self._hands.release()
        until(lambda: self._state()["state"] == "ended", "the drag ends")
        return accepted and self._state()["result"] == "CopyAction"

    def _accepted(self, to: Point, within_s: float) -> bool:
        """Wiggles on the spot, as hands do: a target speaks only when it is moved over."""
        side = 0

        def looks() -> bool:
            nonlocal side
            side = 1 - side
            self._hands.move(Point(to.x + side, to.y))
            return bool(self._state()["accepted"])

        try:
            return until(looks, "the drop is accepted", within_s=within_s)
        except AssertionError:
            return False

    def _state(self) -> dict[str, Any]:
        state: dict[str, Any] = self._process.ask("state")
        return state


@contextlib.contextmanager
def file_manager(session: XSession) -> Iterator[FileManager]:
    log = session.folder / "file_manager.log"
    words = ["-m", "tests.support.window.drag_source"]
    process = TalkingProcess(words, session.environment(), log)
    try:
        process.ask("place")
        yield FileManager(process, Hands(session))
    finally:
        process.end()
