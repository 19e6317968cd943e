"""A screen of a test's own: Xvfb on a free display, with openbox to place and focus windows."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.support.needs import needs_tool
from tests.support.window.waiting import until

# A missing address makes libraries start a bus of their own; this one is none.
NO_BUS = "disabled:"
WIDTH_PX, HEIGHT_PX = 1680, 1050


@dataclass(frozen=True, slots=True)
class XSession:
    """`folder` is the home of everything that runs here; nobody's own settings come in."""

    display: str
    folder: Path

    def environment(
        self, base: Mapping[str, str] = os.environ, *, bus: str = NO_BUS
    ) -> dict[str, str]:
        """`base` for a program with a window on this screen, in English, with that session bus."""
        left_out = ["WAYLAND_DISPLAY", "XAUTHORITY", "LANGUAGE", "LC_ALL", "QT_SCALE_FACTOR"]
        if bus != NO_BUS:  # its keyring is found by itself
            left_out.append("PYTHON_KEYRING_BACKEND")
        return {name: text for name, text in base.items() if name not in left_out} | {
            "DISPLAY": self.display,
            "QT_QPA_PLATFORM": "xcb",
            "LANG": "C.UTF-8",
            "HOME": str(self.folder),
            "XDG_CONFIG_HOME": str(self.folder / "config"),
            "XDG_DATA_HOME": str(self.folder / "data"),
            "XDG_RUNTIME_DIR": str(self.folder / "runtime"),
            "DBUS_SESSION_BUS_ADDRESS": bus,
        }


@contextlib.contextmanager
def x_session(folder: Path) -> Iterator[XSession]:
    """An empty screen with a window manager that is ready; both are gone afterwards."""
    xvfb, openbox = needs_tool("Xvfb"), needs_tool("openbox")
    (folder / "runtime").mkdir(parents=True)
    (folder / "runtime").chmod(0o700)
    with _x_server(xvfb, folder) as display:
        session = XSession(display, folder)
        with (folder / "openbox.log").open("wb") as log:
            manager = subprocess.Popen(
                [openbox],
                env=session.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
            try:
                until(lambda: _has_manager(session), "openbox manages the screen")
                yield session
            finally:
                _end(manager)


@contextlib.contextmanager
def _x_server(xvfb: str, folder: Path) -> Iterator[str]:
    """The server says on a pipe which display it took, so that many can start at once."""
    reading, writing = os.pipe()
    with (folder / "xvfb.log").open("wb") as log:
        server = subprocess.Popen(
            [
                *(xvfb, "-displayfd", str(writing), "-nolisten", "tcp", "-noreset", "-ac"),
                *("-screen", "0", f"{WIDTH_PX}x{HEIGHT_PX}x24"),
            ],
            pass_fds=[writing],
            stdin=subprocess.DEVNULL,
            stderr=log,
        )
        os.close(writing)
        try:
            with os.fdopen(reading, encoding="ascii") as said:
                number = said.readline().strip()
            assert number, (folder / "xvfb.log").read_text("utf-8", "replace")
            yield f":{number}"
        finally:
            _end(server)


def _has_manager(session: XSession) -> bool:
    asked = subprocess.run(
        [needs_tool("xdotool"), "get_num_desktops"],
        env=session.environment(),
        capture_output=True,
        check=False,
        timeout=30,
    )
    return asked.returncode == 0


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
