"""Adding folders to the lake: names of all kinds, and what is told of them afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.end_to_end.window.datasets import folder_of
from tests.support.home import Home, tree
from tests.support.window.real_window import FileManager, real_window
from tests.support.window.upload_page import UploadPage
from tests.support.window.x_session import XSession

REPORTS = {
    "tháng 10/đơn hàng.csv": "mã;tên\n1;Nguyễn Văn Ánh\n".encode(),
    "tháng 10/hà nội/chi tiết.parquet": bytes(range(256)) * 4000,
    "tháng 11/đơn hàng.csv": b"id\n2\n",
    "tháng 11/ghi chú (bản cuối).txt": b"",
    "read me first.md": b"# reports\n",
}


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    return folder_of(tmp_path / "báo cáo 2026", REPORTS)


def test_a_nested_folder_with_vietnamese_names_arrives_byte_for_byte(
    home: Home, screen: XSession, files: FileManager, reports: Path, tmp_path: Path
) -> None:
    note = tmp_path / "ghi chú.txt"
    note.write_bytes(b"xong")
    with real_window(screen, home.environment()) as window:
        page = UploadPage(window)
        page.drop(files, reports, rows=len(REPORTS))
        page.drop(files, note, rows=len(REPORTS) + 1)
        page.set_destination("/data/monthly reports")
        page.set_name("October and November")
        page.choose_incremental()
        window.wait_rows("upload.table", len(REPORTS) + 1)
        lake_paths = set(page.rows().column("Lake path"))
        page.start()
        page.wait_finished()

        window.click("nav.jobs")
        (job,) = window.wait_rows("jobs.table", 1).rows
        assert "October and November" in job
        assert "Finished" in job
        window.click("nav.history")
        listed = window.wait_rows("history.table", len(REPORTS) + 1)
        window.close()

    arrived = tree(home.files)
    expected = {
        f"data/monthly reports/{reports.name}/{name}": content for name, content in REPORTS.items()
    }
    expected["data/monthly reports/ghi chú.txt"] = note.read_bytes()
    assert arrived == expected
    assert lake_paths == {f"/{name}" for name in expected}
    shown = "\n".join("\n".join(row) for row in listed.rows)
    for name in expected:
        assert Path(name).name in shown
    assert tree(home.trash) == {}
