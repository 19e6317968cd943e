"""A body arrives byte for byte, however its sender and the network cut it into pieces."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator

import pytest

from embedded_server import contract
from tests.integration.server.conftest import Client
from tests.support.counts import seeds
from tests.support.wire import Wire

_SIZES = (1, 2, 41, 4_000, 65_536, 65_537, 262_144, 1_100_000)
_BOUNDARY = "-" * 24 + "0123456789abcdef"


def _pieces(whole: bytes, chance: random.Random) -> Iterator[bytes]:
    at = 0
    while at < len(whole):
        size, times = chance.choice(_SIZES), chance.randint(1, 200)
        for _ in range(times if size < 5_000 else 1):
            yield whole[at : at + size]
            at += size


def _form(data: bytes, name: str) -> bytes:
    head = f'Content-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    return f"--{_BOUNDARY}\r\n{head}".encode() + data + f"\r\n--{_BOUNDARY}--\r\n".encode()


def _requests(client: Client, chance: random.Random) -> Iterator[tuple[bytes, bytes]]:
    """(request, content of its file), with both framings, small and large."""
    sync_id = client.started()
    for number, is_chunked in enumerate([True, False, True, False, True]):
        data = chance.randbytes(chance.choice([0, 20_000, 1_048_576, 5_000_000]))
        if data:  # what looks like a boundary, and is none
            at = chance.randrange(len(data))
            data = data[:at] + f"\r\n--{_BOUNDARY[:-1]}".encode() + data[at:]
        body = _form(data, f"{number}.bin")
        if is_chunked:
            framing = "Transfer-Encoding: chunked"
            pieces = [piece for piece in _pieces(body, chance) if piece]
            framed = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
            framed += b"0\r\n\r\n"
        else:
            framing, framed = f"Content-Length: {len(body)}", body
        head = (
            f"POST {contract.UPLOAD_ROUTE}?sync_id={sync_id} HTTP/1.1\r\n"
            f"Host: 127.0.0.1:{client.server.port}\r\n{framing}\r\n"
            f"Content-Type: multipart/form-data; boundary={_BOUNDARY}\r\n\r\n"
        )
        yield head.encode() + framed, data


@pytest.mark.soak
@pytest.mark.parametrize("seed", seeds(4, 200))
def test_a_file_is_whole_however_its_body_was_cut(client: Client, seed: int) -> None:
    chance = random.Random(seed)
    wire = Wire(client.server.port)
    requests = list(_requests(client, chance))
    # All behind each other on one connection, the end of one and the next one's head together.
    stream = b"".join(request for request, _ in requests)
    for piece in _pieces(stream, chance):
        wire.send(piece)
    for _, data in requests:
        answer = wire.read()
        assert answer.status == 200, answer
        digest = hashlib.sha256(data).hexdigest()
        assert (answer.json["sha256"], answer.json["size"]) == (digest, len(data))
    wire.close()
    stored = client.published()
    assert stored == {f"{number}.bin": data for number, (_, data) in enumerate(requests)}
