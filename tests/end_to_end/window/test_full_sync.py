"""Replacing a folder of the lake by what was dropped on the window."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.end_to_end.window.datasets import folder_of
from tests.support.home import Home, tree
from tests.support.window.real_window import FileManager, RealWindow, real_window
from tests.support.window.upload_page import UploadPage
from tests.support.window.waiting import until
from tests.support.window.x_session import XSession

OLD = {"january.csv": b"old,1\n" * 10, "old/february.csv": b"old,2\n" * 20}
NEW = {
    "january.csv": b"new,1\n" * 30,
    "march.csv": b"new,3\n" * 40,
    "empty.csv": b"",
    "parts/april.parquet": bytes(range(256)) * 1000,
}


@pytest.fixture
def sales(tmp_path: Path) -> Path:
    return folder_of(tmp_path / "new" / "sales", NEW)


@pytest.fixture
def filled_lake(home: Home, tmp_path: Path) -> Home:
    """With sales of last month, and stock beside them."""
    for name, contents in (("sales", OLD), ("stock", {"stock.csv": b"7\n"})):
        folder = folder_of(tmp_path / "old" / name, contents)
        done = home.run("upload", str(folder), "--to", "/data", "--mode", "incremental")
        assert done.returncode == 0, done.stdout + done.stderr
    return home


def asked_for_a_full_sync(window: RealWindow, files: FileManager, sales: Path) -> UploadPage:
    page = UploadPage(window)
    page.drop(files, sales, rows=len(NEW))
    page.set_destination("/data/sales")
    page.switch_contents_only()
    page.choose_full()
    page.start()
    window.see("upload.confirmYes", enabled=True)
    return page


def test_a_full_sync_replaces_what_is_there_once_its_numbers_are_agreed_to(
    filled_lake: Home, screen: XSession, files: FileManager, sales: Path
) -> None:
    with real_window(screen, filled_lake.environment()) as window:
        page = asked_for_a_full_sync(window, files, sales)
        window.wait_words("/data/sales", f"{len(OLD)} files", f"{len(NEW)} files")
        window.click("upload.confirmYes")
        page.wait_finished()
        window.close()

    lake = tree(filled_lake.files / "data")
    assert {name for name in lake if name.startswith("stock/")} == {"stock/stock.csv"}
    assert tree(filled_lake.files / "data" / "sales") == NEW
    in_trash = tree(filled_lake.trash)
    assert sorted(in_trash.values()) == sorted(OLD.values())


def test_saying_no_to_the_question_leaves_everything_as_it_is(
    filled_lake: Home, screen: XSession, files: FileManager, sales: Path
) -> None:
    with real_window(screen, filled_lake.environment()) as window:
        asked_for_a_full_sync(window, files, sales)
        window.click("upload.confirmNo")
        until(lambda: not window.shows("upload.confirmYes"), "the question is gone")
        window.see("upload.start", enabled=True)
        window.close()

    assert tree(filled_lake.files / "data" / "sales") == OLD
    assert tree(filled_lake.trash) == {}
