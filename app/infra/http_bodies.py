"""Request bodies: multipart forms of known length, streamed without ever holding a big file."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterator, Sequence
from urllib.parse import quote

import httpx

from app.domain import sentences
from app.domain.errors import FileRefused, SourceChanged
from app.domain.ports import FileContent, OnSent, SmallFile
from embedded_server import contract

# Up to here bytes are copied together, so that a small file is one packet and one system call;
# a copy of more costs as much as the call it saves.
_JOIN_UP_TO_BYTES = 256 * 1024

# What browsers do with the three characters that would end the name (WHATWG HTML, "multipart
# form data": percent-encode these and nothing else, the rest goes as raw UTF-8).
_NAME_ESCAPES = str.maketrans({'"': "%22", "\r": "%0D", "\n": "%0A"})


class SentBody(httpx.SyncByteStream):
    """What is sent piece by piece, once. `is_complete` when all of it was handed over."""

    def __init__(self, content_type: str, length_bytes: int) -> None:
        self.content_type = content_type
        self.length_bytes = length_bytes
        self.is_complete = False


class FormBody(SentBody):
    """A multipart form."""

    def __init__(self, boundary: str, length_bytes: int) -> None:
        super().__init__(f"multipart/form-data; boundary={boundary}", length_bytes)


class OneFileBody(FormBody):
    """The field `file` with one file's content.

    What `content.chunks()` raises goes through untouched, before the last boundary was sent: the
    server then sees a cut body, never a whole one. Raises `SourceChanged` when the content is
    longer or shorter than it said.
    """

    def __init__(self, name: str, content: FileContent, on_sent: OnSent) -> None:
        boundary = _new_boundary()
        self._head = _part_head(boundary, name)
        self._tail = _last_boundary(boundary)
        self._content = content
        self._on_sent = on_sent
        super().__init__(boundary, len(self._head) + content.size_bytes + len(self._tail))

    def __iter__(self) -> Iterator[bytes]:
        held, held_content_bytes, left_bytes = self._head, 0, self._content.size_bytes
        for chunk in self._content.chunks():
            left_bytes -= len(chunk)
            if left_bytes < 0:
                raise _changed()
            if len(held) + len(chunk) <= _JOIN_UP_TO_BYTES:
                held += chunk
                held_content_bytes += len(chunk)
                continue
            yield held
            self._tell_sent(held_content_bytes)
            held, held_content_bytes = chunk, len(chunk)
        if left_bytes:
            raise _changed()
        if len(held) <= _JOIN_UP_TO_BYTES:
            yield held + self._tail
        else:
            yield held
            yield self._tail
        self.is_complete = True
        self._tell_sent(held_content_bytes)

    def _tell_sent(self, content_bytes: int) -> None:
        if content_bytes:
            self._on_sent(content_bytes)


class ManyFilesBody(FormBody):
    """A batch: a `file` part for each small file, with its folder and digest in part headers."""

    def __init__(self, files: Sequence[SmallFile], on_sent: OnSent) -> None:
        boundary = _new_boundary()
        self._heads = [_part_head(boundary, file.name, _batch_headers(file)) for file in files]
        # Between two parts stands the line break that ends the first one's content.
        self._heads[1:] = [b"\r\n" + head for head in self._heads[1:]]
        self._tail = _last_boundary(boundary)
        self._files = files
        self._on_sent = on_sent
        content_bytes = sum(len(file.content) for file in files)
        super().__init__(boundary, sum(map(len, self._heads)) + content_bytes + len(self._tail))

    def __iter__(self) -> Iterator[bytes]:
        held: list[bytes] = []
        held_bytes = held_content_bytes = 0
        for head, file in zip(self._heads, self._files, strict=True):
            held += (head, file.content)
            held_bytes += len(head) + len(file.content)
            held_content_bytes += len(file.content)
            if held_bytes >= _JOIN_UP_TO_BYTES:
                yield b"".join(held)
                self._on_sent(held_content_bytes)
                held, held_bytes, held_content_bytes = [], 0, 0
        yield b"".join([*held, self._tail])
        self.is_complete = True
        if held_content_bytes:
            self._on_sent(held_content_bytes)


class RestBody(SentBody):
    """A file's bytes behind an offset, for a resumable upload.

    What `content.chunks()` raises goes through untouched; the server then keeps what it has got.
    """

    def __init__(self, content: FileContent, offset_bytes: int, on_sent: OnSent) -> None:
        self._content = content
        self._on_sent = on_sent
        super().__init__("application/offset+octet-stream", content.size_bytes - offset_bytes)

    def __iter__(self) -> Iterator[bytes]:
        left_bytes = self.length_bytes
        for chunk in self._content.chunks():
            left_bytes -= len(chunk)
            if left_bytes < 0:
                raise _changed()
            yield chunk
            self._on_sent(len(chunk))
        if left_bytes:
            raise _changed()
        self.is_complete = True


def _new_boundary() -> str:
    # New for each request: no file can hold a boundary that nobody knew when it was written.
    return f"lakedrop-{secrets.token_hex(16)}"


def _last_boundary(boundary: str) -> bytes:
    return f"\r\n--{boundary}--\r\n".encode()


def _part_head(boundary: str, name: str, more_headers: str = "") -> bytes:
    try:
        return (
            f"--{boundary}\r\n"
            "Content-Disposition: form-data; "
            f'name="file"; filename="{name.translate(_NAME_ESCAPES)}"\r\n'
            f"Content-Type: application/octet-stream\r\n{more_headers}\r\n"
        ).encode()
    except UnicodeEncodeError as cause:
        raise FileRefused(
            f"The name {name!r} is not valid Unicode, so it cannot be sent. Rename the file."
        ) from cause


def _batch_headers(file: SmallFile) -> str:
    digest = base64.b64encode(bytes.fromhex(file.sha256)).decode()
    return (
        f"{contract.BATCH_FOLDER_HEADER}: {quoted(file.folder)}\r\n"
        f"{contract.DIGEST_HEADER}: sha-256=:{digest}:\r\n"
    )


def quoted(text: str) -> str:
    """Percent-encoded UTF-8, slashes left as they are; for queries and for `Lake-Folder`."""
    try:
        return quote(text, safe="/")
    except UnicodeEncodeError as cause:
        raise FileRefused(
            f"The path {text!r} is not valid Unicode, so it cannot be sent. Rename the folder."
        ) from cause


def _changed() -> SourceChanged:
    return SourceChanged(sentences.SIZE_CHANGED())
