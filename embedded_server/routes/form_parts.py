"""Turns the pieces of a multipart body into parts, strictly; nothing is spooled.

Built on the sans-io parser of the `multipart` package. A body that the parser does not like, or
that ends before its last boundary, is an `InvalidParam`. What follows the last boundary is no part
of the form (RFC 2046, "epilogue").
"""

from __future__ import annotations

import hashlib
import re
from abc import ABC, abstractmethod

from multipart import MultipartError, MultipartSegment, PushMultipartParser

from embedded_server.contract import BATCH_FOLDER_HEADER, DIGEST_HEADER
from embedded_server.contract_names import MAX_PATH_BYTES
from embedded_server.domain.errors import InvalidParam, Refused
from embedded_server.routes.multipart_headers import field_and_file_name

FILE_FIELD = "file"
_MAX_IGNORED_BYTES = 64 << 10  # of all other fields together
_MAX_OTHER_FIELDS = 16
# The longest path of a lake, each byte of it percent-encoded, and the header's name.
_MAX_HEADER_BYTES = 3 * MAX_PATH_BYTES + 128
_ONCE = frozenset({"content-disposition", BATCH_FOLDER_HEADER.lower(), DIGEST_HEADER.lower()})
_AS_IT_IS = frozenset({"7bit", "8bit", "binary"})  # RFC 2045; RFC 7578 has none of them
# The parser itself minds a line feed in some pieces only, and takes one off a header's name.
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
# How the parser says that the form was whole before this piece; it has no other way of telling.
_AFTER_THE_END = "Unexpected data after end of multipart stream"
TRUNCATED_MESSAGE = "the body ended before the file had arrived whole"


class _Parser(PushMultipartParser):  # type: ignore[misc]  # its types are not complete
    def _on_segment_headerline(self, line: bytes) -> None:
        """Each header as it was sent: the name that the parser tells has lost what surrounds it."""
        if _CONTROL.search(line):
            raise InvalidParam("a header of the part holds a control character")
        super()._on_segment_headerline(line)


class FormConsumer(ABC):
    """A body being read: `feed`… then `finish`, or `abort`. Used by one thread at a time."""

    def __init__(self, boundary: bytes, max_files: int, body_sha256: str | None) -> None:
        """`body_sha256`: hex digits that the whole body is promised to have, if any."""
        self._body_sha256 = body_sha256
        self._body_digest = None if body_sha256 is None else hashlib.sha256()
        self._parser = _Parser(
            boundary,
            strict=True,
            max_segment_count=max_files + _MAX_OTHER_FIELDS,
            max_header_size=_MAX_HEADER_BYTES,
        )
        self._first_line = b"--" + boundary
        self._beginning: bytes | None = b""  # until it is long enough to be looked at
        self._is_over = False
        self._in_file_part = False
        self._ignored_bytes = 0

    @abstractmethod
    def on_file_begins(self, file_name: str | None, segment: MultipartSegment) -> None: ...

    @abstractmethod
    def on_file_data(self, data: bytes) -> None: ...

    @abstractmethod
    def on_file_ends(self) -> None: ...

    def feed(self, data: bytes) -> None:
        """The next piece; raises a `LakeError`."""
        if not data:
            return
        if self._body_digest is not None:
            self._body_digest.update(data)
        if self._is_over:  # RFC 2046: what follows is no part of it, in whichever piece it comes
            self._ignore(data)
            return
        if self._beginning is not None:
            self._beginning += data
            if len(self._beginning) < len(self._first_line) + 2:
                return
            data, self._beginning = self._beginning, None
            if not data.removeprefix(b"\r\n").startswith(self._first_line):
                raise InvalidParam("the body must begin with the boundary that Content-Type names")
        try:
            for event in self._parser.parse(data):
                if event is None:
                    self._end_part()
                elif isinstance(event, MultipartSegment):
                    self._begin_part(event)
                else:
                    self._take(bytes(event))
        except MultipartError as cause:
            if str(cause) == _AFTER_THE_END:
                self._is_over = True
                self._ignore(data)
                return
            if isinstance(cause.__context__, UnicodeDecodeError):
                # The parser's own words would be a tuple with the bytes in it.
                raise InvalidParam("a header of the part is not UTF-8") from cause
            raise InvalidParam(f"the multipart body is malformed: {cause}") from cause

    def feed_end(self) -> None:
        """No more bytes follow. Raises `InvalidParam` when the last boundary is missing, `Refused`
        when the body is not the promised one."""
        if not self._is_over:
            try:
                self._parser.close()
            except MultipartError as cause:
                raise InvalidParam(TRUNCATED_MESSAGE) from cause
        if self._body_digest is not None and self._body_digest.hexdigest() != self._body_sha256:
            raise Refused(
                "the body that arrived does not have the digest that was sent with the request:"
                " send it again"
            )

    def _begin_part(self, segment: MultipartSegment) -> None:
        names = [name.lower() for name, _ in segment.headerlist]
        for name in _ONCE:
            if names.count(name) > 1:  # which of them is meant is not guessed
                raise InvalidParam(f"a part has the header {name} twice")
        encoding = segment.header("Content-Transfer-Encoding")
        if encoding is not None and encoding.strip().lower() not in _AS_IT_IS:
            raise InvalidParam("send the file as it is, without Content-Transfer-Encoding")
        field, file_name = field_and_file_name(segment.header("Content-Disposition") or "")
        self._in_file_part = field == FILE_FIELD
        if self._in_file_part:
            self.on_file_begins(file_name, segment)

    def _take(self, data: bytes) -> None:
        if self._in_file_part:
            self.on_file_data(data)
        else:
            self._ignore(data)

    def _ignore(self, data: bytes) -> None:
        self._ignored_bytes += len(data)
        if self._ignored_bytes > _MAX_IGNORED_BYTES:
            raise InvalidParam("what is not in the field 'file' is more than 64 KiB")

    def _end_part(self) -> None:
        if self._in_file_part:
            self.on_file_ends()
        self._in_file_part = False
