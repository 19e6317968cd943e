"""The two calls of `SmallFiles` with all that can become of a file, in an interpreter of its own.

python -m tests.support.small_files_calls FOLDER here|beside: prints the outcomes as JSON. A process
of its own, because `beside` forks, which is for processes with one thread.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from embedded_server.domain.measures import Measures
from embedded_server.storage.disk import Kind
from embedded_server.storage.disk_process import small_files_writer
from embedded_server.storage.measured_disk import MeasuredDisk
from embedded_server.storage.small_files import InThisProcess

FILES = 40
SIZE_BYTES = 120_000  # so that together they do not fit into one message


def content(number: int) -> bytes:
    return b"%04d" % number * (SIZE_BYTES // 4)


def main() -> None:
    folder, where = Path(sys.argv[1]), sys.argv[2]
    measures = Measures()
    disk = MeasuredDisk(measures)
    writing = (
        nullcontext(InThisProcess(disk)) if where == "here" else small_files_writer(disk, measures)
    )
    with writing as small_files:
        _make_what_is_in_the_way(folder)
        sources = [str(folder / f"in/{number}") for number in range(FILES)]
        targets = [str(folder / f"{number % 2}/{number}") for number in range(FILES)]
        sources[5] = str(folder / "no-such-folder/5")
        targets[6] = str(folder / "no-such-folder/6")
        pieces = [(content(number)[:7], content(number)[7:]) for number in range(FILES)]
        stored = small_files.store(list(zip(sources, pieces, strict=True)))
        mtimes = [Path(path).stat().st_mtime_ns for path in sources if Path(path).exists()]
        placed = small_files.place(list(zip(sources, targets, strict=True)))
    told = {
        "stored": _told(stored),
        "mtimes": mtimes,
        "placed": _told(placed),
        "fsyncs": measures.fsync_s.told()[0][-1][1],
        "processes": _children(),
    }
    sys.stdout.write(json.dumps(told))


def _make_what_is_in_the_way(folder: Path) -> None:
    for name in ("in", "0", "1"):
        (folder / name).mkdir()
    (folder / "in/4").write_bytes(b"somebody else's")
    (folder / "1/7").write_bytes(b"old")
    (folder / "0/8").mkdir()
    (folder / "1/9").symlink_to("nowhere")


def _told(outcomes: Sequence[int | Kind | OSError]) -> list[Any]:
    return [
        [it.errno, it.filename]
        if isinstance(it, OSError)
        else it.name
        if isinstance(it, Kind)
        else it
        for it in outcomes
    ]


def _children() -> int:
    import psutil

    return len(psutil.Process().children())


if __name__ == "__main__":
    main()
