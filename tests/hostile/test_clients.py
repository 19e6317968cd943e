"""Names that are not ASCII, or not plain, as real clients send them: kept to the byte, or refused.

curl, requests, httpx, Qt and Chromium each write a file name into a form in their own way.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
import requests

from embedded_server import contract
from tests.support import qt_upload
from tests.support.evil_site import EvilSite, opened_in_chromium
from tests.support.forked_server import ForkedServers
from tests.support.hostile_house import HostileHouse
from tests.support.needs import needs_qt, needs_tool
from tests.support.wire import HUNG_S, request

KEPT = [
    "plain.csv",
    "bảng dữ liệu.csv",
    "数据.csv",
    "Ж é.parquet",
    "e\u0301.csv",
    "😀.bin",
    "👩\u200d💻.csv",
    "עברית.csv",
    "a b;c,d=e.csv",
    "it's (1) & [2] {3}.csv",
    "ts=10%3A00",
    "100%.csv",
    "%2e%2e",
    "a+b~c#d!.csv",
    ".hidden",
    "ế" * 85,
]
REFUSED = ['a"b.csv', '"', 'ế"; filename="b.csv', "a:b.csv", "a*b.csv", "NUL.csv", "\u202ea.csv"]

Statuses = list[int]


def _address(house: HostileHouse) -> str:
    return f"{house.server.address}{contract.UPLOAD_ROUTE}?sync_id={house.ways.sync_id}"


def _curl(house: HostileHouse, names: list[str], folder: Path) -> Statuses:
    curl = needs_tool("curl")
    told = []
    for name in names:
        path = folder / name
        path.write_bytes(b"by curl")
        quoted = str(path).replace("\\", "\\\\").replace('"', '\\"')
        done = subprocess.run(
            [
                curl,
                "-sS",
                "-o",
                "/dev/null",
                "-w",
                "%{http_code}",
                "-F",
                f'file=@"{quoted}"',
                _address(house),
            ],
            capture_output=True,
            check=True,
            timeout=HUNG_S,
        )
        told.append(int(done.stdout))
    return told


def _requests(house: HostileHouse, names: list[str], _: Path) -> Statuses:
    return [
        requests.post(_address(house), files={"file": (name, b"x")}, timeout=HUNG_S).status_code
        for name in names
    ]


def _httpx(house: HostileHouse, names: list[str], _: Path) -> Statuses:
    with httpx.Client(timeout=HUNG_S) as http:
        return [
            http.post(_address(house), files={"file": (name, b"x")}).status_code for name in names
        ]


def _qt(house: HostileHouse, names: list[str], _: Path) -> Statuses:
    needs_qt()
    done = subprocess.run(
        [sys.executable, qt_upload.__file__, _address(house)],
        input=json.dumps(names).encode(),
        capture_output=True,
        check=True,
        timeout=HUNG_S,
    )
    told: Statuses = json.loads(done.stdout)
    return told


def _chromium(house: HostileHouse, names: list[str], folder: Path) -> Statuses:
    """A page's FormData, taken by its own server and sent on: a lake lets no page in."""
    script = f"""
    (async () => {{
      for (const name of {json.dumps(names)}) {{
        const body = new FormData();
        body.append("file", new File(["x"], name));
        await fetch("/form", {{ method: "POST", body }});
      }}
    }})();
    """
    with EvilSite(script) as site:
        address = f"http://127.0.0.1:{site.port}/"
        with opened_in_chromium(address, folder / "profile"):
            forms = [site.said.get(timeout=HUNG_S) for _ in names]
    told = []
    for form in forms:
        kind, _, body = form.partition(b"\r\n\r\n")
        target = _address(house).removeprefix(house.server.address)
        headers = {"Content-Type": kind.decode("ascii")}
        sent = request("POST", target, house.server.port, headers, body)
        told.append(house.wire.exchange(sent).status)
    return told


CLIENTS: dict[str, Callable[[HostileHouse, list[str], Path], Statuses]] = {
    "curl": _curl,
    "requests": _requests,
    "httpx": _httpx,
    "Qt": _qt,
    "Chromium": _chromium,
}


@pytest.mark.parametrize("client", list(CLIENTS))
def test_a_name_is_kept_as_a_real_client_sends_it(
    house: HostileHouse, tmp_path: Path, client: str
) -> None:
    assert CLIENTS[client](house, KEPT, tmp_path) == [200] * len(KEPT)
    assert house.watched.in_sight() == {b"h/", *(b"h/" + name.encode() for name in KEPT)}
    house.tidy()


@pytest.mark.parametrize("client", list(CLIENTS))
def test_a_name_that_cannot_be_is_refused_and_not_another(
    house: HostileHouse, tmp_path: Path, client: str
) -> None:
    assert CLIENTS[client](house, REFUSED, tmp_path) == [400] * len(REFUSED)
    assert house.watched.in_sight() == set()
    assert house.watched.on_the_way() == set()


def test_of_the_test_a_server_that_reads_other_letters_is_caught(
    servers: ForkedServers, top: Path, tmp_path: Path
) -> None:
    with HostileHouse(servers, top, "reads names as Latin-1") as house:
        names = KEPT[:2]
        told = _httpx(house, names, tmp_path)
        in_sight = house.watched.in_sight()
        assert (told, in_sight) != ([200, 200], {b"h/", *(b"h/" + it.encode() for it in names)})
