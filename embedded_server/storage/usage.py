"""Counts what is published at and below a folder."""

from __future__ import annotations

import os


def files_and_bytes(folder: str) -> tuple[int, int]:
    """Regular files and the sum of their sizes; 0, 0 where nothing is.

    Links below `folder` are neither followed nor counted; that no part of `folder` itself is a
    link is for the caller to see to.
    Entries that vanish during the walk (an upload replaced them) are left out.
    """
    files = size_bytes = 0
    waiting = [folder]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    try:
                        if entry.is_dir(follow_symlinks=False):
                            waiting.append(entry.path)
                        elif entry.is_file(follow_symlinks=False):
                            size_bytes += entry.stat(follow_symlinks=False).st_size
                            files += 1
                    except FileNotFoundError:
                        continue
        except (FileNotFoundError, NotADirectoryError):
            continue
    return files, size_bytes
