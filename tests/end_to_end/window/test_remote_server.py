"""A plain server elsewhere, whose key is typed once and kept in a real keyring."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.end_to_end.window.datasets import folder_of
from tests.support.home import Home, tree
from tests.support.needs import needs_tool
from tests.support.plain_server import RunningPlainServer, running_plain_server
from tests.support.window.keyring_daemon import keyring_session
from tests.support.window.real_window import FileManager, RealWindow, real_window
from tests.support.window.upload_page import UploadPage
from tests.support.window.x_session import XSession

KEY = "canary-key-0c61-typed"
ORDERS = {
    "orders 1.csv": b"id\n1\n" * 100,
    "tháng 10/đơn hàng.csv": "mã\n".encode() * 300,
    "tháng 10/large.bin": bytes(range(256)) * 9000,
}


@pytest.fixture
def keyring_bus(tmp_path: Path) -> Iterator[str]:
    with keyring_session(tmp_path / "keyring") as address:
        yield address


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningPlainServer]:
    with running_plain_server(tmp_path / "elsewhere", KEY) as running:
        yield running


def add_by_keyboard(window: RealWindow, name: str, address: str, key: str) -> None:
    """Every field, box and button is reached by Tab; nothing is clicked after the page."""
    window.click("nav.connections")
    window.see("connections.add", enabled=True)
    window.tab_to("connections.add")
    window.hands.keys("Return")
    for field, text in (
        ("connections.name", name),
        ("connections.url", address),
        ("connections.key", key),
    ):
        window.see(field)
        window.tab_to(field)
        window.type_over(field, text)


def processes_of(home: Home) -> list[psutil.Process]:
    """The window, the engine, the servers: all that have this home."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("LAKEDROP_HOME") == str(home.folder):
                found.append(process)
        except (psutil.AccessDenied, psutil.NoSuchProcess):
            continue  # another user's, or over
    return found


def key_in_keyring(bus: str, screen: XSession) -> str:
    """As another program of the same session would read it, by the name of the connection."""
    code = "import keyring; print(keyring.get_password('LakeDrop', 'warehouse'))"
    environ = screen.environment(bus=bus)
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environ,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout.strip()


def test_a_remote_is_added_by_keyboard_tested_without_junk_and_uploaded_to(
    home: Home,
    screen: XSession,
    files: FileManager,
    server: RunningPlainServer,
    keyring_bus: str,
    tmp_path: Path,
) -> None:
    needs_tool("gnome-keyring-daemon")
    orders = folder_of(tmp_path / "orders", ORDERS)
    with real_window(screen, home.environment(), bus=keyring_bus) as window:
        add_by_keyboard(window, "warehouse", server.address, KEY)
        assert KEY not in window.text("connections.key")
        window.tab_to("connections.test")
        window.hands.keys("space")
        window.wait_text("connections.result", "The connection works")
        assert_untouched(server)
        window.tab_to("connections.save")
        window.hands.keys("space")
        window.cell("connections.list", "warehouse")
        assert key_in_keyring(keyring_bus, screen) == KEY

        window.click("nav.upload")
        page = UploadPage(window)
        page.drop(files, orders, rows=len(ORDERS))
        page.choose_connection("warehouse")
        page.set_destination("/data/in")
        page.start()
        page.wait_finished()
        for process in processes_of(home):
            assert KEY not in " ".join(process.cmdline()), process
            assert KEY not in "\n".join(process.environ().values()), process
        window.close()

    assert tree(server.root / "files" / "data" / "in" / "orders") == ORDERS
    home.end_engine()  # its log and its journal are whole now
    for top in (home.folder, screen.folder, tmp_path / "keyring"):
        for path in top.rglob("*"):
            if path.is_file():
                assert KEY.encode() not in path.read_bytes(), path


def assert_untouched(server: RunningPlainServer) -> None:
    """No file, no folder, no sync was made there by the connection's test."""
    assert [path for path in server.root.rglob("*") if path.is_file()] == []
    assert list((server.root / "files").iterdir()) == []
    with urllib.request.urlopen(f"{server.address}/api/ingestion/file/sync/list") as answer:
        assert json.load(answer) == []


def test_a_wrong_key_is_told_in_words(
    home: Home, screen: XSession, server: RunningPlainServer, keyring_bus: str
) -> None:
    with real_window(screen, home.environment(), bus=keyring_bus) as window:
        add_by_keyboard(window, "warehouse", server.address, "not-the-key")
        window.click("connections.test")
        window.wait_text("connections.result", "The API key is not accepted")
        window.close()
