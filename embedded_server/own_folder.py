"""A lake's own folder as a command of this program meets it: made, and its troubles in words."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from embedded_server.domain.errors import CannotServe
from embedded_server.storage.disk import Disk
from embedded_server.storage.layout import Layout
from embedded_server.storage.local_lake import open_layout


def open_own_folder(lake: Path, disk: Disk) -> Layout:
    """Makes what is missing. Raises `CannotServe`."""
    os.umask(0o077)  # what this process makes is its owner's alone
    with unusable_folder_told(lake):
        # Not resolve(): a lake behind a link keeps the name it was given.
        return open_layout(str(lake.absolute()), disk)


@contextmanager
def unusable_folder_told(lake: Path) -> Iterator[None]:
    """Turns an `OSError` of the lake's own folder into a `CannotServe`."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise CannotServe(
            f"the folder {lake} cannot be used as a lake: {reason}."
            " Choose a folder that you may write to with --lake"
        ) from error
