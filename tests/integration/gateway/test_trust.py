"""Whom a connection trusts and what it shows of itself, on real TLS."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.domain.connections import Connection
from app.domain.errors import ConnectionNotUsable, LakeUnreachable
from app.domain.ports import LakeGateway
from app.infra.gateways import HttpGateways
from app.infra.server_process import LocalLakeServer
from tests.support.stub_server import StubServer, http, stub_server
from tests.support.tls import CERTIFICATE

ROWS = http(200, "[]")
# Made for this test; its password is "secret".
_LOCKED_KEY = """\
-----BEGIN ENCRYPTED PRIVATE KEY-----
MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAiUzTRHmZOaCQICCAAw
DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEGDCGlalIzeAZhPIakJEPn8EQBH/
YWfdEEV5v6Flcw8eBxPCtIoj1rpZfDGyA4bCk2m1PTwyMQHFK2pZM3PG7jQaqTHo
q60eI6u8gMa1/waE7A8=
-----END ENCRYPTED PRIVATE KEY-----
"""


@pytest.fixture
def gateways(tmp_path: Path) -> Iterator[HttpGateways]:
    made = HttpGateways(LocalLakeServer(tmp_path / "lake"))
    yield made
    made.close()


def _tls(*, asks_who: bool = False) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    if asks_who:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cafile=str(CERTIFICATE))
    return context


@pytest.fixture
def server() -> Iterator[StubServer]:
    with stub_server(ROWS, tls=_tls()) as made:
        yield made


@pytest.fixture
def asking_server() -> Iterator[StubServer]:
    with stub_server(ROWS, tls=_tls(asks_who=True)) as made:
        yield made


def _asks(gateway: LakeGateway) -> bool:
    return gateway.sync_jobs(0, 1) == []


def test_a_stranger_is_not_talked_to(gateways: HttpGateways, server: StubServer) -> None:
    with pytest.raises(LakeUnreachable, match="certificate"):
        gateways.open(Connection("team", server.address), "key").sync_jobs(0, 1)
    assert server.seen == []


def test_one_whom_the_named_file_vouches_for_is(gateways: HttpGateways, server: StubServer) -> None:
    trusted = Connection("team", server.address, ca_file=str(CERTIFICATE))
    assert _asks(gateways.open(trusted, "key"))
    # And that connection alone.
    with pytest.raises(LakeUnreachable):
        gateways.open(Connection("other", server.address), "key").sync_jobs(0, 1)


def test_the_file_does_not_vouch_for_another_name(
    gateways: HttpGateways, server: StubServer
) -> None:
    other_name = server.address.replace("127.0.0.1", "localhost")
    named = Connection("team", other_name, ca_file=str(CERTIFICATE))
    with pytest.raises(LakeUnreachable, match="certificate"):
        gateways.open(named, "key").sync_jobs(0, 1)
    assert server.seen == []


def test_anybody_is_only_by_that_connections_own_choice(
    gateways: HttpGateways, server: StubServer
) -> None:
    assert _asks(gateways.open(Connection("team", server.address, unverified=True), "key"))
    with pytest.raises(LakeUnreachable):
        gateways.open(Connection("other", server.address), "key").sync_jobs(0, 1)


def test_a_server_that_asks_is_shown_the_certificate(
    gateways: HttpGateways, asking_server: StubServer
) -> None:
    nobody = Connection("team", asking_server.address, ca_file=str(CERTIFICATE))
    with pytest.raises(LakeUnreachable):
        gateways.open(nobody, "key").sync_jobs(0, 1)
    assert asking_server.seen == []
    known = Connection(
        "team",
        asking_server.address,
        ca_file=str(CERTIFICATE),
        client_certificate=str(CERTIFICATE),
    )
    assert _asks(gateways.open(known, "key"))


def test_a_file_that_was_replaced_is_read_anew(
    gateways: HttpGateways, server: StubServer, tmp_path: Path
) -> None:
    own = tmp_path / "own.pem"
    own.write_bytes(CERTIFICATE.read_bytes())
    connection = Connection("team", server.address, ca_file=str(own))
    assert _asks(gateways.open(connection, "key"))
    assert gateways.open(connection, "key") is gateways.open(connection, "key")
    own.write_text("no certificate at all")
    with pytest.raises(ConnectionNotUsable, match="PEM"):
        gateways.open(connection, "key")


@pytest.mark.parametrize("field", ["ca_file", "client_certificate"])
def test_files_that_are_no_good_are_told_by_their_path(
    gateways: HttpGateways, tmp_path: Path, field: str
) -> None:
    missing, odd = tmp_path / "missing.pem", tmp_path / "odd.pem"
    odd.write_text("canary, and no PEM")
    for path in (missing, odd):
        connection = Connection("team", "https://lake.example", **{field: str(path)})  # type: ignore[arg-type]
        with pytest.raises(ConnectionNotUsable) as told:
            gateways.open(connection, "key")
        assert str(path) in told.value.message
        assert "canary" not in told.value.message


def test_a_key_with_a_password_is_refused_and_nobody_is_asked(
    gateways: HttpGateways, tmp_path: Path
) -> None:
    locked = tmp_path / "locked.pem"
    locked.write_text(_LOCKED_KEY, encoding="ascii")
    connection = Connection(
        "team",
        "https://lake.example",
        client_certificate=str(CERTIFICATE),
        client_key=str(locked),
    )
    with pytest.raises(ConnectionNotUsable, match="without a password"):
        gateways.open(connection, "key")
