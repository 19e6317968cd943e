"""The lakes that the gateway suite runs against, and what each of them promises."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path

from app.domain.errors import LakeDropError
from app.domain.ports import LakeGateway
from app.infra.http_gateway import HttpGateway
from tests.support.fake_lake import FAKE_KEY, FakeLake
from tests.support.plain_server import running_plain_server
from tests.support.real_server import RealServer
from tests.support.tls import SERVE_WITH_TLS, trusting


class Promise(Enum):
    """What a LakeDrop server gives beyond the plain contract."""

    DIGEST = auto()  # the answer of an upload tells what was stored
    BATCH = auto()
    USAGE = auto()
    BROWSE = auto()  # folders can be listed, with the digests of what was uploaded
    TRASH = auto()  # everything that was replaced is kept
    ABORT = auto()  # a sync can be given up
    ONCE = auto()  # a start that comes again is the same sync
    RESUMES = auto()  # a file can be gone on with where it broke off
    OWN_STAGING = auto()  # an abandoned full sync's files are never published by another


EVERY_PROMISE = frozenset(Promise)
NO_PROMISE: frozenset[Promise] = frozenset()


@dataclass(frozen=True, slots=True)
class LakeUnderTest:
    """`published` is lake path → bytes as a reader sees them; `trashed` all bytes kept aside.

    `change_behind` puts other bytes at a lake path, and the lake's server has no part in it.
    """

    gateway: LakeGateway
    with_key: Callable[[str], LakeGateway]
    promises: frozenset[Promise]
    published: Callable[[], dict[str, bytes]]
    trashed: Callable[[], list[bytes]]
    change_behind: Callable[[str, bytes], object]


def _of_fake(fake: FakeLake, promises: frozenset[Promise]) -> LakeUnderTest:
    return LakeUnderTest(
        fake,
        fake.with_key,
        promises,
        lambda: fake.published,
        lambda: list(fake.trash.values()),
        fake.change_behind,
    )


@contextlib.contextmanager
def _fake(_root: Path) -> Iterator[LakeUnderTest]:
    yield _of_fake(FakeLake(), EVERY_PROMISE)


@contextlib.contextmanager
def _fake_plain(_root: Path) -> Iterator[LakeUnderTest]:
    yield _of_fake(FakeLake(plain=True), NO_PROMISE)


@contextlib.contextmanager
def _over_http(
    address: str,
    files: Path,
    trash: Path,
    promises: frozenset[Promise],
    *,
    key: str = FAKE_KEY,
    tls: ssl.SSLContext | None = None,
) -> Iterator[LakeUnderTest]:
    with contextlib.ExitStack() as opened:

        def gateway(key: str) -> LakeGateway:
            made = HttpGateway(address, key, ssl_context=tls)
            opened.callback(made.close)
            if tls is not None:
                # As the engine does before the first file: then it knows where the key goes.
                with contextlib.suppress(LakeDropError):
                    made.capabilities()
            return made

        yield LakeUnderTest(
            gateway(key),
            gateway,
            promises,
            lambda: {f"/{path}": data for path, data in _files_below(files).items()},
            lambda: list(_files_below(trash).values()),
            lambda path, data: (files / path[1:]).write_bytes(data),
        )


@contextlib.contextmanager
def _plain_server(root: Path) -> Iterator[LakeUnderTest]:
    with (
        running_plain_server(root, FAKE_KEY) as server,
        _over_http(server.address, root / "files", root / "trash", NO_PROMISE) as lake,
    ):
        yield lake


@contextlib.contextmanager
def _real_server(root: Path) -> Iterator[LakeUnderTest]:
    with (
        RealServer(root / "lake", api_key=FAKE_KEY) as server,
        _over_http(server.address, server.files, server.trash, EVERY_PROMISE) as lake,
    ):
        yield lake


@contextlib.contextmanager
def _strict_server(root: Path) -> Iterator[LakeUnderTest]:
    key = "a-key-of-the-team-that-nobody-guesses"
    program = ("-m", "embedded_server", "--strict", *SERVE_WITH_TLS)
    with (
        RealServer(root / "lake", api_key=key, program=program) as server,
        _over_http(
            server.address, server.files, server.trash, EVERY_PROMISE, key=key, tls=trusting()
        ) as lake,
    ):
        yield lake


def _files_below(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


LAKES: dict[str, Callable[[Path], contextlib.AbstractContextManager[LakeUnderTest]]] = {
    "fake": _fake,
    "fake-plain": _fake_plain,
    "http-plain-server": _plain_server,
    "http-real-server": _real_server,
    "http-strict-server": _strict_server,
}
