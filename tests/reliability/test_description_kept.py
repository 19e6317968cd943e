"""Real servers keep to what they say of themselves in /openapi.json, whatever they are asked.

schemathesis makes up requests from the description, good and bad ones, and judges each answer: no
5xx, no status, content type, header or shape that is not described, bad data refused, no way around
a key. The server's own count of its answers is compared with the description as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support import description_run as run
from tests.support.counts import count, seeds
from tests.support.forked_server import ForkedServer, ForkedServers
from tests.support.made_keys import made_key
from tests.support.observed_disk import tree

KEY = "lake_0123456789abcdefghijklmnopqrstuv"
STRICT = ("--strict", "--insecure-lan", "--no-log-requests")
EXAMPLES = count(6, 300)
SEEDS = seeds(1, 4)


@contextmanager
def served(servers: ForkedServers, lake: Path, *flags: str) -> Iterator[ForkedServer]:
    """Ends without a complaint in its log."""
    given = (*run.UNLIMITED, *flags)
    with ForkedServer(servers, lake, api_key=KEY, flags=given) as server:
        yield server
    told = server.errors.read_text(encoding="utf-8")
    assert "Traceback" not in told, told[-4_000:]


def judged(server: ForkedServer, asked: list[run.Asked], least_cases: int) -> None:
    for one in asked:
        assert one.is_sound, one.told[-8_000:]
    assert sum(one.cases for one in asked) > least_cases
    assert run.not_described(run.answered(server), run.description_of(server)) == []


@pytest.mark.soak
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("flags", [(), STRICT], ids=["local", "strict"])
def test_whoever_may_do_everything_meets_nothing_that_is_not_described(
    servers: ForkedServers, lake: Path, tmp_path: Path, flags: tuple[str, ...], seed: int
) -> None:
    with served(servers, lake, *flags) as server:
        met = run.filled(server)
        asked = run.ask_all(server, met, tmp_path, key=KEY, seed=seed, examples=EXAMPLES)
        judged(server, asked, least_cases=1_500)
        # Else it would have been a conversation about errors. What chance left out comes again.
        missed = run.never_done(run.answered(server), run.description_of(server))
        assert len(missed) < 4, missed
        if missed:
            more = run.ask(
                *(server, met, tmp_path), key=KEY, seed=seed, examples=60, only=missed, links=False
            )
            judged(server, [more], least_cases=20)
            assert run.never_done(run.answered(server), run.description_of(server)) == []


@pytest.mark.soak
@pytest.mark.parametrize("seed", SEEDS)
def test_a_key_that_may_only_read_changes_nothing(
    servers: ForkedServers, lake: Path, tmp_path: Path, seed: int
) -> None:
    with served(servers, lake, *STRICT) as server:
        met = run.filled(server)
        key = made_key(lake, "reader", "--read-only")
        before = tree(lake / "files"), tree(server.trash), tree(lake / ".lakedrop" / "staging")
        asked = run.ask(server, met, tmp_path, key=key, seed=seed, examples=EXAMPLES)
        judged(server, [asked], least_cases=1_000)
        after = tree(lake / "files"), tree(server.trash), tree(lake / ".lakedrop" / "staging")
        assert after == before


CHANGING = (
    *("startSync", "uploadFile", "uploadBatch", "beginUpload", "continueUpload", "giveUpUpload"),
    *("makeFolder", "renamePath", "restoreTrashed", "deletePath", "endSync", "abortSync"),
    "purgeTrash",
)


@pytest.mark.soak
@pytest.mark.parametrize("seed", SEEDS)
def test_a_key_that_is_bound_to_a_folder_changes_nothing_beside_it(
    servers: ForkedServers, lake: Path, tmp_path: Path, seed: int
) -> None:
    with served(servers, lake, *STRICT) as server:
        met = run.filled(server)
        mine = met.folders[0]
        key = made_key(lake, "bound", "--path", mine)

        # By their names alone these tell no folder; the first two syncs are those of `mine`.
        others = {f"partial/{upload}" for upload in met.uploads[run.UPLOADS_A_FOLDER :]}
        others |= {f"staging/{sync_id}" for sync_id in met.syncs[2:]}

        def beside() -> dict[str, bytes]:
            """What lies elsewhere: in sight, staged, in the trash, on its way."""
            found = tree(lake / "files")
            for place in ("staging", "trash", "partial"):
                inside = tree(lake / ".lakedrop" / place)
                found |= {f"{place}/{path}": data for path, data in inside.items()}
            return {
                path: data
                for path, data in found.items()
                if f"{mine[1:]}/" not in path
                and (
                    not path.startswith(("partial/", "staging/"))
                    or "/".join(path.split("/")[:2]) in others
                )
            }

        before, made = beside(), run.answered(server)
        asked = run.ask(
            *(server, met, tmp_path), key=key, seed=seed, examples=EXAMPLES, only=CHANGING
        )
        judged(server, [asked], least_cases=300)
        assert beside() == before
        done = run.answered(server) - made
        assert {status for _, _, status in done} >= {200, 403}


@pytest.mark.soak
@pytest.mark.parametrize("seed", SEEDS)
def test_without_a_key_a_strict_server_does_nothing_but_tell_its_health(
    servers: ForkedServers, lake: Path, tmp_path: Path, seed: int
) -> None:
    with served(servers, lake, *STRICT) as server:
        met = run.filled(server)
        before = run.answered(server)
        asked = run.ask(server, met, tmp_path, key=None, seed=seed, examples=EXAMPLES)
        judged(server, [asked], least_cases=1_000)
        done = run.answered(server) - before
        succeeded = {route for _, route, status in done if status < 400}
        assert succeeded == {"/healthz", "/openapi.json", "/metrics"}  # the last two are ours
        assert {status for _, route, status in done if route == "/metrics"} == {200, 401}


BREAKS = [
    ("answers what nobody described", "makeFolder", "Undocumented status code"),
    ("fails in a route", "makeFolder", "Server error"),
    ("answers a web page", "showCapabilities", "Undocumented Content-Type"),
    ("leaves a field out", "showUsage", "Response violates schema"),
    ("takes anything for a number", "listSyncs", "Schema-violating request accepted"),
    ("lets anybody in", "listSyncs", "authentication"),
]


def asked_once(server: ForkedServer, folder: Path, operation: str) -> run.Asked:
    met = run.Met([1], [1], ["0"], ["/data/x"])
    return run.ask(
        *(server, met, folder), key=KEY, seed=0, examples=10, only=[operation], links=False
    )


def test_of_the_test_a_sound_server_is_let_pass(
    servers: ForkedServers, lake: Path, tmp_path: Path
) -> None:
    with served(servers, lake, *STRICT) as server:
        for operation in {operation for _, operation, _ in BREAKS}:
            asked = asked_once(server, tmp_path, operation)
            assert asked.is_sound, asked.told


@pytest.mark.parametrize(("build", "operation", "complaint"), BREAKS)
def test_of_the_test_a_broken_server_is_caught(
    servers: ForkedServers, lake: Path, tmp_path: Path, build: str, operation: str, complaint: str
) -> None:
    flags = (*run.UNLIMITED, *STRICT)
    with ForkedServer(servers, lake, api_key=KEY, build=build, flags=flags) as server:
        asked = asked_once(server, tmp_path, operation)
        if build == "answers what nobody described":
            counted = run.not_described(run.answered(server), run.description_of(server))
            assert counted == [("POST", "/api/lake/folder", 418)]
    assert not asked.is_sound
    assert complaint in asked.told, asked.told
