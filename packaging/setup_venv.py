"""Brings `.venv` and the system's tools to what the locks and system-packages.txt ask for.

Standard library only: it runs before anything is installed. Called by setup.sh, which has found a
Python that is new enough. Nothing is done twice: a stamp inside `.venv` tells what was installed,
and it is taken away before a change and written after it, so an interrupted run is started over.
"""

from __future__ import annotations

import argparse
import contextlib
import enum
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from node_packages import NodePackages
from system_needs import Machine, SetupFailed, is_here, look_after_the_system, missing_packages

RUNTIME_LOCK = "requirements.lock"
DEV_LOCK = "requirements-dev.lock"
# The dev lock holds everything the runtime lock does, at the same versions (a test says so).
LOCKS = {
    "run": (RUNTIME_LOCK,),
    "test": (RUNTIME_LOCK, DEV_LOCK),
    "bench": (RUNTIME_LOCK, DEV_LOCK),
}
STAMP = "lakedrop-setup.json"
# Qt's bindings carry their helpers in Python as a zip, compiled anew at each start. SBK_EMBED=0 (in
# Qt's own documentation) lays them beside it as files, which Python keeps compiled: 13 of 156 ms of
# the start of the window. They are of one version: an upgrade changes a lock and rebuilds .venv.
UNPACK_QT_HELPERS = "import os; os.environ['SBK_EMBED'] = '0'; import shiboken6"


class Step(enum.Enum):
    """What must be done to `.venv`, from the most to the least."""

    REBUILD = "rebuild"
    ADD_PACKAGES = "add packages"
    INSTALL_PROJECT = "install project"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a `.venv` was made from: digests are SHA-256 in hex, by file name."""

    tree: str
    python: str
    project: str
    locks: Mapping[str, str]


def next_step(installed: Stamp | None, wanted: Stamp) -> Step:
    """What takes a `.venv` from `installed` to `wanted`.

    A changed lock rebuilds, so that a package the lock no longer names does not linger; so do
    another Python and a moved tree, since both are written into `.venv`'s scripts.
    """
    if installed is None:
        return Step.REBUILD
    if (installed.tree, installed.python) != (wanted.tree, wanted.python):
        return Step.REBUILD
    for name, digest in wanted.locks.items():
        if installed.locks.get(name, digest) != digest:
            return Step.REBUILD
    if not wanted.locks.keys() <= installed.locks.keys():
        return Step.ADD_PACKAGES
    if installed.project != wanted.project:
        return Step.INSTALL_PROJECT
    return Step.NOTHING


def read_stamp(file: Path) -> Stamp | None:
    """The stamp in `file`; None where there is none or it is not one of ours."""
    try:
        fields = json.loads(file.read_bytes())
        return Stamp(fields["tree"], fields["python"], fields["project"], dict(fields["locks"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_stamp(file: Path, stamp: Stamp) -> None:
    """Puts the stamp in place in one move, so that half a stamp is never read."""
    fields = {
        "tree": stamp.tree,
        "python": stamp.python,
        "project": stamp.project,
        "locks": dict(stamp.locks),
    }
    aside = file.with_suffix(".new")
    aside.write_text(json.dumps(fields, indent=1), encoding="utf-8")
    aside.replace(file)


class Tree:
    """One checkout of the project and its `.venv`."""

    def __init__(self, root: Path, machine: Machine) -> None:
        self._root = root
        self._machine = machine
        self._venv = root / ".venv"
        self._python = self._venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        self._stamp = self._venv / STAMP
        self._node_packages = NodePackages(root, machine)

    def is_ready(self, what: str) -> bool:
        """Whether nothing at all has to be done for `what`."""
        return (
            self._step(what) is Step.NOTHING
            and self._node_packages.is_ready(what)
            and not missing_packages(self._machine, self.listing(), what)
        )

    def listing(self) -> str:
        """The text of system-packages.txt."""
        return (self._root / "packaging/system-packages.txt").read_text(encoding="utf-8")

    def prepare(self, what: str) -> None:
        """Makes `.venv` what `what` needs; quick where it already is."""
        self._prepare_python(what)
        self._node_packages.prepare(what)

    def _prepare_python(self, what: str) -> None:
        installed = read_stamp(self._stamp)
        step = next_step(installed, self._wanted(what))
        if step is Step.NOTHING:
            return
        self._stamp.unlink(missing_ok=True)
        if step is Step.REBUILD:
            self._machine.say("Making .venv ...")
            self._must("make .venv", [sys.executable, "-m", "venv", "--clear", str(self._venv)])
        if step in (Step.REBUILD, Step.ADD_PACKAGES):
            lock = LOCKS[what][-1]
            self._machine.say(f"Installing the packages of {lock} (a minute, the first time) ...")
            # The lock is complete, so nothing is resolved; nothing is compiled on this machine.
            exactly = ["--require-hashes", "--no-deps", "--only-binary=:all:"]
            self._must(f"install {lock}", [*self._pip(), *exactly, "-r", str(self._root / lock)])
            # Only quicker: where the bindings cannot be loaded, all but the window works.
            self._machine.run([str(self._python), "-c", UNPACK_QT_HELPERS])
        editable = ["--no-deps", "--no-build-isolation", "-e", str(self._root)]
        self._must("install the project itself", [*self._pip(), *editable])
        made = self._wanted(what)
        if installed is not None and step is not Step.REBUILD:
            # `make run` between two `make test` leaves the tests' packages where they are.
            made = replace(made, locks={**installed.locks, **made.locks})
        write_stamp(self._stamp, made)

    def _pip(self) -> list[str]:
        return [str(self._python), "-m", "pip", "install", "-q"]

    def _must(self, aim: str, command: Sequence[str]) -> None:
        if self._machine.run(command) != 0:
            raise SetupFailed(
                f"Could not {aim}: the lines above say why. Mend that, then run make again."
            )

    def _step(self, what: str) -> Step:
        return next_step(read_stamp(self._stamp), self._wanted(what))

    def _wanted(self, what: str) -> Stamp:
        locks = {name: self._digest(name) for name in LOCKS[what]}
        return Stamp(str(self._root), self._venv_version(), self._digest("pyproject.toml"), locks)

    def _digest(self, name: str) -> str:
        return hashlib.sha256((self._root / name).read_bytes()).hexdigest()

    def _venv_version(self) -> str:
        """The full version of `.venv`'s Python as it is now; empty where it does not start."""
        try:
            answer = subprocess.run(
                [self._python, "-I", "-c", "import sys; print(sys.version)"],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
            )
        except OSError:
            return ""
        return answer.stdout.strip() if answer.returncode == 0 else ""


@contextlib.contextmanager
def alone(tree: Path, say: Callable[[str], None]) -> Iterator[tuple[int, ...]]:
    """Waits until no other set-up works on this tree (two terminals, or `make -j`).

    Yields the descriptors that a child must inherit which writes into the tree: so a pip that
    outlives a killed set-up keeps the next one waiting, instead of writing between its lines.
    """
    if sys.platform == "win32":
        yield ()
        return
    import fcntl  # not there on Windows

    with (tree / ".setup.lock").open("w") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another set-up works on this tree; waiting for it ...")
            fcntl.flock(held, fcntl.LOCK_EX)
        yield (held.fileno(),)


def run_without_input(command: Sequence[str], kept: tuple[int, ...] = ()) -> int:
    """Runs a program on this terminal, but without its input: nothing may stop and ask."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, env=environment, pass_fds=kept, check=False
    )
    return done.returncode


def say(line: str) -> None:
    """Prints a line where it cannot be mistaken for a program's output."""
    print(line, file=sys.stderr, flush=True)


def main(arguments: Sequence[str]) -> int:
    """Exit code 0: ready. 1: not ready, and why was told. 130: interrupted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=sorted(LOCKS))
    parser.add_argument("--is-ready", action="store_true", help="only say so, by the exit code")
    flags = parser.parse_args(arguments)
    machine = Machine(
        run=run_without_input,
        has=is_here,
        is_root=hasattr(os, "geteuid") and os.geteuid() == 0,
        in_ci=bool(os.environ.get("CI")),
        say=say,
    )
    root = Path(__file__).resolve().parent.parent
    try:
        if flags.is_ready:
            return 0 if Tree(root, machine).is_ready(flags.what) else 1
        with alone(root, say) as kept:
            tree = Tree(root, replace(machine, run=partial(run_without_input, kept=kept)))
            look_after_the_system(machine, tree.listing(), flags.what)
            tree.prepare(flags.what)
    except SetupFailed as failure:
        say(str(failure))
        return 1
    except OSError as cause:
        say(
            f"Set-up cannot go on: {cause}. If .venv is another user's, remove it; then make again."
        )
        return 1
    except KeyboardInterrupt:
        say("Set-up was interrupted; make starts it over the next time.")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
