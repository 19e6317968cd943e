"""`lakedrop serve` and `lakedrop keys`: this process becomes the lake server's program."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path

# Without the current folder in the module search path: the user may well stand in a folder of
# data that has an `app.py` or a `json.py` in it.
_COMMAND = (sys.executable, "-P", "-m", "embedded_server")


def serve(arguments: Sequence[str]) -> int:
    """Returns on Windows only, with the server's exit code; elsewhere the server takes over."""
    ours = str(Path(__file__).resolve().parents[2])
    if ours != sysconfig.get_path("purelib"):  # a checkout need not be installed
        before = os.environ.get("PYTHONPATH")
        os.environ["PYTHONPATH"] = os.pathsep.join([ours, before] if before else [ours])
    command = [*_COMMAND, *arguments]
    _give_missing_outputs()
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:  # None where whoever started us closed it
            stream.flush()
    if os.name != "nt":
        os.execv(command[0], command)  # noqa: S606  our own interpreter and package
    # Windows has no exec that keeps the console: the child gets Ctrl-C itself, and we wait.
    with subprocess.Popen(command) as server:  # noqa: S603  our own interpreter and package
        while True:
            try:
                return server.wait()
            except KeyboardInterrupt:
                continue


def _give_missing_outputs() -> None:
    """Where standard output or error is closed, what is said goes nowhere.

    Left closed, the first file that the server opens would get the number, and the output in it.
    """
    for number, stream in ((1, sys.stdout), (2, sys.stderr)):
        if stream is None:
            null = os.open(os.devnull, os.O_WRONLY)
            if null == number:
                os.set_inheritable(null, True)  # noqa: FBT003  it takes no names
            else:
                os.dup2(null, number)
                os.close(null)
