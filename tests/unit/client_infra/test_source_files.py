"""Finding the user's files, and reading them while they may change."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from app.domain.errors import (
    Cancelled,
    LakeDropError,
    SourceChanged,
    SourceGone,
    SourceLocked,
    SourceUnreadable,
)
from app.domain.picking import TAKE_ALL, Picking
from app.domain.ports import SmallFile
from app.domain.queue_item import FoundFile, LeftOut, QueueItem
from app.domain.upload_job import Source
from app.engine.picker import Picker
from app.infra.source_files import PIECE_BYTES, LocalSourceFiles, unreadable

TO = "/data/x"
files = LocalSourceFiles()

posix_only = pytest.mark.skipif(os.name == "nt", reason="names and kinds that Windows has not")


def walked(
    path: Path, *, contents_only: bool = True, picking: Picking = TAKE_ALL
) -> list[FoundFile | LeftOut]:
    return list(files.walk(Source(str(path), contents_only), Picker(picking)))


def places(entries: list[FoundFile | LeftOut]) -> list[str]:
    return [f"{TO}{e.folder}/{e.name}" for e in entries if isinstance(e, FoundFile)]


def item_of(path: Path, *, size_bytes: int = 1) -> QueueItem:
    return QueueItem(1, 1, str(path), TO, path.name, size_bytes, 0)


def never() -> None:
    """Nobody cancels."""


def sprinkle(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(path.encode())


def test_a_folder_keeps_its_own_name_unless_its_contents_are_meant(tmp_path: Path) -> None:
    top = tmp_path / "sales"
    sprinkle(top, "b.csv", "a.csv", "nested/deep/c.csv", "Tháng một/d.csv")
    below = ["Tháng một/d.csv", "nested/deep/c.csv"]
    assert places(walked(top)) == [f"{TO}/{p}" for p in ["a.csv", "b.csv", *below]]
    assert places(walked(top, contents_only=False)) == [
        f"{TO}/sales/{p}" for p in ["a.csv", "b.csv", *below]
    ]


def test_the_own_name_is_told_apart_from_the_folders_below_it(tmp_path: Path) -> None:
    sprinkle(tmp_path / "sales", "a.csv", "sales/b.csv")

    def parts(path: Path, *, contents_only: bool) -> list[tuple[str, str]]:
        entries = walked(path, contents_only=contents_only)
        return [(each.folder, each.top) for each in entries if isinstance(each, FoundFile)]

    top = tmp_path / "sales"
    assert parts(top, contents_only=False) == [("/sales", "/sales"), ("/sales/sales", "/sales")]
    assert parts(top, contents_only=True) == [("", ""), ("/sales", "")]
    assert parts(top / "a.csv", contents_only=False) == [("", "")]


def test_a_file_goes_right_into_the_destination_with_its_size_and_date(tmp_path: Path) -> None:
    sprinkle(tmp_path, "a.csv")
    os.utime(tmp_path / "a.csv", ns=(5, 1_234_567_890_000_000_000))
    (entry,) = walked(tmp_path / "a.csv", contents_only=False)
    assert entry == FoundFile(str(tmp_path / "a.csv"), "", "a.csv", 5, 1_234_567_890_000_000_000)


def test_an_empty_folder_has_no_files(tmp_path: Path) -> None:
    (tmp_path / "in" / "empty").mkdir(parents=True)
    assert walked(tmp_path / "in") == []


@pytest.mark.parametrize("path", ["nowhere", "nul\0byte", "a.csv/below"])
def test_a_dropped_path_that_cannot_be_read_is_told(tmp_path: Path, path: str) -> None:
    sprinkle(tmp_path, "a.csv")
    with pytest.raises(SourceUnreadable, match="cannot be read"):
        walked(tmp_path / path)


@posix_only
def test_links_and_odd_things_are_left_out_and_told(tmp_path: Path) -> None:
    top = tmp_path / "in"
    sprinkle(tmp_path, "in/a.csv", "elsewhere/secret.csv")
    (top / "link.csv").symlink_to(tmp_path / "elsewhere" / "secret.csv")
    (top / "folder-link").symlink_to(tmp_path / "elsewhere")
    (top / "dangling").symlink_to(tmp_path / "nowhere")
    (top / "loop").symlink_to(top)
    os.mkfifo(top / "pipe")
    entries = walked(top)
    assert places(entries) == [f"{TO}/a.csv"]
    left_out = {Path(e.source).name: e.reason for e in entries if isinstance(e, LeftOut)}
    assert set(left_out) == {"link.csv", "folder-link", "dangling", "loop", "pipe"}
    assert "link" in left_out["loop"]
    assert left_out["pipe"] == "not a file or a folder"
    assert walked(top / "pipe") == [LeftOut(str(top / "pipe"), "not a file or a folder")]


@posix_only
def test_a_link_that_the_user_points_at_is_followed(tmp_path: Path) -> None:
    sprinkle(tmp_path, "elsewhere/a.csv")
    (tmp_path / "in").symlink_to(tmp_path / "elsewhere")
    assert places(walked(tmp_path / "in", contents_only=False)) == [f"{TO}/in/a.csv"]


@posix_only
def test_a_folder_that_cannot_be_listed_counts_as_a_file_that_failed(tmp_path: Path) -> None:
    """Too deep a path stands for a forbidden one: the tests' user may read everything."""
    top = tmp_path / "in"
    sprinkle(top, "a.csv")
    here = Path.cwd()
    try:
        os.chdir(top)
        for _ in range(20):  # 20 × 255 bytes: more than a path may have
            Path("d" * 250).mkdir()
            os.chdir("d" * 250)
    finally:
        os.chdir(here)
    entries = walked(top)
    found = [entry for entry in entries if isinstance(entry, FoundFile)]
    assert places(entries)[0] == f"{TO}/a.csv"
    assert len(found) == 2
    assert "too long" in found[1].problem


@posix_only
def test_a_name_that_is_no_text_counts_as_failed_and_says_what_to_do(tmp_path: Path) -> None:
    top = tmp_path / "in"
    top.mkdir()
    (top / "caf\udce9.csv").write_bytes(b"x")
    (top / "d\udcff").mkdir()
    (top / "d\udcff" / "a.csv").write_bytes(b"x")
    entries = walked(top)
    assert len(entries) == 2
    for entry in entries:
        assert isinstance(entry, FoundFile)
        assert "Rename" in entry.problem
        item = QueueItem(1, 1, entry.source, entry.folder, entry.name, 1, 0)
        with pytest.raises(SourceUnreadable, match="Rename"):  # also when it is tried again
            files.open(item, never)
        with pytest.raises(SourceUnreadable, match="Rename"):
            files.read_small(item, 100)


def test_reading_gives_every_byte_and_its_digest(tmp_path: Path) -> None:
    data = os.urandom(2 * PIECE_BYTES + 17)
    (tmp_path / "a").write_bytes(data)
    with files.open(item_of(tmp_path / "a"), never) as content:
        pieces = list(content.chunks())
        assert content.size_bytes == len(data)
        assert content.sha256 == hashlib.sha256(data).hexdigest()
    assert b"".join(pieces) == data
    assert all(0 < len(piece) <= PIECE_BYTES for piece in pieces)


def test_a_small_file_is_read_whole_unless_it_has_grown(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"12345")
    item = item_of(tmp_path / "a", size_bytes=2)
    sha256 = hashlib.sha256(b"12345").hexdigest()
    assert files.read_small(item, 5) == SmallFile(TO, "a", b"12345", sha256)
    assert files.read_small(item, 4) is None


def test_an_empty_file_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"")
    with files.open(item_of(tmp_path / "a"), never) as content:
        assert list(content.chunks()) == []
        assert content.sha256 == hashlib.sha256(b"").hexdigest()


def test_a_file_that_grows_while_it_is_read_never_becomes_a_whole_request(tmp_path: Path) -> None:
    def grow(path: Path) -> None:
        with path.open("ab") as file:
            file.write(b"more")

    check_change(tmp_path, grow)


def test_a_file_that_shrinks_while_it_is_read_never_becomes_a_whole_request(
    tmp_path: Path,
) -> None:
    check_change(tmp_path, lambda path: os.truncate(path, PIECE_BYTES))


def test_a_file_that_is_replaced_while_it_is_read_never_becomes_a_whole_request(
    tmp_path: Path,
) -> None:
    def replace(path: Path) -> None:
        found = path.stat()
        other = path.with_name("other")
        other.write_bytes(b"y" * found.st_size)
        os.utime(other, ns=(found.st_atime_ns, found.st_mtime_ns))
        other.replace(path)

    check_change(tmp_path, replace)


def test_a_file_that_is_overwritten_in_place_never_becomes_a_whole_request(
    tmp_path: Path,
) -> None:
    def overwrite(path: Path) -> None:
        with path.open("r+b") as file:
            file.write(b"z")
        os.utime(path, ns=(1, path.stat().st_mtime_ns + 1))

    check_change(tmp_path, overwrite)


@posix_only
def test_a_file_that_goes_away_while_it_is_read_never_becomes_a_whole_request(
    tmp_path: Path,
) -> None:
    check_change(tmp_path, Path.unlink)


def check_change(tmp_path: Path, change: Callable[[Path], None]) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"x" * (2 * PIECE_BYTES))
    with files.open(item_of(path), never) as content:
        pieces = content.chunks()
        assert len(next(pieces)) == PIECE_BYTES
        change(path)
        with pytest.raises(SourceChanged):
            next(pieces)  # the last one: without it the request is never whole


@pytest.mark.parametrize("kind", ["missing", "folder", "pipe"])
def test_what_is_no_file_any_more_is_told_and_nobody_waits_for_it(
    tmp_path: Path, kind: str
) -> None:
    sprinkle(tmp_path, "other")  # what was dropped is there, only this file is not
    path = tmp_path / "a"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        if not hasattr(os, "mkfifo"):
            pytest.skip("no named pipes in the file system here")
        os.mkfifo(path)  # opening one waits for a writer, which never comes
    with pytest.raises(SourceUnreadable):
        files.open(item_of(path), never)
    with pytest.raises(SourceUnreadable):
        files.read_small(item_of(path), 10)


@pytest.mark.parametrize(("folder", "depth"), [("", 0), ("deep", 1), ("deep/deeper", 2)])
def test_a_file_that_is_gone_with_all_that_was_dropped_is_told_as_that(
    tmp_path: Path, folder: str, depth: int
) -> None:
    dropped = tmp_path / "disk"
    path = dropped / folder / "a.csv"
    item = replace(item_of(path), depth=depth)
    for there in (False, True):  # nothing at all, then the empty folder it was mounted on
        if there:
            dropped.mkdir()
        with pytest.raises(SourceGone, match=str(dropped)):
            files.open(item, never)
        with pytest.raises(SourceGone, match=str(dropped)):
            files.read_small(item, 100)
    sprinkle(dropped, "other.csv")
    with pytest.raises(SourceUnreadable):
        files.open(item, never)
    with pytest.raises(SourceUnreadable):
        files.read_small(item, 100)


def test_a_cancel_is_seen_between_two_pieces(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * (2 * PIECE_BYTES))
    cancelled = False

    def raise_if_cancelled() -> None:
        if cancelled:
            raise Cancelled

    with files.open(item_of(tmp_path / "a"), raise_if_cancelled) as content:
        pieces = content.chunks()
        next(pieces)
        cancelled = True
        with pytest.raises(Cancelled):
            next(pieces)


def _windows_error(number: int | None) -> PermissionError:
    """As Windows' own calls raise it; those of its C library bear no number of Windows'."""
    error = PermissionError(errno.EACCES, "Permission denied")
    if number is not None:
        error.winerror = number  # type: ignore[attr-defined]  # only Windows' Python has it
    return error


@pytest.mark.parametrize(
    ("cause", "on_windows", "expected"),
    [
        (BlockingIOError(errno.EAGAIN, "busy"), False, SourceLocked),
        (OSError(errno.EBUSY, "busy"), False, SourceLocked),  # a share of Windows, on Linux
        (OSError(errno.ETXTBSY, "busy"), False, SourceLocked),
        (PermissionError(errno.EACCES, "no"), False, SourceUnreadable),
        (FileNotFoundError(errno.ENOENT, "gone"), True, SourceUnreadable),
        (OSError(errno.EIO, "broken"), True, SourceUnreadable),
        (_windows_error(32), True, SourceLocked),
        (_windows_error(33), True, SourceLocked),
        (_windows_error(None), True, SourceLocked),
        (_windows_error(5), True, SourceUnreadable),  # access denied, told as such
        (ValueError("embedded null byte"), True, SourceUnreadable),
    ],
)
def test_what_is_locked_is_told_from_what_cannot_be_read(
    cause: Exception, on_windows: bool, expected: type[LakeDropError]
) -> None:
    assert type(unreadable(cause, on_windows=on_windows)) is expected
