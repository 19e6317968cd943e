"""Keeps changes below a folder there, also while somebody puts links in the way.

Looking at each part of a path and then using the path leaves a moment in which a folder can become
a link. So the folder that an entry lies in is opened part by part, links not followed, and the
entry is named through what was opened: `/proc/self/fd/7/part-1.parquet`. Where a system has no such
names (all but Linux), the path itself is used: the look before it is then all there is.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager

_BY_DESCRIPTOR = "/proc/self/fd"
_CAN_NAME = os.path.isdir(_BY_DESCRIPTOR) and os.open in os.supports_dir_fd
_TOP_FLAGS = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0)
_FLAGS = _TOP_FLAGS | getattr(os, "O_NOFOLLOW", 0)


_Held = dict[str, int | OSError]
_NONE: _Held = {}
# So many folders are held open by one call; no more, since a process has few descriptors.
_MOST_HELD = 16


class Inside:
    """Any thread may call it."""

    def __init__(self, top: str) -> None:
        """`top` itself may lie behind a link; nothing below it may."""
        self._below = top + os.sep
        self._real = os.path.realpath(top)
        self._held = threading.local()

    def holds(self, path: str) -> bool:
        return path.startswith(self._below)

    @contextmanager
    def reached(self, path: str) -> Iterator[str]:
        """What to call the entry at `path`, below the top; its folder is there.

        Raises `NotADirectoryError` where a link or a file stands for one of its folders.
        """
        if not _CAN_NAME:
            yield path
            return
        folder, name = os.path.split(path)
        held: _Held = getattr(self._held, "folders", _NONE)
        if folder in held:
            found = held[folder]
            if isinstance(found, OSError):
                raise found
            yield f"{_BY_DESCRIPTOR}/{found}/{name}"
            return
        descriptor = self._open(folder)
        try:
            yield f"{_BY_DESCRIPTOR}/{descriptor}/{name}"
        finally:
            os.close(descriptor)

    @contextmanager
    def holding(self, folders: Collection[str]) -> Iterator[None]:
        """Opens them once for all that this thread changes in them meanwhile."""
        held: _Held = {}
        try:
            if _CAN_NAME and len(folders) <= _MOST_HELD:
                for folder in folders:
                    try:
                        held[folder] = self._open(folder)
                    except OSError as cause:  # told to whoever changes something in it
                        held[folder] = cause
            self._held.folders = held
            yield
        finally:
            self._held.folders = _NONE
            for found in held.values():
                if not isinstance(found, OSError):
                    os.close(found)

    def _open(self, folder: str) -> int:
        descriptor = os.open(self._real, _TOP_FLAGS)
        try:
            for segment in folder[len(self._below) :].split(os.sep):
                if segment:
                    deeper = os.open(segment, _FLAGS, dir_fd=descriptor)
                    os.close(descriptor)
                    descriptor = deeper
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor
