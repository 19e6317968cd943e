"""Requests that are wrong on the wire, byte by byte: one a line, each with what must come of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from embedded_server.contract import BATCH_ROUTE, LIST_ROUTE, UPLOAD_ROUTE
from tests.support.ways_in import DATA

ROUTES = {"upload": UPLOAD_ROUTE, "batch": BATCH_ROUTE}
PART = b'--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'
END = b"\r\n--b--\r\n"
BODY = PART + DATA + END
TWO_PARTS = (
    b'--b\r\nContent-Disposition: form-data; name="note"\r\nX-Y: z\r\n\r\nsome text\r\n'
    + PART
    + DATA
    + END
)


class Fate(Enum):
    REFUSED = "an answer 4xx in the contract's shape, and then the end"
    CLOSED = "the same, or the end without an answer"
    ACCEPTED = "the file is there"
    HARMLESS = "anything that is no 5xx and keeps no file"


@dataclass(frozen=True, slots=True)
class Sent:
    raw: bytes
    fate: Fate
    is_cut: bool = False  # the client sends no more, though the server waits for it


class Requests:
    """To a server's port and a sync of it."""

    def __init__(self, port: int, sync_id: int, route: str) -> None:
        self.host = b"Host: 127.0.0.1:%d\r\n" % port
        self._target = f"{ROUTES[route]}?sync_id={sync_id}".encode()

    def head(
        self,
        framing: bytes,
        content_type: bytes = b"multipart/form-data; boundary=b",
        connection: bytes = b"close",
    ) -> bytes:
        """`framing`: header lines, each with its end."""
        return (
            b"POST " + self._target + b" HTTP/1.1\r\n" + self.host
            + b"Connection: " + connection + b"\r\nContent-Type: " + content_type + b"\r\n"
            + framing + b"\r\n"
        )  # fmt: skip

    def sized(self, body: bytes, size: int | None = None) -> bytes:
        length = len(body) if size is None else size
        return self.head(b"Content-Length: %d\r\n" % length) + body

    def typed(self, content_type: bytes, body: bytes) -> bytes:
        return self.head(b"Content-Length: %d\r\n" % len(body), content_type) + body

    def chunked(self, body: bytes, end: bytes = b"0\r\n\r\n", piece: int = 7) -> bytes:
        chunks = b"".join(_chunk(body[at : at + piece]) for at in range(0, len(body), piece))
        return self.head(b"Transfer-Encoding: chunked\r\n") + chunks + end

    def list_with(self, lines: bytes, first: bytes | None = None) -> bytes:
        line = first or b"GET " + LIST_ROUTE.encode() + b" HTTP/1.1\r\n"
        return line + self.host + b"Connection: close\r\n" + lines + b"\r\n"


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def cut(requests: Requests, body: bytes, at: int) -> dict[str, Sent]:
    """A body that ends after `at` bytes, in all the ways in which it can."""
    piece = body[:at]
    return {
        "length of all": Sent(requests.sized(piece, len(body)), Fate.CLOSED, is_cut=True),
        "length of what is there": Sent(requests.sized(piece), Fate.REFUSED),
        "chunks without an end": Sent(requests.chunked(piece, b""), Fate.CLOSED, is_cut=True),
        "chunks with an end": Sent(requests.chunked(piece), Fate.REFUSED),
    }


Make = Callable[[Requests], Sent]


def _form(change: Callable[[bytes], bytes], fate: Fate = Fate.REFUSED) -> Make:
    return lambda it: Sent(it.sized(change(BODY)), fate)


def _replaced(old: bytes, new: bytes, fate: Fate = Fate.REFUSED) -> Make:
    assert old in BODY
    return _form(lambda body: body.replace(old, new), fate)


def _framed(lines: bytes, fate: Fate = Fate.REFUSED, body: bytes = BODY) -> Make:
    return lambda it: Sent(it.head(lines) + body, fate)


def _chunks(body: bytes, fate: Fate = Fate.REFUSED, *, is_cut: bool = False) -> Make:
    head = b"Transfer-Encoding: chunked\r\n"
    return lambda it: Sent(it.head(head) + body, fate, is_cut=is_cut)


def _typed(content_type: bytes, boundary: bytes = b"b", fate: Fate = Fate.REFUSED) -> Make:
    return lambda it: Sent(it.typed(content_type, BODY.replace(b"--b", b"--" + boundary)), fate)


def _listed(lines: bytes, fate: Fate = Fate.REFUSED) -> Make:
    return lambda it: Sent(it.list_with(lines), fate)


def _first_line(line: bytes, fate: Fate = Fate.REFUSED) -> Make:
    return lambda it: Sent(it.list_with(b"", line), fate)


_LENGTH = b"Content-Length: %d\r\n" % len(BODY)
_CHUNKED = _chunk(BODY) + b"0\r\n\r\n"
_TE = b"Transfer-Encoding: chunked\r\n"
_FORM_TYPE = b"multipart/form-data; boundary="

LENGTHS: dict[str, Make] = {
    "too small": lambda it: Sent(it.sized(BODY, len(BODY) - 9), Fate.REFUSED),
    "none of it": lambda it: Sent(it.sized(BODY, 0), Fate.REFUSED),
    "too large": lambda it: Sent(it.sized(BODY, len(BODY) + 9), Fate.CLOSED, is_cut=True),
    "far too large": lambda it: Sent(it.sized(BODY, 1 << 60), Fate.CLOSED, is_cut=True),
    "negative": _framed(b"Content-Length: -5\r\n"),
    "with a plus": _framed(b"Content-Length: +%d\r\n" % len(BODY)),
    "hex": _framed(b"Content-Length: 0x%x\r\n" % len(BODY)),
    "with an exponent": _framed(b"Content-Length: 1e2\r\n"),
    "with a point": _framed(b"Content-Length: 100.0\r\n"),
    "two numbers": _framed(b"Content-Length: 5 5\r\n"),
    "a list": _framed(b"Content-Length: %d, %d\r\n" % (len(BODY), len(BODY))),
    "empty": _framed(b"Content-Length: \r\n"),
    "beyond 64 bits": _framed(b"Content-Length: 18446744073709551617\r\n"),
    "twice the same": _framed(_LENGTH * 2),
    "twice": _framed(_LENGTH + b"Content-Length: 3\r\n"),
    "twice, the other way": _framed(b"Content-Length: 3\r\n" + _LENGTH),
    "digits of another script": _framed("Content-Length: ٣\r\n".encode()),
    "no framing at all": _framed(b""),
}
SMUGGLING: dict[str, Make] = {
    "length and chunks": _framed(_LENGTH + _TE, body=_CHUNKED),
    "chunks and length": _framed(_TE + b"Content-Length: 4\r\n", body=_CHUNKED),
    "length of nothing and chunks": _framed(b"Content-Length: 0\r\n" + _TE, body=_CHUNKED),
    "space before the colon": _framed(b"Transfer-Encoding : chunked\r\n", body=_CHUNKED),
    "length with a space before": _framed(b"Content-Length : %d\r\n" % len(BODY)),
    "folded": _framed(b"Transfer-Encoding:\r\n chunked\r\n" + _LENGTH, body=_CHUNKED),
    "tab before chunked": _framed(b"Transfer-Encoding:\tchunked\r\n" + _LENGTH, body=_CHUNKED),
    "xchunked": _framed(b"Transfer-Encoding: xchunked\r\n", body=_CHUNKED),
    "identity": _framed(b"Transfer-Encoding: identity\r\n" + _LENGTH),
    "gzip, chunked": _framed(b"Transfer-Encoding: gzip, chunked\r\n", Fate.REFUSED, _CHUNKED),
    "chunked, gzip": _framed(b"Transfer-Encoding: chunked, gzip\r\n", body=_CHUNKED),
    "chunked twice": _framed(b"Transfer-Encoding: chunked, chunked\r\n", Fate.REFUSED, _CHUNKED),
    "two lines": _framed(_TE + b"Transfer-Encoding: identity\r\n", body=_CHUNKED),
    "quoted": _framed(b'Transfer-Encoding: "chunked"\r\n', body=_CHUNKED),
    "NUL in the value": _framed(b"Transfer-Encoding: chunked\x00\r\n", body=_CHUNKED),
    "vertical tab": _framed(b"Transfer-Encoding: \x0bchunked\r\n", body=_CHUNKED),
    "line feed alone": _framed(b"X: y\nTransfer-Encoding: chunked\r\n" + _LENGTH, body=_CHUNKED),
    "return alone": _framed(b"X: y\rTransfer-Encoding: chunked\r\n" + _LENGTH, body=_CHUNKED),
    "HTTP/1.0 with chunks": lambda it: Sent(
        it.head(_TE).replace(b"HTTP/1.1", b"HTTP/1.0", 1) + _CHUNKED, Fate.REFUSED
    ),
}
CHUNKS: dict[str, Make] = {
    "no number": _chunks(b"zz\r\nab\r\n0\r\n\r\n"),
    "negative": _chunks(b"-1\r\na\r\n0\r\n\r\n"),
    "0x": _chunks(b"0x2\r\nab\r\n0\r\n\r\n"),
    "with a plus": _chunks(b"+2\r\nab\r\n0\r\n\r\n"),
    "underscore": _chunks(b"1_0\r\nab\r\n0\r\n\r\n"),
    "space before": _chunks(b" 2\r\nab\r\n0\r\n\r\n"),
    "empty": _chunks(b"\r\nab\r\n0\r\n\r\n"),
    "beyond 64 bits": _chunks(b"1ffffffffffffffff\r\nab\r\n0\r\n\r\n"),
    "16 digits": _chunks(b"7fffffffffffffff\r\n" + BODY, Fate.CLOSED, is_cut=True),
    "too few bytes": _chunks(_chunk(BODY).replace(b"\r\n", b"0\r\n", 1), Fate.CLOSED, is_cut=True),
    "too many bytes": _chunks(b"3\r\n" + BODY + b"\r\n0\r\n\r\n"),
    "line feeds alone": _chunks(_CHUNKED.replace(b"\r\n0\r\n\r\n", b"\n0\n\n")),
    "no line break behind": _chunks(b"%x\r\n%s0\r\n\r\n" % (len(BODY), BODY)),
    "no end": _chunks(_chunk(BODY), Fate.CLOSED, is_cut=True),
    "half an end": _chunks(_chunk(BODY) + b"0\r\n", Fate.CLOSED, is_cut=True),
    "extension": _chunks(_CHUNKED.replace(b"\r\n", b";a=b\r\n", 1), Fate.ACCEPTED),
    "extension, quoted": _chunks(_CHUNKED.replace(b"\r\n", b';a="b;c"\r\n', 1), Fate.ACCEPTED),
    "1 MB of extension": _chunks(
        _CHUNKED.replace(b"\r\n", b";" + b"a" * (1 << 20) + b"\r\n", 1), Fate.HARMLESS
    ),
    "leading zeros": _chunks(b"0000" + _CHUNKED, Fate.ACCEPTED),
    "a byte a chunk": lambda it: Sent(it.chunked(BODY, piece=1), Fate.ACCEPTED),
    "trailer": _chunks(_chunk(BODY) + b"0\r\nX-Sum: 1\r\n\r\n", Fate.ACCEPTED),
    "trailers that steer": _chunks(
        _chunk(BODY) + b"0\r\nHost: evil.test\r\nContent-Length: 9\r\n\r\n", Fate.HARMLESS
    ),
    "trailer no header": _chunks(_chunk(BODY) + b"0\r\nno colon\r\n\r\n", Fate.HARMLESS),
    "10,000 trailers": _chunks(
        _chunk(BODY) + b"0\r\n" + b"X: y\r\n" * 10_000 + b"\r\n", Fate.HARMLESS
    ),
}  # fmt: skip
BODIES: dict[str, Make] = {
    "no final boundary": _replaced(END, b""),
    "a boundary that is not the last": _replaced(END, b"\r\n--b\r\n"),
    "closing without dashes": _replaced(END, b"\r\n--b"),
    "closing with one dash": _replaced(END, b"\r\n--b-"),
    "closing with one dash and a line": _replaced(END, b"\r\n--b-\r\n"),
    "no body": _form(lambda _: b""),
    "only the end": _form(lambda _: b"--b--\r\n"),
    "only a boundary": _form(lambda _: b"--b\r\n"),
    "boundaries only": _form(lambda _: b"--b\r\n" * 1_000),
    "another boundary": _form(lambda body: body.replace(b"--b", b"--c")),
    "line feeds": _form(lambda body: body.replace(b"\r\n", b"\n")),
    "returns": _form(lambda body: body.replace(b"\r\n", b"\r")),
    "no empty line": _replaced(b'"f"\r\n\r\n', b'"f"\r\n'),
    "no headers": _form(lambda _: b"--b\r\n\r\nx" + END),
    "a header without a colon": _replaced(b"\r\n\r\n", b"\r\nno colon\r\n\r\n"),
    "a header with a space": _replaced(b"\r\n\r\n", b"\r\nContent Type: x\r\n\r\n"),
    "a folded header": _replaced(b"form-data;", b"form-data;\r\n "),
    "line feed before a part header's name": _replaced(b"\r\n\r\n", b"\r\n\nX-Y: z\r\n\r\n"),
    "line feed behind a part header's name": _replaced(b"\r\n\r\n", b"\r\nX-Y\n: z\r\n\r\n"),
    "10,000 part headers": _replaced(b"\r\n\r\n", b"\r\n" + b"X-Y: z\r\n" * 10_000 + b"\r\n"),
    "1 MB part header": _replaced(b"\r\n\r\n", b"\r\nX-Y: " + b"z" * (1 << 20) + b"\r\n\r\n"),
    "1 MB of name": _replaced(b'"f"', b'"' + b"f" * (1 << 20) + b'"'),
    "header twice": _replaced(
        b"\r\n\r\n", b'\r\nContent-Disposition: form-data; name="file"; filename="g"\r\n\r\n'
    ),
    "two names": _replaced(b'filename="f"', b'filename="f"; filename="g"'),
    "a stray quote": _replaced(b'"f"', b'"f"g"'),
    "70 KiB of another field": _form(
        lambda body: b'--b\r\nContent-Disposition: form-data; name="x"\r\n\r\n'
        + b"x" * 70_000 + b"\r\n" + body
    ),
    "text before": _form(lambda body: b"preamble" + body),
    "base64": _replaced(b"\r\n\r\n", b"\r\nContent-Transfer-Encoding: base64\r\n\r\n"),
    "quoted-printable": _replaced(
        b"\r\n\r\n", b"\r\ncontent-transfer-encoding: Quoted-Printable\r\n\r\n"
    ),
    "not in the field file": _replaced(b'name="file"', b'name="File"'),
    "JSON": lambda it: Sent(it.typed(b"application/json", b'{"file": "x"}'), Fate.REFUSED),
    "a form of the other kind": lambda it: Sent(
        it.typed(b"application/x-www-form-urlencoded", b"file=x"), Fate.REFUSED
    ),
    "mixed": _typed(b"multipart/mixed; boundary=b"),
    "text behind": _form(lambda body: body + b"epilogue", Fate.ACCEPTED),
    "8bit": _replaced(b"\r\n\r\n", b"\r\nContent-Transfer-Encoding: binary\r\n\r\n", Fate.ACCEPTED),
    "a line break before": _form(lambda body: b"\r\n" + body, Fate.ACCEPTED),
}  # fmt: skip
# What refuses a single upload fails one part of a batch.
OF_A_SINGLE: dict[str, Make] = {
    "a digest of something else": _replaced(
        b"\r\n\r\n",
        b"\r\nContent-Digest: sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:\r\n\r\n",
    ),
    "other fields first": _form(
        lambda body: b'--b\r\nContent-Disposition: form-data; name="x"\r\n\r\n\r\n' * 40 + body
    ),
    "NUL in a header": _replaced(b'"f"', b'"f\x00"'),
    "two files": _form(lambda body: body.replace(END, b"\r\n" + PART + b"x" + END)),
    "no file name": _replaced(b'; filename="f"', b""),
    "empty file name": _replaced(b'"f"', b'""'),
}
BOUNDARIES: dict[str, Make] = {
    "none": _typed(b"multipart/form-data"),
    "empty": _typed(_FORM_TYPE),
    "empty in quotes": _typed(_FORM_TYPE + b'""'),
    "half a quote": _typed(_FORM_TYPE + b'"b'),
    "201 characters": _typed(_FORM_TYPE + b"x" * 201, b"x" * 201),
    "not ASCII": _typed(_FORM_TYPE + b"\xc3\xa9", b"\xc3\xa9"),
    "tab": _typed(_FORM_TYPE + b'"a\tb"', b"a\tb"),
    "the first of two": _typed(_FORM_TYPE + b"b; boundary=c"),
    "two headers": lambda it: Sent(
        it.head(b"Content-Type: multipart/form-data; boundary=b\r\n" + _LENGTH) + BODY, Fate.REFUSED
    ),
    "the last of two": _typed(_FORM_TYPE + b"c; boundary=b", b"b", Fate.ACCEPTED),
    "in quotes": _typed(_FORM_TYPE + b'"b b"', b"b b", Fate.ACCEPTED),
    "all that RFC 2046 allows": _typed(
        _FORM_TYPE + b'"\'()+_,-./:=?"', b"'()+_,-./:=?", Fate.ACCEPTED
    ),
    "dashes": _typed(_FORM_TYPE + b"----", b"----", Fate.ACCEPTED),
    "200 characters": _typed(_FORM_TYPE + b"x" * 200, b"x" * 200, Fate.ACCEPTED),
    "upper case": _typed(b"Multipart/Form-Data; BOUNDARY=b", b"b", Fate.ACCEPTED),
}  # fmt: skip
HEADS: dict[str, Make] = {
    "gzip": _framed(_LENGTH + b"Content-Encoding: gzip\r\n"),
    "gzip in capitals": _framed(_LENGTH + b"content-encoding: GZIP\r\n"),
    "br": _framed(_LENGTH + b"Content-Encoding: br\r\n"),
    "identity and gzip": _framed(_LENGTH + b"Content-Encoding: identity, gzip\r\n"),
    "two encodings": _framed(_LENGTH + b"Content-Encoding: identity\r\nContent-Encoding: zstd\r\n"),
    "1 MB header": _listed(b"X: " + b"y" * (1 << 20) + b"\r\n", Fate.CLOSED),
    "10,000 headers": _listed(b"X: y\r\n" * 10_000, Fate.HARMLESS),
    "100,000 headers": _listed(b"X-Yz: y\r\n" * 100_000, Fate.CLOSED),
    "header without a colon": _listed(b"no colon\r\n"),
    "header without a name": _listed(b": x\r\n"),
    "header with a space": _listed(b"X Y: x\r\n"),
    "NUL in a header": _listed(b"X: a\x00b\r\n"),
    "two hosts": _listed(b"Host: evil.test\r\n"),
    "no host": lambda it: Sent(it.list_with(b"").replace(it.host, b"", 1), Fate.REFUSED),
    "garbage": lambda _: Sent(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 20, Fate.REFUSED),
    "HTTP/2": lambda _: Sent(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Fate.REFUSED),
    "HTTP/9.9": _first_line(b"GET /healthz HTTP/9.9\r\n"),
    "HTTP/0.9": lambda _: Sent(b"GET /healthz\r\n\r\n", Fate.CLOSED, is_cut=True),
    "no version": _first_line(b"GET /healthz HTTP\r\n"),
    "no method": _first_line(b" /healthz HTTP/1.1\r\n"),
    "unknown method": _first_line(b"STEAL /healthz HTTP/1.1\r\n"),
    "method in lower case": _first_line(b"get /healthz HTTP/1.1\r\n"),
    "TRACE": _first_line(b"TRACE /healthz HTTP/1.1\r\n"),
    "CONNECT": _first_line(b"CONNECT evil.test:443 HTTP/1.1\r\n"),
    "asterisk": _first_line(b"OPTIONS * HTTP/1.1\r\n"),
    "a space in the target": _first_line(b"GET /a b HTTP/1.1\r\n"),
    "no slash": _first_line(b"GET healthz HTTP/1.1\r\n"),
    "64 KiB of target": _first_line(b"GET /" + b"a" * (1 << 16) + b" HTTP/1.1\r\n", Fate.CLOSED),
    "raw bytes in the target": _first_line(b"GET /\xff\xfe HTTP/1.1\r\n"),
    "control in the target": _first_line(b"GET /\x01 HTTP/1.1\r\n"),
    "another's target": _first_line(b"GET http://evil.test/nowhere HTTP/1.1\r\n"),
    "dots in the route": _first_line(b"GET /api/../healthz HTTP/1.1\r\n"),
    "slashes in the route": _first_line(b"GET //healthz HTTP/1.1\r\n"),
    "1,000 fields": _first_line(b"GET /api/lake/syncs?" + b"a=b&" * 1_000 + b" HTTP/1.1\r\n"),
    "websocket": _listed(
        b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", Fate.HARMLESS
    ),
    "h2c": _listed(
        b"Connection: Upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n", Fate.HARMLESS
    ),
}  # fmt: skip
