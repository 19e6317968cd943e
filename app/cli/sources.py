"""Paths as they stand on the command line, turned into what the engine uploads."""

from __future__ import annotations

import os
from collections.abc import Sequence

from app.cli.words import shown
from app.domain.errors import WrongUse
from app.domain.upload_job import Source

_SHOWN = 5


def sources_of(paths: Sequence[str]) -> tuple[Source, ...]:
    """`DIR` keeps its own name below the destination; `DIR/`, `.` and `..` mean the contents.

    Raises `WrongUse` for paths that do not exist, before anything begins.
    """
    missing = [path for path in paths if not os.path.exists(path)]  # noqa: PTH110  keeps the slash
    if missing:
        more = f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
        names = ", ".join(shown(path) or "''" for path in missing[:_SHOWN])
        raise WrongUse(f"No such file or folder: {names}{more}. Nothing was uploaded.")
    return tuple(_source(path) for path in paths)


def _source(path: str) -> Source:
    last = os.path.basename(path)  # noqa: PTH119  pathlib would drop the slash, the dot
    if last in ("", os.curdir, os.pardir):
        # The folder's own name does not matter then, so a link that was named is followed.
        return Source(os.path.realpath(path), contents_only=True)
    return Source(os.path.abspath(path))  # noqa: PTH100  a link stays a link
