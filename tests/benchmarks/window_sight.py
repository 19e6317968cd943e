"""Sees from outside when a program's window is there: mapped, and with something drawn in it.

Asks the X server, by Xlib itself, so that it is the same for every program. Linux only.
"""

from __future__ import annotations

import contextlib
import ctypes
import select
import time
from collections.abc import Iterator
from ctypes import POINTER, Structure, byref, c_char_p, c_int, c_long, c_uint, c_ulong, c_void_p
from dataclasses import dataclass

_SUBSTRUCTURE_NOTIFY = 1 << 19
_MAP_NOTIFY = 19
_Z_PIXMAP = 2
_ALL_PLANES = ctypes.c_ulong(-1).value
_BYTES_A_PIXEL = 4
_SMALLEST_WINDOW_PX = 300  # less wide: a splash, a tool tip, a helper nobody sees
_BETWEEN_LOOKS_S = 0.004
# A frame has two or three colours before its program has drawn anything inside.
_COLOURS_OF_A_PICTURE = 5


class _Event(Structure):
    """XMapEvent, in the room that every XEvent takes."""

    _fields_ = (
        ("type", c_int),
        ("serial", c_ulong),
        ("send_event", c_int),
        ("display", c_void_p),
        ("event", c_ulong),
        ("window", c_ulong),
        ("room", c_long * 24),
    )


class _Image(Structure):
    """The beginning of XImage."""

    _fields_ = (
        ("width", c_int),
        ("height", c_int),
        ("xoffset", c_int),
        ("format", c_int),
        ("data", c_void_p),
    )


@dataclass(frozen=True, slots=True)
class Seen:
    """Seconds of `time.perf_counter`, not since the start."""

    mapped_s: float
    painted_s: float


@dataclass(frozen=True, slots=True)
class _Place:
    x: int
    y: int
    width: int
    height: int


class WindowSight:
    """Windows that are mapped from here on, on one display."""

    def __init__(self, library: ctypes.CDLL, display: int) -> None:
        self._x = library
        self._display = display
        self._root = library.XDefaultRootWindow(display)
        library.XSelectInput(display, self._root, _SUBSTRUCTURE_NOTIFY)
        library.XSync(display, 0)

    def next_window(self, within_s: float = 30.0) -> Seen:
        """Of the next window of a usual size; raises `TimeoutError`."""
        deadline_s = time.perf_counter() + within_s
        while time.perf_counter() < deadline_s:
            event = self._next_event(deadline_s)
            if event is None or event.type != _MAP_NOTIFY:
                continue
            mapped_s = time.perf_counter()
            place = self._place(event.window)
            if place is not None and place.width >= _SMALLEST_WINDOW_PX:
                return Seen(mapped_s, self._painted(place, deadline_s))
        raise TimeoutError("no window came")

    def forget(self) -> None:
        """What was mapped up to now is of no interest."""
        self._x.XSync(self._display, 1)

    def _next_event(self, deadline_s: float) -> _Event | None:
        if not self._x.XPending(self._display):
            wait_s = max(0.0, deadline_s - time.perf_counter())
            select.select([self._x.XConnectionNumber(self._display)], [], [], wait_s)
            if not self._x.XPending(self._display):
                return None
        event = _Event()
        self._x.XNextEvent(self._display, byref(event))
        return event

    def _place(self, window: int) -> _Place | None:
        root, x, y = c_ulong(), c_int(), c_int()
        width, height, border, depth = c_uint(), c_uint(), c_uint(), c_uint()
        filled = (root, x, y, width, height, border, depth)
        if not self._x.XGetGeometry(self._display, window, *map(byref, filled)):
            return None
        return _Place(max(0, x.value), max(0, y.value), width.value, height.value)

    def _painted(self, place: _Place, deadline_s: float) -> float:
        while time.perf_counter() < deadline_s:
            colours: set[bytes] = set()
            for quarter in (1, 2, 3):
                colours |= self._colours_of_line(place, place.y + place.height * quarter // 4)
            if len(colours) >= _COLOURS_OF_A_PICTURE:
                return time.perf_counter()
            time.sleep(_BETWEEN_LOOKS_S)
        raise TimeoutError("the window stayed empty")

    def _colours_of_line(self, place: _Place, y: int) -> set[bytes]:
        """One line of pixels: a whole picture would take the program's own time to copy."""
        image = self._x.XGetImage(
            self._display, self._root, place.x, y, place.width, 1, _ALL_PLANES, _Z_PIXMAP
        )
        if not image:
            return set()
        try:
            line = ctypes.string_at(image.contents.data, place.width * _BYTES_A_PIXEL)
        finally:
            self._x.XDestroyImage(image)
        return {line[at : at + 4] for at in range(0, len(line), _BYTES_A_PIXEL)}


@contextlib.contextmanager
def window_sight(display: str) -> Iterator[WindowSight]:
    """`display` as in the variable DISPLAY. Raises `OSError` where it cannot be opened."""
    library = _xlib()
    opened = library.XOpenDisplay(display.encode())
    if not opened:
        raise OSError(f"there is no display {display}")
    try:
        yield WindowSight(library, opened)
    finally:
        library.XCloseDisplay(opened)


def _xlib() -> ctypes.CDLL:
    library = ctypes.CDLL("libX11.so.6")
    library.XOpenDisplay.restype = c_void_p
    library.XOpenDisplay.argtypes = [c_char_p]
    library.XDefaultRootWindow.restype = c_ulong
    library.XGetImage.restype = POINTER(_Image)
    pointed = (c_void_p,)
    library.XDefaultRootWindow.argtypes = pointed
    library.XPending.argtypes = pointed
    library.XConnectionNumber.argtypes = pointed
    library.XCloseDisplay.argtypes = pointed
    library.XSync.argtypes = (c_void_p, c_int)
    library.XSelectInput.argtypes = (c_void_p, c_ulong, c_long)
    library.XNextEvent.argtypes = (c_void_p, c_void_p)
    library.XGetGeometry.argtypes = (c_void_p, c_ulong, *(c_void_p,) * 7)
    library.XDestroyImage.argtypes = (POINTER(_Image),)
    library.XGetImage.argtypes = (
        *(c_void_p, c_ulong, c_int, c_int),
        *(c_uint, c_uint, c_ulong, c_int),
    )
    return library
