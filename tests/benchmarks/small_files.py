"""2,000 files of 20 KiB: `lakedrop upload` to the local lake against the stock pair."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from tests.benchmarks.measuring import (
    ROOT,
    Contestant,
    environment,
    in_turn,
    lakedrop,
    say,
    tell_ratios,
)
from tests.benchmarks.ports import free_port, wait_until_it_listens

FILES, SIZE_BYTES = 2_000, 20 * 1024

_PEER_SERVER = ("-m", "uvicorn", "--log-level", "error", "tests.benchmarks.peer_server:app")


def run(scratch: Path, rounds: int) -> None:
    say(f"{FILES:,} files of {SIZE_BYTES // 1024} KiB, durable and verified, journal on")
    source = scratch / "source"
    source.mkdir()
    for number in range(FILES):
        (source / f"part-{number:05d}.csv").write_bytes(os.urandom(SIZE_BYTES))
    stored = scratch / "peer"
    stored.mkdir()
    home = scratch / "home"
    with closing(free_port()) as held:
        port = held.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, *_PEER_SERVER, "--port", str(port)],
        cwd=ROOT,
        env=environment(PEER_FOLDER=str(stored)),
    )
    try:
        wait_until_it_listens(port, server)
        times = in_turn(
            _stock_pair(source, stored, port),
            [_upload(source, home, warm=True), _upload(source, home, warm=False)],
            rounds,
        )
    finally:
        server.terminate()
        server.wait()
        lakedrop_stop(home)
    tell_ratios(times, "stock httpx loop and UploadFile route")


def _stock_pair(source: Path, stored: Path, port: int) -> Contestant:
    def emptied() -> None:
        shutil.rmtree(stored)
        stored.mkdir()

    def post_all() -> None:
        url = f"http://127.0.0.1:{port}/upload"
        command = [sys.executable, "-m", "tests.benchmarks.peer_loop", str(source), url]
        subprocess.run(command, cwd=ROOT, env=environment(), check=True)
        if len(list(stored.iterdir())) != FILES:
            raise SystemExit("the peer did not store every file")

    return Contestant("stock httpx loop and UploadFile route", emptied, post_all, emptied)


def _upload(source: Path, home: Path, *, warm: bool) -> Contestant:
    name = "lakedrop upload, " + ("engine running" if warm else "engine and server not running")
    lake = home / "lake" / "files" / "bench"

    def before() -> None:
        if warm:
            lakedrop(home, "upload", str(source / "part-00000.csv"), "--to", "/warm", *_INCREMENTAL)
        else:
            lakedrop_stop(home)

    def upload() -> None:
        lakedrop(home, "upload", f"{source}/", "--to", "/bench", *_INCREMENTAL)
        if len(list(lake.iterdir())) != FILES:
            raise SystemExit("not every file is in the lake")

    def after() -> None:
        shutil.rmtree(lake)

    return Contestant(name, before, upload, after)


_INCREMENTAL = ("--mode", "incremental")


def lakedrop_stop(home: Path) -> None:
    """Ends the engine, if one runs, and waits until it has left."""
    code = (
        "from app.composition import places\n"
        "from app.link.engine_starter import connect_running\n"
        "from filelock import FileLock\n"
        "here = places()\n"
        "client = connect_running(here.runtime_file)\n"
        "client and client.request('stop')\n"
        "FileLock(here.engine_lock).acquire()\n"
    )
    here = environment(LAKEDROP_HOME=str(home))
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=here, check=True)
