"""The lake server alone against servers that sync nothing; curl is the client of all of them.

Nothing is deleted between the rounds of small files: for minutes ext4 steps over the number of
every file that was deleted, one by one, and making 5,000 files then takes up to ten times as long.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx

from embedded_server import contract
from tests.benchmarks.curl_client import Transfers, form_file, send_one
from tests.benchmarks.measuring import (
    ROOT,
    Contestant,
    environment,
    in_turn,
    nothing,
    say,
    tell_ratios,
)
from tests.benchmarks.nginx_peer import has_nginx, nginx
from tests.benchmarks.ports import free_port, wait_until_it_listens
from tests.support.real_server import SAMPLE_KEY, RealServer

_FILES, _SIZE_BYTES, _A_BATCH = 5_000, 20 * 1024, 128
_GIB = 1024**3
_MIB = 1024**2
_LARGEST_BYTES = 10 * _GIB


def run(scratch: Path, rounds: int) -> None:
    folder = scratch / "server"
    folder.mkdir()
    if has_nginx():
        with nginx(folder / "nginx") as address, _lake(folder / "lake") as lake:
            _big_file(folder, lake, address, rounds)
            sources = _small_files(folder / "source")
            _batches(folder, sources, lake, address, rounds)
    else:
        say("the server against nginx: left out, nginx is not installed (package nginx)")
        sources = _small_files(folder / "source")
    with _stock_route(folder / "stock") as address, _lake(folder / "other-lake") as lake:
        _one_by_one(folder, sources, lake, address, rounds)
    _memory(folder)


class _Lake:
    """A server of ours, and syncs on it."""

    def __init__(self, server: RealServer) -> None:
        self.server = server
        self._client = httpx.Client(base_url=server.address)
        self._numbers = itertools.count(1)

    def start(self) -> tuple[int, Path]:
        """A new sync into a folder of its own, which nobody has used; its id and the folder."""
        path = f"/bench/{next(self._numbers)}"
        body = {"name": "bench", "path": path, "api_key": SAMPLE_KEY}
        body["sync_type"] = "IncrementalSync"
        answer = self._client.post(contract.START_ROUTE, json=body).raise_for_status()
        return int(answer.json()["sync_id"]), self.server.files / path[1:]

    def end(self, sync_id: int, folder: Path, files: int) -> None:
        body = {"sync_id": sync_id, "api_key": SAMPLE_KEY}
        self._client.post(contract.END_ROUTE, json=body, timeout=60).raise_for_status()
        job = self._client.get(contract.LIST_ROUTE, params={"from": sync_id - 1, "size": 1}).json()[
            0
        ]
        if (job["total_files"], job["num_failed"]) != (files, 0):
            raise SystemExit(f"not every file is in the catalog: {job}")
        _expect(folder, files)

    def upload_url(self, sync_id: int, route: str = contract.UPLOAD_ROUTE) -> str:
        return f"{self.server.address}{route}?sync_id={sync_id}"


@contextlib.contextmanager
def _lake(folder: Path) -> Iterator[_Lake]:
    with RealServer(folder, environment=environment()) as server:
        yield _Lake(server)


@contextlib.contextmanager
def _stock_route(folder: Path) -> Iterator[str]:
    folder.mkdir()
    with contextlib.closing(free_port()) as held:
        port = held.getsockname()[1]
    command = ("-m", "uvicorn", "--log-level", "error", "tests.benchmarks.peer_server:app")
    server = subprocess.Popen(
        [sys.executable, *command, "--port", str(port)],
        cwd=ROOT,
        env=environment(PEER_FOLDER=str(folder)),
    )
    try:
        wait_until_it_listens(port, server)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


def _small_files(folder: Path) -> Sequence[Path]:
    folder.mkdir()
    paths = [folder / f"part-{number:05d}.csv" for number in range(_FILES)]
    for path in paths:
        path.write_bytes(os.urandom(_SIZE_BYTES))
    return paths


def _expect(folder: Path, files: int) -> None:
    if len(list(folder.iterdir())) != files:
        raise SystemExit(f"not every file is in {folder}")


# -- the contestants -------------------------------------------------------------------------


def _big_file(folder: Path, lake: _Lake, peer: str, rounds: int) -> None:
    say("one file of 1 GiB: digest computed and durable, against a PUT that does neither")
    source = folder / "big.bin"
    with source.open("wb") as file:
        for _ in range(_GIB // (64 * _MIB)):
            file.write(os.urandom(64 * _MIB))
    stored = folder / "nginx/files/big.bin"
    published = Path()

    def put() -> None:
        send_one("--upload-file", str(source), f"{peer}/big.bin")
        if stored.stat().st_size != _GIB:
            raise SystemExit("the peer did not store the whole file")

    def upload() -> None:
        nonlocal published
        sync_id, place = lake.start()
        send_one("--form", f"file=@{source}", lake.upload_url(sync_id))
        published = place / source.name
        if published.stat().st_size != _GIB:
            raise SystemExit("the file is not whole in the lake")

    times = in_turn(
        Contestant("curl -T to nginx", nothing, put, lambda: stored.unlink()),
        [Contestant("curl -F to the lake", nothing, upload, lambda: published.unlink())],
        rounds,
    )
    tell_ratios(times, "curl -T to nginx")
    source.unlink()


def _batches(folder: Path, sources: Sequence[Path], lake: _Lake, peer: str, rounds: int) -> None:
    say(
        f"{_FILES:,} files of {_SIZE_BYTES // 1024} KiB in batches of {_A_BATCH}, from *start* to"
        " *end*: digests computed, durable and in the catalog, against PUTs that are none of it"
    )
    numbers = itertools.count(1)
    puts = batches = Transfers.none()
    put_in = place = Path()
    sync_id = 0

    def before_put() -> None:
        nonlocal puts, put_in
        name = f"small-{next(numbers)}"
        put_in = folder / "nginx/files" / name
        put_in.mkdir()
        requests = [
            [("upload-file", str(path)), ("url", f"{peer}/{name}/{path.name}")] for path in sources
        ]
        puts = Transfers(folder / "puts", requests)

    def put_all() -> None:
        puts.send()
        _expect(put_in, _FILES)

    def before_batches() -> None:
        nonlocal batches, sync_id, place
        sync_id, place = lake.start()
        url = ("url", lake.upload_url(sync_id, contract.BATCH_ROUTE))
        slices = [sources[at : at + _A_BATCH] for at in range(0, _FILES, _A_BATCH)]
        batches = Transfers(
            folder / "batches", [[url, *map(form_file, of_batch)] for of_batch in slices]
        )

    def send_batches() -> None:
        batches.send()
        lake.end(sync_id, place, _FILES)

    times = in_turn(
        Contestant("curl to nginx", before_put, put_all, nothing),
        [Contestant("batches to the lake", before_batches, send_batches, nothing)],
        rounds,
    )
    tell_ratios(times, "curl to nginx")


def _one_by_one(folder: Path, sources: Sequence[Path], lake: _Lake, peer: str, rounds: int) -> None:
    say(
        f"{_FILES:,} files of {_SIZE_BYTES // 1024} KiB, one a request, 4 clients: durable and in"
        " the catalog, against a stock UploadFile route that syncs nothing"
    )
    posts = uploads = Transfers.none()
    place = Path()
    sync_id = 0
    numbers = itertools.count(1)

    def before_post() -> None:
        nonlocal posts
        # A name of its own for each file and round, as the lake has a folder of its own.
        prefix = f"r{next(numbers)}-"
        requests = [
            [
                ("url", f"{peer}/upload"),
                ("form", f"file=@{path};filename={prefix}{path.name}"),
            ]
            for path in sources
        ]
        posts = Transfers(folder / "posts", requests)

    def before_upload() -> None:
        nonlocal uploads, sync_id, place
        sync_id, place = lake.start()
        url = ("url", lake.upload_url(sync_id))
        uploads = Transfers(folder / "uploads", [[url, form_file(path)] for path in sources])

    def upload_all() -> None:
        uploads.send()
        lake.end(sync_id, place, _FILES)

    times = in_turn(
        Contestant("curl to the stock route", before_post, lambda: posts.send(), nothing),
        [Contestant("curl to the lake", before_upload, upload_all, nothing)],
        rounds,
    )
    tell_ratios(times, "curl to the stock route")


def _memory(folder: Path) -> None:
    say(f"the server's peak memory during one upload of {_LARGEST_BYTES // _GIB} GiB")
    source = folder / "largest.bin"
    with source.open("wb") as file:
        file.truncate(_LARGEST_BYTES)
    with _lake(folder / "last-lake") as lake:
        sync_id, place = lake.start()
        send_one("--form", f"file=@{source}", lake.upload_url(sync_id))
        if (place / source.name).stat().st_size != _LARGEST_BYTES:
            raise SystemExit("the file is not whole in the lake")
        status = Path(f"/proc/{lake.server.process.pid}/status").read_text(encoding="ascii")
        line = next(row for row in status.splitlines() if row.startswith("VmHWM"))
        say(f"  {int(line.split()[1]) / 1024:.0f} MiB")
    (place / source.name).unlink()
