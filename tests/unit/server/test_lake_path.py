"""What may be a name or a path in a lake, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedded_server.contract_names import MAX_DEPTH
from embedded_server.domain.errors import InvalidParam
from embedded_server.domain.lake_path import LakePath, checked_name

HOSTILE_NAMES = [
    "", ".", "..", "...", "a/b", "/a", "a/", "../x", "..\\x", "a\\b", "\\", "\\\\server\\share",
    "\\\\?\\C:\\x", "C:", "C:\\x", "a:b", "file.txt:stream", "x<y", "x>y", 'say "x"', "a|b", "a?b",
    "a*b", "nul\x00byte", "tab\tname", "line\nbreak", "return\r", "\x1b[31m", "del\x7f", "c1\x85",
    "trailing.", "trailing ", "dots..", ". ", " ", "CON", "con", "Con.txt", "PRN", "AUX.csv", "NUL",
    "nul.txt", "NUL.tar.gz", "CON .txt", "COM1", "com9.log", "LPT1", "lpt0", "COM¹", "COM².txt",
    "LPT³", "CONIN$", "conout$.txt", "CLOCK$", "invoice\u202ecod.exe", "\u202aname", "a\u2066b",
    "a\u200eb", "a\u200fb", "a\u061cb", "\ufeffbom", "half\ud800", "\udfff", "x\u2028y", "x\u2029y",
    "a" * 256, "ế" * 86, "😀" * 64, "\u0000", "a/../b", "%2e%2e/x", "a//b",
]  # fmt: skip
GOOD_NAMES = [
    "a", "part-1.parquet", ".hidden", "_SUCCESS", "..a", "a b", "ts=10%3A00", "%2e%2e", "100%.csv",
    "bảng dữ liệu.csv", "ba\u0309ng.csv", "données (1).csv", "数据.csv", "😀.bin", "CONSOLE.txt",
    "COM10", "COM", "nul_", "a" * 255, "ế" * 85, "a'b", "a;b", "a,b", "a=b", "#", "~", "&", "+",
]  # fmt: skip
HOSTILE_PATHS = [
    "", "/", "//", "data", "./data", "../data", "/..", "/data/..", "/data/../etc", "/./data",
    "/data//db", "/data///", "//data", "/data/db//", "\\data", "/data\\db", "C:/data", "/C:/data",
    "/data/CON/x", "/data/nul.txt", "/data/x /y", "/data/x./y", "/data/\x00", "/data/a\nb",
    "/data/\ud800", "/data/\u202e", "/" + "/".join(["d"] * (MAX_DEPTH + 1)), "/" + "a" * 3000,
    "/" + "/".join(["ế" * 80] * 12), " /data", "file:///data", "/data/*", "/data/?", "~/data",
]  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_a_hostile_name_is_refused_with_a_reason(name: str) -> None:
    with pytest.raises(InvalidParam) as refusal:
        checked_name(name)
    assert refusal.value.status == 400
    refusal.value.message.encode("utf-8")  # it can be written into an answer and a log


@pytest.mark.parametrize("name", GOOD_NAMES)
def test_a_good_name_is_kept_as_it_is(name: str) -> None:
    assert checked_name(name) == name


@pytest.mark.parametrize("path", HOSTILE_PATHS)
def test_a_hostile_path_is_refused(path: str) -> None:
    with pytest.raises(InvalidParam):
        LakePath.parse(path)


@pytest.mark.parametrize("path", ["/data", "/data/db/", "/a/.b/_c", "/ts=10%3A00", "/dữ liệu/x"])
def test_a_good_path_reads_back_without_its_last_slash(path: str) -> None:
    assert str(LakePath.parse(path)) == path.rstrip("/")


def test_below_is_meant_by_segments_not_by_letters() -> None:
    top = LakePath.parse("/data/x")
    assert top.holds(LakePath.parse("/data/x"))
    assert top.holds(LakePath.parse("/data/x/y"))
    assert not top.holds(LakePath.parse("/data/xy"))
    assert not top.holds(LakePath.parse("/data"))
    assert LakePath.parse("/data/x/y/z").below(top) == ("y", "z")


@given(st.text(max_size=40))
def test_whatever_is_accepted_stays_one_plain_name(name: str) -> None:
    try:
        checked_name(name)
    except InvalidParam:
        return
    assert name not in ("", ".", "..")
    assert not set(name) & set('/\\<>:"|?*\x00\n\r')
    assert name == name.rstrip(". ")
    assert len(name.encode("utf-8")) <= 255


@given(st.lists(st.sampled_from(["a", "..", ".", "", "b c", "ế", "nul", "x"]), max_size=5))
def test_an_accepted_path_never_leaves_the_root(segments: list[str]) -> None:
    text = "/" + "/".join(segments)
    try:
        path = LakePath.parse(text)
    except InvalidParam:
        return
    assert path.segments
    assert not {"", ".", "..", "nul"} & set(path.segments)
    assert LakePath.parse(str(path)) == path
