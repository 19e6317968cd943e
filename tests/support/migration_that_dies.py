"""Migrates copies of a catalog, each in a process that dies at another statement.

`python -m tests.support.migration_that_dies OLD.db FOLDER` leaves FOLDER/<n>/catalog.db, killed at
the n-th statement, for every n until one run comes through; it prints how many died.
"""

from __future__ import annotations

import itertools
import os
import shutil
import sys
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from embedded_server.catalog.opening import open_catalog

_KILLED = 9


def main(old: Path, folder: Path) -> int:
    for number in itertools.count():
        place = folder / str(number)
        place.mkdir()
        file = Path(shutil.copy(old, place / "catalog.db"))
        child = os.fork()  # nothing but this thread runs here; a new process would import for 1 s
        if child == 0:
            _dies_at(file, number)
        _, status = os.waitpid(child, 0)
        if os.waitstatus_to_exitcode(status) != _KILLED:
            return number
    return 0


def _dies_at(file: Path, number: int) -> None:
    left = number

    def count(*_: Any) -> None:
        nonlocal left
        if left == 0:
            os._exit(_KILLED)  # no rollback, no close: what a kill leaves behind
        left -= 1

    event.listen(Engine, "before_cursor_execute", count)
    event.listen(Engine, "commit", count)
    open_catalog(str(file))
    os._exit(0)


if __name__ == "__main__":
    import alembic.command  # noqa: F401  # once, here, and not in every child

    print(main(Path(sys.argv[1]), Path(sys.argv[2])))
