"""The window goes away in the middle of an upload, and comes back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.end_to_end.window.datasets import folder_of
from tests.support.file_keyring import BACKEND, FILE_VARIABLE
from tests.support.home import Home, tree
from tests.support.plain_server import RunningPlainServer, running_plain_server
from tests.support.window.real_window import FileManager, RealWindow, real_window
from tests.support.window.upload_page import UploadPage
from tests.support.window.waiting import until
from tests.support.window.x_session import XSession

ROOT = str(Path(__file__).resolve().parents[3])
KEY = "canary-key-51d0"
# Four travel at once: some ten seconds in all, time to leave and to come back.
FILES = 16
CONTENTS = {f"part {number:02d}.bin": bytes([number]) * 400_000 for number in range(FILES)}
SLOW_BYTES_PER_S = 150_000


@pytest.fixture
def slow_server(tmp_path: Path) -> Iterator[RunningPlainServer]:
    with running_plain_server(
        tmp_path / "elsewhere", KEY, read_bytes_per_s=SLOW_BYTES_PER_S
    ) as running:
        yield running


@pytest.fixture
def environ(home: Home, slow_server: RunningPlainServer, tmp_path: Path) -> Mapping[str, str]:
    """A home that knows the slow server as `slow`."""
    keyring = {
        "PYTHONPATH": ROOT,
        "PYTHON_KEYRING_BACKEND": BACKEND,
        FILE_VARIABLE: str(tmp_path / "keyring.json"),
    }
    add = ("connect", "add", "slow", slow_server.address)
    added = home.run(*add, **keyring, LAKEDROP_API_KEY=KEY)
    assert added.returncode == 0, added.stderr
    return home.environment(**keyring)


def started(window: RealWindow, files: FileManager, folder: Path) -> UploadPage:
    """An upload of which the first file has arrived."""
    page = UploadPage(window)
    page.drop(files, folder, rows=FILES)
    page.choose_connection("slow")
    page.set_destination("/data/in")
    page.start()
    until(lambda: "Uploaded" in page.states(), lambda: f"one is there: {page.states()}")
    return page


def is_over(page: UploadPage) -> bool:
    return any("Finished" in text for text in page.job_texts())


def test_keep_uploading_in_the_background_and_open_the_window_again(
    environ: Mapping[str, str],
    screen: XSession,
    files: FileManager,
    slow_server: RunningPlainServer,
    tmp_path: Path,
) -> None:
    folder = folder_of(tmp_path / "parts", CONTENTS)
    with real_window(screen, environ) as window:
        page = started(window, files, folder)
        assert not is_over(page), "the server is not slow enough for this test"
        window.ask_to_close()
        window.click("close.stay")
        window.ask_to_close()
        window.click("close.keep")
        window.ended()

    with real_window(screen, environ) as window:
        page = UploadPage(window)
        window.wait_rows("upload.table", FILES)
        page.wait_finished()
        window.close()  # nothing runs: no question

    assert tree(slow_server.root / "files" / "data" / "in" / "parts") == CONTENTS


def test_pause_and_close_then_open_and_resume(
    environ: Mapping[str, str],
    screen: XSession,
    files: FileManager,
    slow_server: RunningPlainServer,
    tmp_path: Path,
) -> None:
    folder = folder_of(tmp_path / "parts", CONTENTS)
    with real_window(screen, environ) as window:
        started(window, files, folder)
        window.ask_to_close()
        window.click("close.pause")
        window.ended()

    arrived = tree(slow_server.root / "files")
    assert 0 < len(arrived) < FILES
    with real_window(screen, environ) as window:
        page = UploadPage(window)
        page.wait_job("Paused")
        window.wait_rows("upload.table", FILES)
        assert "Uploaded" in page.states()
        assert set(page.states()) != {"Uploaded"}
        window.click("upload.resume")
        page.wait_finished()
        window.close()

    assert tree(slow_server.root / "files" / "data" / "in" / "parts") == CONTENTS
