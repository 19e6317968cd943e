"""From what a system hands over at a drop or a paste to plain paths."""

from __future__ import annotations

import os
import socket
import sys
from typing import Any

import pytest
from PySide6.QtCore import QByteArray, QMimeData, QUrl

from app.ui.upload.dropped_paths import DroppedPaths, payload_of

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="paths as POSIX has them")


def _all(payload: bytes) -> tuple[list[str], int]:
    dropped = DroppedPaths(payload)
    found: list[str] = []
    while paths := dropped.take(2):
        found += paths
    return found, dropped.refused


@pytest.mark.parametrize(
    ("line", "path"),
    [
        (b"file:///data/a.csv", "/data/a.csv"),
        (b"file:/data/a.csv", "/data/a.csv"),
        (b"FILE:///data/a.csv", "/data/a.csv"),
        (b"file://localhost/data/a.csv", "/data/a.csv"),
        (b"file://LOCALHOST/data/a.csv", "/data/a.csv"),
        (b"file:///data/two%20words%25.csv", "/data/two words%.csv"),
        (b"file:///data/b%C3%A1o%20c%C3%A1o.csv", "/data/báo cáo.csv"),
        ("file:///data/báo cáo.csv".encode(), "/data/báo cáo.csv"),
        (b"file:///data/a%23b%3Fc.csv", "/data/a#b?c.csv"),
        (b"file:///data/a.csv#page=2", "/data/a.csv"),
        (b"file:///data/a.csv?x=1", "/data/a.csv"),
        (b"file:///data/folder/", "/data/folder"),
        (b"file:///", "/"),
        (b"file:///data/odd%FFname", os.fsdecode(b"/data/odd\xffname")),
        (b"file:///data/odd\xffname", os.fsdecode(b"/data/odd\xffname")),
        (b"file:///C:/data/a.csv", "C:/data/a.csv"),
        (b"file:///C:/", "C:/"),
        (b"/data/as text.csv", "/data/as text.csv"),
        (b"/data/folder/", "/data/folder"),
    ],
)
def test_a_file_of_this_machine_becomes_its_path(line: bytes, path: str) -> None:
    assert _all(line) == ([path], 0)


def test_this_machines_own_name_is_this_machine() -> None:
    host = socket.gethostname()

    assert _all(f"file://{host}/data/a.csv".encode()) == (["/data/a.csv"], 0)


@pytest.mark.parametrize(
    "line",
    [
        b"https://example.com/a.csv",
        b"ftp://example.com/a.csv",
        b"file://another-machine.example/data/a.csv",
        b"file://localhost",
        b"file:relative.csv",
        b"file:",
        b"file:///data/a%00.csv",
        b"/data/a\x00b.csv",
        b"//server/share/a.csv",
        b"relative/a.csv",
        b"only words",
    ],
)
def test_what_is_no_file_of_this_machine_is_counted_and_left_out(line: bytes) -> None:
    assert _all(line) == ([], 1)
    assert _all(b"file:///before\r\n" + line + b"\r\nfile:///after") == (["/before", "/after"], 1)


def test_comments_and_empty_lines_are_nothing_at_all() -> None:
    payload = b"# from a file manager\r\n\r\n   \r\nfile:///a\r\n\x00"

    assert _all(payload) == (["/a"], 0)


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_lines_end_either_way_and_the_last_one_needs_no_end(end: bytes) -> None:
    lines = [b"file:///a", b"file:///b", b"file:///c"]

    assert _all(end.join(lines)) == (["/a", "/b", "/c"], 0)
    assert _all(end.join(lines) + end) == (["/a", "/b", "/c"], 0)


def test_a_path_that_comes_twice_is_taken_once_also_in_a_later_piece() -> None:
    payload = b"\n".join([b"file:///a", b"file:///b", b"file:///a/", b"file:///c", b"/b"])

    assert _all(payload) == (["/a", "/b", "/c"], 0)


def test_pieces_are_as_long_as_asked_for_whatever_is_refused_between() -> None:
    lines = [b"file:///%d\nhttps://example.com/%d" % (number, number) for number in range(5)]
    dropped = DroppedPaths(b"\n".join(lines))

    assert dropped.take(3) == ["/0", "/1", "/2"]
    assert dropped.refused == 2  # the third one lies behind what was taken
    assert dropped.take(3) == ["/3", "/4"]
    assert dropped.refused == 5
    assert dropped.take(3) == []


def test_a_hundred_thousand_come_in_the_order_of_the_drop() -> None:
    count = 100_000
    payload = b"\r\n".join(b"file:///data/part%%20%d.csv" % number for number in range(count))

    dropped = DroppedPaths(payload)
    found: list[str] = []
    while paths := dropped.take(2_000):
        assert len(paths) == 2_000
        found += paths

    assert found == [f"/data/part {number}.csv" for number in range(count)]


def test_the_payload_is_the_url_list_where_there_is_one() -> None:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile("/data/báo cáo.csv"), QUrl("https://example.com/x")])
    mime.setText("/something/else")

    payload = payload_of(mime)

    assert payload is not None
    assert _all(payload) == (["/data/báo cáo.csv"], 1)


def test_pasted_text_is_taken_as_paths() -> None:
    mime = QMimeData()
    mime.setText("/data/a.csv\nfile:///data/b.csv\nand a remark")

    payload = payload_of(mime)

    assert payload is not None
    assert _all(payload) == (["/data/a.csv", "/data/b.csv"], 1)


class _BlankList(QMimeData):
    """As another program may hand it over; Qt's own would drop the blank line."""

    def formats(self) -> list[str]:
        return ["text/uri-list", "text/plain"]

    def hasFormat(self, mime_type: str) -> bool:
        return mime_type in self.formats()

    def retrieveData(self, mime_type: str, _: Any) -> Any:
        return QByteArray(b"\r\n") if mime_type == "text/uri-list" else "/data/a.csv"


def test_a_blank_url_list_gives_way_to_the_text() -> None:
    assert payload_of(_BlankList()) == b"/data/a.csv"


@pytest.mark.parametrize("text", ["", "  \n\t\n"])
def test_nothing_is_told_as_nothing(text: str) -> None:
    mime = QMimeData()
    mime.setText(text)

    assert payload_of(mime) is None
    assert payload_of(QMimeData()) is None
