"""A lake's folders in pages, while others write there."""

from __future__ import annotations

from collections.abc import Callable

from app.domain.lake_folders import LakeFolders, whole_folder
from embedded_server.contract_extensions import LakeEntries, LakeEntry


def _entry(name: str) -> LakeEntry:
    return LakeEntry(name, "file", 1, 0, 1, "ab", changed=False)


class Pages:
    """A folder whose names a test may change before a page is read."""

    def __init__(self, count: int) -> None:
        self.names = [f"f{number:05}" for number in range(count)]
        self.asked: list[tuple[str, int]] = []
        self.before: Callable[[int], None] = lambda _: None

    def read(self, folder: str, offset: int, limit: int) -> LakeEntries | None:
        self.before(len(self.asked))
        self.asked.append((folder, offset))
        rows = tuple(map(_entry, self.names[offset : offset + limit]))
        return LakeEntries(len(self.names), rows)


def test_a_folder_of_many_pages_is_read_whole_and_no_file_is_asked_for_alone() -> None:
    pages = Pages(2_500)
    found = whole_folder(pages.read, "/data/x")
    assert found is not None
    assert sorted(found) == pages.names
    assert pages.asked == [("/data/x", 0), ("/data/x", 1_000), ("/data/x", 2_000)]


def test_a_name_that_goes_between_two_pages_hides_no_other() -> None:
    pages = Pages(1_500)

    def drop_first(number: int) -> None:
        if number == 1:
            del pages.names[0]

    pages.before = drop_first
    found = whole_folder(pages.read, "/data/x")
    assert found is not None
    assert set(pages.names) <= set(found)
    assert len(pages.asked) == 4


def test_folders_asked_for_in_turn_are_read_once_and_not_all_kept() -> None:
    pages = Pages(3)
    folders = LakeFolders(pages.read, most_entries=8)
    for _ in range(3):
        folders.folder("/a")
        folders.folder("/b")
    assert [folder for folder, _ in pages.asked] == ["/a", "/b"]
    folders.folder("/c")
    folders.folder("/b")
    folders.folder("/a")
    assert [folder for folder, _ in pages.asked] == ["/a", "/b", "/c", "/a"]


def test_a_server_that_cannot_be_asked_is_none() -> None:
    assert whole_folder(lambda *_: None, "/a") is None
    assert LakeFolders(lambda *_: None).folder("/a") is None
