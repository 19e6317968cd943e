"""Folders as an analyst has them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def folder_of(top: Path, contents: Mapping[str, bytes]) -> Path:
    """Makes the folder with these files, by their paths below it."""
    for name, content in contents.items():
        path = top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return top
