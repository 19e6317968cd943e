"""Disks whose power can be cut: a server runs on `disk.lake`, `disk.leave` makes what is left."""

from __future__ import annotations

import contextlib
import itertools
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.disk_steps import Cut

# Not imported: it needs libfuse.
_PROGRAM = Path(__file__).with_name("power_cut_mount.py")


class MountedDisk:
    """One disk of the mount; empty, or with the content of a folder that counts as synced."""

    def __init__(self, mount: PowerCutMount, name: str, content: Path | None) -> None:
        self._mount = mount
        self._name = name
        self._order("add", **{"from": str(content) if content else ""})

    @property
    def top(self) -> Path:
        return self._mount.top / self._name

    @property
    def lake(self) -> Path:
        return self.top / "lake"

    def steps(self) -> int:
        """How much has happened so far; what comes later has a higher number."""
        told: int = self._order("count")["steps"]
        return told

    def renames(self) -> list[int]:
        """What `steps` was right after each rename."""
        told: list[int] = self._order("renames")["renames"]
        return told

    def leave(self, cut: Cut, into: Path) -> Path:
        """Writes what survives into a new folder of the real disk; returns the lake there."""
        into.mkdir(parents=True)
        self._order("leave", steps=cut.steps, kept=cut.kept, seed=cut.seed, into=str(into))
        return into / "lake"

    def drop(self) -> None:
        self._order("drop")

    def _order(self, do: str, **more: Any) -> dict[str, Any]:
        return self._mount.order({"do": do, "disk": self._name, **more})


class PowerCutMount:
    def __init__(self, mount_point: Path) -> None:
        self.top = mount_point
        self._numbers = itertools.count(1)
        self._process = subprocess.Popen(
            [sys.executable, str(_PROGRAM), str(mount_point)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.order({"do": "nothing"})  # answered once it is mounted

    def add(self, content: Path | None = None) -> MountedDisk:
        return MountedDisk(self, str(next(self._numbers)), content)

    def order(self, order: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, f"the file system failed at {order}"
        told: dict[str, Any] = json.loads(answer)
        return told

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait(60)
        self._process.stdout.close()


@contextmanager
def power_cut_mount(mount_point: Path) -> Iterator[PowerCutMount]:
    mount_point.mkdir(parents=True, exist_ok=True)
    mount = PowerCutMount(mount_point)
    try:
        yield mount
    finally:
        mount.close()
