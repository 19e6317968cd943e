"""What is pure of the way in, each as a function of any bytes: it holds, or raises.

Run with mutated samples in `make test`, and under atheris, which looks for new branches, in
`make soak`. Whatever comes, only a refusal may be raised, and what is told holds for every cut.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

from multipart import MultipartSegment

from embedded_server.domain.errors import InvalidParam, LakeError
from embedded_server.domain.lake_path import LakePath, checked_name
from embedded_server.routes.form_parts import FormConsumer
from embedded_server.routes.multipart_headers import (
    boundary_of,
    field_and_file_name,
    folder_of_header,
    sha256_of_digest_header,
)
from embedded_server.routes.query import parse_query, whole_number
from embedded_server.routes.tus_headers import (
    Checksum,
    Metadata,
    check_version,
    headers_of,
    number_in,
)
from tests.support.hostile_names import NAMES, PATHS
from tests.support.hostile_requests import BODY, TWO_PARTS
from tests.support.portable import is_portable_name, is_portable_path
from tests.support.ways_in import raw

Target = Callable[[bytes], None]


class _Parts(FormConsumer):
    """What a form holds: (file name, bytes) of each `file` part."""

    def __init__(self) -> None:
        super().__init__(b"b", max_files=8, body_sha256=None)
        self.found: list[tuple[str | None, bytes]] = []

    def on_file_begins(self, file_name: str | None, segment: MultipartSegment) -> None:
        self.found.append((file_name, b""))

    def on_file_data(self, data: bytes) -> None:
        name, before = self.found[-1]
        self.found[-1] = name, before + data

    def on_file_ends(self) -> None:
        pass


def _read(body: bytes, step: int) -> list[tuple[str | None, bytes]] | None:
    """None where it is refused."""
    parts = _Parts()
    try:
        for at in range(0, len(body), step):
            parts.feed(body[at : at + step])
        parts.feed_end()
    except LakeError as refusal:
        _check(refusal)
        return None
    return parts.found


def form(data: bytes) -> None:
    """However a body is cut into pieces, it holds the same files. The first byte cuts."""
    if not data:
        return
    step, body = 1 + data[0] % 64, data[1:]
    whole = _read(body, max(len(body), 1))
    assert _read(body, step) == whole, (step, body)
    if whole is not None:
        for name, content in whole:
            assert content in body
            assert name is None or isinstance(name, str)


def part_headers(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    with _refusals():
        field, name = field_and_file_name(text)
        assert isinstance(field, str)
        assert name is None or isinstance(name, str)
    with _refusals():
        folder_of_header(text)
    with _refusals():
        digest = sha256_of_digest_header(text)
        assert digest is None or len(bytes.fromhex(digest)) == 32
    with _refusals():
        boundary = boundary_of([(b"content-type", b"multipart/form-data;" + data)])
        assert 0 < len(boundary) <= 200
        assert boundary.isascii()


def tus_headers(data: bytes) -> None:
    pairs = [
        (name.strip(), value) for name, _, value in (it.partition(b":") for it in data.split(b"\n"))
    ]
    headers = headers_of(pairs)
    with _refusals():
        check_version(headers)
    with _refusals():
        assert 0 <= number_in(headers, "Upload-Length", 1 << 40) <= 1 << 40
    with _refusals():
        checksum = Checksum.of(headers)
        assert checksum is None or checksum.expected
    with _refusals():
        metadata = Metadata.parse(headers.get("upload-metadata", data.decode("latin-1")))
        assert len(metadata.sha256) in (0, 64)


def paths(data: bytes) -> None:
    try:
        text = data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        text = data.decode("utf-8", "surrogateescape")
    accepted = True
    try:
        assert checked_name(text) == text
    except InvalidParam as refusal:
        accepted = False
        refusal.message.encode("utf-8")
    assert accepted == is_portable_name(text), text
    accepted = True
    try:
        path = LakePath.parse(text)
        assert str(path) == (text[:-1] if text.endswith("/") else text)
    except InvalidParam as refusal:
        accepted = False
        refusal.message.encode("utf-8")
    assert accepted == is_portable_path(text), text


def queries(data: bytes) -> None:
    with _refusals():
        fields = parse_query({"query_string": data})
        for name in fields:
            with _refusals():
                assert 0 <= whole_number(fields, name, None, 1 << 40) <= 1 << 40


class _refusals:  # noqa: N801  # reads as the statement it is
    """A `LakeError` with a status 4xx and words is an answer like any other."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, _: object) -> bool:
        if not isinstance(error, LakeError):
            return False
        _check(error)
        return True


def _check(refusal: LakeError) -> None:
    assert 400 <= refusal.status < 500
    assert refusal.message.encode("utf-8")


TARGETS: Mapping[str, Target] = {
    "form": form,
    "part headers": part_headers,
    "tus headers": tus_headers,
    "paths": paths,
    "queries": queries,
}
_TUS = (
    b"Tus-Resumable: 1.0.0\nUpload-Length: 10\nUpload-Checksum: sha1 2jmj7l5rSw0yVb/vlWAYkK/YBwk=\n"
    b"Upload-Metadata: filename YS5jc3Y=,path L2gvYQ==,sha256 " + b"ZTNi" * 16
)
SAMPLES: Mapping[str, list[bytes]] = {
    "form": [
        *(b"\x00" + BODY, b"\x06" + TWO_PARTS, b"\x10" + BODY + b"\r\n", b"\x01--b--"),
        # Found by atheris: the parser takes a line feed off a name, but not in all pieces.
        b"\x06" + TWO_PARTS.replace(b"X-Y", b"\nX-Y"),
    ],
    "part headers": [
        'form-data; name="file"; filename="bảng.csv"'.encode(),
        b'form-data; name="file"; filename="x"; filename*=UTF-8\'\'b%E1%BA%A3ng.csv',
        b'; boundary="a b"; boundary=c',
        b"sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:, sha-512=:YQ==:",
        b"/h/b%E1%BA%A3ng",
    ],
    "tus headers": [_TUS, _TUS.replace(b"\n", b"\r\n")],
    "paths": [raw(it.sent) for it in (*NAMES, *PATHS)],
    "queries": [b"sync_id=1&path=%2Fh%2Fa", b"from=0&size=10&text=a%20b+c", "path=/dữ".encode()],
}
_BITS = (
    *(b'"', b"\\", b";", b"=", b"%", b"%22", b"\r\n", b"--b", b"--", b"\x00", b"\xff", b"\xc3\xa9"),
    *(b"/", b"..", b"''", b"*", b" ", b"\xed\xa0\x80", b"9" * 30, b"\r\n\r\n", b"\n", b":", b","),
    *(b".", b"&"),
)


def mutated(samples: list[bytes], chance: random.Random) -> bytes:
    """A sample with a few bytes changed, put in, taken out or doubled."""
    data = bytearray(chance.choice(samples))
    for _ in range(chance.randint(1, 6)):
        at = chance.randint(0, len(data))
        what = chance.randrange(5)
        if what == 0:
            data[at:at] = chance.choice(_BITS)
        elif what == 1:
            del data[at : at + chance.randint(1, 8)]
        elif what == 2:
            data[at : at + 1] = bytes([chance.randrange(256)])
        elif what == 3:
            data[at:at] = data[at : at + chance.randint(1, 40)]
        else:
            other = chance.choice(samples)
            data[at:] = other[chance.randint(0, len(other)) :]
    return bytes(data)
