"""A real Chromium opens a page of somebody else's that goes for the lake: it gets nothing.

A control runs the same page against servers that do not look at `Origin` or at `Host`: there the
same attempts do harm, so they reach the server.
"""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from embedded_server import contract
from embedded_server import contract_extensions as more
from tests.support.evil_site import (
    EvilSite,
    Rebound,
    Told,
    attacking,
    dumped_by_chromium,
    opened_in_chromium,
)
from tests.support.forked_server import ForkedServers
from tests.support.hostile_house import HostileHouse
from tests.support.observed_disk import tree
from tests.support.wire import HUNG_S

SECRET = "what nobody else may read 4711"
_STANDING = {
    "secret.txt": SECRET.encode(),
    "script.js": f"window.stolen = {SECRET!r}".encode(),
    "image.png": base64.b64decode(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII="
    ),
    "delete-by-fetch": b"1",
    "delete-by-form": b"2",
    "delete-by-beacon": b"3",
    "rename": b"4",
}
# What each kind of attempt makes of the lake where nobody keeps it out.
_ADDED = {"by-no-cors", "by-cors", "by-batch", "by-form", "by-beacon", "renamed-by-form"}
_GONE = {"delete-by-fetch", "delete-by-form", "delete-by-beacon", "rename"}


def _furnished(house: HostileHouse) -> None:
    folder = house.server.files / "h"
    folder.mkdir()
    for name, data in _STANDING.items():
        (folder / name).write_bytes(data)


def _state(house: HostileHouse) -> dict[str, Any]:
    """All that a page could have changed."""
    routes = (contract.SYNCS_QUERY_ROUTE, contract.HISTORY_QUERY_ROUTE)
    told = {route: house.ways.get(route, "size=100").json for route in routes}
    return {
        **told,
        "files": tree(house.server.files),
        "trash": tree(house.server.trash),
        "folders": house.watched.in_sight(),
        "on the way": house.watched.on_the_way(),
        "around": house.watched.changed_around(),
    }


def _told_apart(told: Told) -> set[str]:
    """The attempts by which the page came to anything."""
    return {it["what"] for it in told if SECRET in it["got"] or '"rows"' in it["got"]}


def _refused(house: HostileHouse) -> int:
    """How many requests the server has answered with 403, by its own count."""
    lines = house.ways.get(contract.METRICS_ROUTE).body.decode().splitlines()
    refused = [
        it for it in lines if it.startswith("lakedrop_requests_total") and 'status="403"' in it
    ]
    return int(sum(float(line.rpartition(" ")[2]) for line in refused))


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_a_page_of_another_origin_gets_nothing(
    servers: ForkedServers, top: Path, tmp_path: Path, name: str
) -> None:
    with HostileHouse(servers, top) as house:
        _furnished(house)
        before = _state(house)
        told = _attacked(house, tmp_path, f"http://{name}:{house.server.port}")
        # Beacons tell nobody when they are over: the server's own count does.
        assert _until(lambda: _refused(house) >= len(told))
        assert _state(house) == before
        assert _told_apart(told) == set()
        assert [it for it in told if it["got"] in ("opened", "loaded")] == []
        assert house.complaints_of_its_log() == []


def test_of_the_test_a_server_that_does_not_look_at_origin_is_harmed(
    servers: ForkedServers, top: Path, tmp_path: Path
) -> None:
    with HostileHouse(servers, top, "does not look at Origin") as house:
        _furnished(house)
        _attacked(house, tmp_path, house.server.address)
        assert _until(lambda: _harm(house) == (_ADDED, _GONE))
        assert (house.server.files / "h" / "folder-by-form").is_dir()
        assert house.ways.get(more.TRASH_ROUTE).json["total"] < 4  # the purge came between


def test_a_rebound_name_gets_nothing(servers: ForkedServers, top: Path, tmp_path: Path) -> None:
    with HostileHouse(servers, top) as house:
        _furnished(house)
        before = _state(house)
        told, relayed = _attacked_rebound(house, tmp_path)
        assert relayed
        assert _until(lambda: _refused(house) >= len(told))
        assert _state(house) == before
        assert _told_apart(told) == set()
        shown = dumped_by_chromium(
            f"http://evil.test:{house.server.port}{more.LAKE_ENTRIES_ROUTE}?path=/h",
            tmp_path / "other",
            "MAP evil.test 127.0.0.1",
        )
        assert "answers only to its own name" in shown
        assert "secret" not in shown


def test_of_the_test_a_server_that_does_not_look_at_host_is_harmed(
    servers: ForkedServers, top: Path, tmp_path: Path
) -> None:
    with HostileHouse(servers, top, "does not look at Host") as house:
        _furnished(house)
        told, _ = _attacked_rebound(house, tmp_path)
        assert "read by XMLHttpRequest" in _told_apart(told)
        assert f"read by fetch {contract.SYNCS_QUERY_ROUTE}" in _told_apart(told)


def _attacked(house: HostileHouse, folder: Path, lake: str) -> Told:
    with EvilSite(attacking(lake, house.ways.trashed)) as site:
        address = f"http://evil.test:{site.port}/"
        names = "MAP evil.test 127.0.0.1"
        with opened_in_chromium(address, folder / "profile", names):
            return site.told()


def _attacked_rebound(house: HostileHouse, folder: Path) -> tuple[Told, int]:
    port = house.server.port
    with (
        EvilSite(attacking("", house.ways.trashed)) as site,
        Rebound(port, site.page) as rebound,
        opened_in_chromium(
            f"http://evil.test:{port}/evil-page",
            folder / "profile",
            f"MAP evil.test {Rebound.ADDRESS}",
        ),
    ):
        return site.told(), rebound.relayed


def _harm(house: HostileHouse) -> tuple[set[str], set[str]]:
    names = {it.name for it in (house.server.files / "h").iterdir() if it.is_file()}
    return names - set(_STANDING), set(_STANDING) - names


def _until(holds: Callable[[], bool]) -> bool:
    until = time.monotonic() + HUNG_S
    while not holds():
        if time.monotonic() > until:
            return False
        threading.Event().wait(0.01)
    return True
