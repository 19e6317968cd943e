"""An upload without ever touching the pointer."""

from __future__ import annotations

from pathlib import Path

from tests.end_to_end.window.datasets import folder_of
from tests.support.home import Home, tree
from tests.support.window.real_window import real_window
from tests.support.window.upload_page import UploadPage
from tests.support.window.x_session import XSession

CONTENTS = {"a.csv": b"id\n1\n", "more/b.csv": b"id\n2\n" * 50}


def test_a_folder_is_added_described_and_started_by_keys_alone(
    home: Home, screen: XSession, tmp_path: Path
) -> None:
    folder = folder_of(tmp_path / "sales", CONTENTS)
    with real_window(screen, home.environment()) as window:
        page = UploadPage(window)
        page.add_folder_by_keys(folder, rows=len(CONTENTS))

        window.tab_to("upload.destination")
        window.type_over("upload.destination", "/data/by keys")
        window.tab_to("upload.start")
        window.hands.keys("Return")
        page.wait_finished()
        window.close()

    assert tree(home.files / "data" / "by keys" / "sales") == CONTENTS


def test_tab_reaches_everything_of_the_upload_page(
    home: Home, screen: XSession, tmp_path: Path
) -> None:
    folder = folder_of(tmp_path / "sales", CONTENTS)
    with real_window(screen, home.environment()) as window:
        UploadPage(window).add_folder_by_keys(folder, rows=len(CONTENTS))

        window.tab_to("upload.destination")
        reached = {window.tab(), *window.tab_to("upload.destination")}

        missed = [name for name in window.names("upload.", controls=True) if name not in reached]
        assert missed == []
        window.close()
