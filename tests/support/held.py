"""What a lake holds, files in sight and versions in the trash, and what calls by hand make of it.

Read from the disk alone, and changed by rules of its own: the server's doings are held against it.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

Files = Mapping[str, str]  # lake path → SHA-256
Version = frozenset[tuple[str, str]]  # the same, of what went to the trash together


@dataclass(frozen=True)
class Held:
    """`folders`: those that must be there although nothing need be in them."""

    files: Files
    trash: tuple[Version, ...]
    folders: frozenset[str] = frozenset()

    @property
    def digests(self) -> frozenset[str]:
        return frozenset(self.files.values()) | {it for one in self.trash for _, it in one}

    def is_same(self, other: Held) -> bool:
        return self.files == other.files and Counter(self.trash) == Counter(other.trash)

    # -- calls by hand -----------------------------------------------------------------------

    def with_folder(self, path: str) -> Held:
        return Held(self.files, self.trash, self.folders | {path})

    def deleted(self, path: str) -> Held:
        gone = _at_or_below(self.files, path)
        return self._with(_without(self.files, gone), self.trash, [frozenset(gone.items())])

    def renamed(self, path: str, to: str) -> Held:
        moved = _at_or_below(self.files, path)
        there = {to + place.removeprefix(path): digest for place, digest in moved.items()}
        return self._with({**_without(self.files, moved), **there}, self.trash, [])

    def put_back(self, version: Version, folder: str = "", only: str = "") -> Held:
        """`folder`: a full sync's, which comes back whole; `only`: this part of the version."""
        wanted = dict(version)
        part = _at_or_below(wanted, only) if only else wanted
        taken = _at_or_below(self.files, folder) if folder else {}
        for path in part:
            # The file itself; a folder in its place; a file where a folder above it must be.
            taken |= _at_or_below(self.files, path)
            above = {place for place in self.files if path.startswith(f"{place}/")}
            taken |= {place: self.files[place] for place in above}
        trash = list(self.trash)
        trash.remove(version)
        left = frozenset(_without(wanted, part).items())
        return self._with({**_without(self.files, taken), **part}, trash, [left, taken.items()])

    def purged(self) -> Held:
        return self._with(self.files, (), [])

    def _with(
        self, files: Files, trash: Iterable[Version], more: Iterable[Iterable[tuple[str, str]]]
    ) -> Held:
        versions = [*trash, *(frozenset(one) for one in more)]
        return Held(files, tuple(one for one in versions if one), self.folders)


def held(lake: Path) -> Held:
    files = _below(lake / "files")
    return Held(files, tuple(one for one in _versions(lake).values() if one))


def place_of(lake: Path, version: Version) -> tuple[int, int]:
    """(sync_id, number) under which the trash has it. Raises `AssertionError`."""
    found = [place for place, one in _versions(lake).items() if one == version]
    assert found, f"{sorted(version)} is not in the trash"
    return found[0]


def on_its_way(lake: Path) -> Files:
    """What a version that is being put back still holds."""
    return _below(lake / ".lakedrop/restoring")


def _versions(lake: Path) -> dict[tuple[int, int], Version]:
    places = (lake / ".lakedrop/trash").glob("*/*")
    return {
        (int(place.parent.name), int(place.name)): frozenset(_below(place).items())
        for place in places
        if place.is_dir() and place.parent.name.isdecimal() and place.name.isdecimal()
    }


def _below(folder: Path) -> dict[str, str]:
    return {
        f"/{path.relative_to(folder).as_posix()}": hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _at_or_below(files: Files, path: str) -> dict[str, str]:
    return {
        place: digest
        for place, digest in files.items()
        if place == path or place.startswith(f"{path}/")
    }


def _without(files: Files, gone: Files) -> dict[str, str]:
    return {place: digest for place, digest in files.items() if place not in gone}
