"""--group: its members read what is published, and nothing else; everybody else reads nothing."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from embedded_server import contract
from tests.integration.server.conftest import Client
from tests.integration.server.test_process import _serve
from tests.support.needs import needs_root
from tests.support.real_server import RealServer

pytestmark = pytest.mark.skipif(os.name != "posix", reason="modes and groups of POSIX")

if sys.platform != "win32":
    import grp

    OWN_GROUP = grp.getgrgid(os.getgid()).gr_name

# As "nobody", in the group that is named, or in none: reads one file and tries another.
_READ = """
import os, sys
group, *paths = sys.argv[1:]
os.setgroups([int(group)] if group else [])
os.setgid(65534); os.setuid(65534)
for path in paths:
    try:
        with open(path, "rb") as file:
            print(len(file.read()))
    except PermissionError:
        print("no")
"""


def _fill(server: RealServer) -> None:
    """By every way that a file comes in."""
    with Client(server, "/data/one") as client:
        sync_id = client.started()
        assert client.upload(sync_id, "a.csv", b"1", path="/data/one/below").status_code == 200
        batch = f"{contract.BATCH_ROUTE}?sync_id={sync_id}"
        assert client.http.post(batch, files={"file": ("b.csv", b"2")}).status_code == 200
    with Client(server, "/data/two") as client:
        for data in (b"old", b"new!"):
            sync_id = client.started("FullSync")
            assert client.upload(sync_id, "c.csv", data, path="/data/two/x").status_code == 200
            assert client.end(sync_id).json() == {"success": True}


def _modes(top: Path) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {"files": set(), "folders": set()}
    for path in (top, *top.rglob("*")):
        kind = "folders" if path.is_dir() else "files"
        found[kind].add(oct(stat.S_IMODE(path.stat().st_mode)))
    return found


def _sharing(lake: Path, group: str) -> RealServer:
    return RealServer(lake, program=("-m", "embedded_server", "--group", group))


def test_without_a_group_all_is_the_owner_s(lake: Path) -> None:
    with RealServer(lake) as server:
        _fill(server)
        assert _modes(lake) == {"files": {"0o600"}, "folders": {"0o700"}}


def test_a_group_may_read_what_is_published_and_nothing_else(lake: Path) -> None:
    with _sharing(lake, OWN_GROUP) as server:
        _fill(server)
        assert _modes(server.files) == {"files": {"0o640"}, "folders": {"0o2750"}}
        assert stat.S_IMODE(lake.stat().st_mode) == 0o750
        assert stat.S_IMODE((lake / ".lakedrop").stat().st_mode) == 0o700


def test_what_is_there_already_is_shared_too_and_taken_back(lake: Path) -> None:
    with RealServer(lake) as server:
        _fill(server)
    with _sharing(lake, OWN_GROUP) as server:
        assert _modes(server.files) == {"files": {"0o640"}, "folders": {"0o2750"}}
    with RealServer(lake) as server:
        assert stat.S_IMODE(server.files.stat().st_mode) == 0o700
        assert httpx.get(server.address + "/healthz").status_code == 200


@pytest.fixture
def open_lake() -> Iterator[Path]:
    """In a folder that anybody may pass through: pytest's own keep everybody out."""
    with tempfile.TemporaryDirectory() as made:
        Path(made).chmod(0o711)
        yield Path(made) / "lake"


def test_members_read_and_others_do_not(open_lake: Path) -> None:
    needs_root()
    lake = open_lake
    gid = grp.getgrnam("daemon").gr_gid
    with _sharing(lake, "daemon") as server:
        _fill(server)
        published = [server.files / it for it in ("data/one/below/a.csv", "data/one/b.csv")]
        published.append(server.files / "data/two/x/c.csv")
        private = [lake / ".lakedrop/catalog.db", lake / ".lakedrop/server.json"]

        def read(group: str) -> list[str]:
            names = [str(path) for path in (*published, *private)]
            done = subprocess.run(
                [sys.executable, "-c", _READ, group, *names],
                capture_output=True,
                text=True,
                timeout=60,
                check=True,
            )
            return done.stdout.split()

        assert read(str(gid)) == ["1", "1", "4", "no", "no"]
        assert read("") == ["no"] * 5


def test_a_group_that_is_none_is_told(lake: Path) -> None:
    done = _serve("--lake", str(lake), "--port", "0", "--group", "no-such-group")
    assert done.returncode == 1
    assert "no group 'no-such-group'" in done.stderr
    assert not lake.exists()
