"""Programs from npm that the tests and benchmarks run against the server, below `.venv/node`.

Nothing of LakeDrop needs them: where npm is missing they are left out, and so are their tests.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from system_needs import Machine, SetupFailed

FOR = ("test", "bench")
_WANTED = ("package.json", "package-lock.json")


class NodePackages:
    """What `packaging/node-packages` asks for, in one `.venv`."""

    def __init__(self, root: Path, machine: Machine) -> None:
        self._machine = machine
        self._wanted = root / "packaging" / "node-packages"
        self._folder = root / ".venv" / "node"
        # npm's own note of what it installed; written last.
        self._installed = self._folder / "node_modules" / ".package-lock.json"

    def is_ready(self, what: str) -> bool:
        """Also where there is nothing to be done about it."""
        if what not in FOR or not self._wanted.is_dir() or not self._machine.has("npm"):
            return True
        return self._installed.is_file() and all(
            (self._folder / name).is_file()
            and (self._folder / name).read_bytes() == (self._wanted / name).read_bytes()
            for name in _WANTED
        )

    def prepare(self, what: str) -> None:
        """Raises `SetupFailed`."""
        if self.is_ready(what):
            return
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True)
        for name in _WANTED:
            shutil.copyfile(self._wanted / name, self._folder / name)
        self._machine.say("Installing the tests' packages from npm ...")
        # By the lock's digests; no package's own scripts are run.
        quietly = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error"]
        if self._machine.run(["npm", "ci", *quietly, "--prefix", str(self._folder)]) != 0:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise SetupFailed(
                "Could not install the tests' packages from npm: the lines above say why."
                " Mend that, then run make again."
            )
