"""What a lake's surroundings and its inside look like, told by the disk and by nobody else."""

from __future__ import annotations

import os
import stat
from pathlib import Path

_SURROUNDINGS = {
    "evil/passwd": b"root:x:0:0",
    "house/evil": b"beside the lake's parent",
    "house/files/h/evil": b"named like what is in the lake",
    "house/room/secret.txt": b"beside the lake",
    "house/room/lake.twin/files/h/f": b"a lake of somebody else",
}
_OWN = ("incoming", "partial", "staging", "restoring")

Seen = dict[bytes, tuple[int, int, int, bytes]]


class WatchedLake:
    """A lake with sentinels around it: `top` is all that is watched, `lake` lies deep in it."""

    def __init__(self, top: Path) -> None:
        self.top = top
        self.lake = top / "house" / "room" / "lake"
        for name, data in _SURROUNDINGS.items():
            path = top / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        self._before: Seen = {}

    def remember(self) -> None:
        self._before = self._around()

    def changed_around(self) -> set[bytes]:
        """Everything outside `files/` and `.lakedrop/` that differs from what was remembered."""
        now = self._around()
        return {path for path, _ in now.items() ^ self._before.items()}

    def in_sight(self) -> set[bytes]:
        """Paths below `files/`, folders with a slash at their end."""
        return _names_below(os.fsencode(self.lake / "files"))

    def on_the_way(self) -> set[bytes]:
        """Whatever is left in the folders of what is not published yet."""
        own = self.lake / ".lakedrop"
        return {
            os.fsencode(folder) + b"/" + name
            for folder in _OWN
            for name in _names_below(os.fsencode(own / folder))
        }

    def _around(self) -> Seen:
        root, lake = os.fsencode(self.top), os.fsencode(self.lake)
        seen: Seen = {}
        folders = [root]
        while folders:
            folder = folders.pop()
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.name.endswith(b".stderr"):  # the server's own log
                        continue
                    found = entry.stat(follow_symlinks=False)
                    is_folder = stat.S_ISDIR(found.st_mode)
                    data = b""
                    if stat.S_ISREG(found.st_mode):
                        data = Path(os.fsdecode(entry.path)).read_bytes()
                    mtime = 0 if is_folder and folder == lake else found.st_mtime_ns
                    seen[entry.path] = (found.st_mode, found.st_ino, mtime, data)
                    if is_folder and folder != lake:  # what is in the lake's folders is another's
                        folders.append(entry.path)
        return seen


def _names_below(top: bytes) -> set[bytes]:
    found: set[bytes] = set()
    for folder, folders, files in os.walk(top):
        below = folder[len(top) + 1 :]
        prefix = below + b"/" if below else b""
        found |= {prefix + name for name in files}
        found |= {prefix + name + b"/" for name in folders}
    return found
