"""Resumable uploads over HTTP: tus 1.0.0 (https://tus.io) as our server ties it to a sync.

An upload's address is always `contract.TUS_ROUTE/<id>` on the connection's own origin: of what a
server tells as `Location` only the last part is used, so that no answer can send a file elsewhere.
"""

from __future__ import annotations

import base64
import re
from http import HTTPStatus
from typing import Protocol

from app.domain.errors import (
    ContractBroken,
    DigestMismatch,
    FileRefused,
    LakeBusy,
    LakeDropError,
    LakeRefused,
)
from app.domain.ports import FileContent, OnSent, UploadReceipt
from app.domain.resumable import HowFar
from app.infra.http_bodies import RestBody, SentBody, quoted
from app.infra.http_errors import Answer, AnswerReader
from embedded_server import contract

_VERSION = ("Tus-Resumable", "1.0.0")
_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
_DIGEST = re.compile(r"sha-256=:([A-Za-z0-9+/]{43}=):")  # RFC 9530, Repr-Digest
_NUMBER = re.compile(r"[0-9]{1,19}")

# What speaks of the caller or of the moment. Any other refusal of a HEAD, which has no words, means
# that nobody can go on; beginning anew is then told why, in words.
_SAYS_NOTHING_OF_THE_UPLOAD = frozenset(
    {
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.LOCKED,
        HTTPStatus.TOO_MANY_REQUESTS,
    }
)
_TRY_AFTER_A_LOOK = frozenset(
    {HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.GONE, HTTPStatus.LOCKED}
)
_OTHER_CHECKSUM = 460  # tus 1.0.0, extension "checksum"


class Exchange(Protocol):
    def __call__(
        self,
        method: str,
        target: str,
        body: SentBody | bytes | None,
        *,
        patient: bool,
        headers: list[tuple[str, str]],
    ) -> Answer: ...


class ResumableCalls:
    """The calls of `LakeGateway` for uploads that can be gone on with."""

    def __init__(self, exchange: Exchange, reader: AnswerReader) -> None:
        self._exchange = exchange
        self._reader = reader

    def begin(self, sync_id: int, folder: str, name: str, size_bytes: int) -> str:
        target = f"{contract.TUS_ROUTE}?path={quoted(folder)}&sync_id={sync_id}"
        headers = [
            _VERSION,
            ("Upload-Length", str(size_bytes)),
            ("Upload-Metadata", f"filename {_base64(name)}"),
        ]
        answer = self._asked("POST", target, headers)
        if answer.status != HTTPStatus.CREATED:
            raise self._error(answer)
        upload_id = answer.headers.get("Location", "").rpartition("/")[2]
        if not _ID.fullmatch(upload_id):
            raise self._reader.nonsense(answer, "it does not say where to send the file")
        return upload_id

    def how_far(self, upload_id: str) -> HowFar | None:
        # Patient: what has arrived already may have to be put in its place first.
        answer = self._asked("HEAD", _target(upload_id), [_VERSION])
        if 400 <= answer.status < 500 and answer.status not in _SAYS_NOTHING_OF_THE_UPLOAD:
            return None
        if answer.status != HTTPStatus.OK:
            raise self._error(answer)
        offset_bytes = self._number(answer, "Upload-Offset")
        length_bytes = self._number(answer, "Upload-Length")
        if offset_bytes > length_bytes:
            raise self._reader.nonsense(answer, "it has more of the file than there is")
        return HowFar(offset_bytes, length_bytes)

    def go_on(
        self, upload_id: str, offset_bytes: int, content: FileContent, on_sent: OnSent
    ) -> UploadReceipt:
        headers = [_VERSION, ("Upload-Offset", str(offset_bytes))]
        body = RestBody(content, offset_bytes, on_sent)
        answer = self._exchange("PATCH", _target(upload_id), body, patient=True, headers=headers)
        if answer.status != HTTPStatus.NO_CONTENT:
            raise self._error(answer)
        if self._number(answer, "Upload-Offset") != content.size_bytes:
            raise self._reader.nonsense(answer, "it has not all of the file, and does not say why")
        told = _DIGEST.fullmatch(answer.headers.get("Repr-Digest", ""))
        sha256 = base64.b64decode(told[1]).hex() if told else None
        return UploadReceipt(sha256, content.size_bytes)

    def give_up(self, upload_id: str) -> None:
        answer = self._asked("DELETE", _target(upload_id), [_VERSION])
        if answer.status not in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
            raise self._error(answer)

    def _asked(self, method: str, target: str, headers: list[tuple[str, str]]) -> Answer:
        answer = self._exchange(method, target, None, patient=True, headers=headers)
        if answer.status == HTTPStatus.UNAUTHORIZED and answer.wants_bearer:
            answer = self._exchange(method, target, None, patient=True, headers=headers)
        return answer

    def _error(self, answer: Answer) -> LakeDropError:
        if answer.status == HTTPStatus.UNAUTHORIZED and answer.wants_bearer:
            return self._reader.wants_key_with_file()
        error = self._reader.error_of(answer, for_file=True)
        if answer.status == _OTHER_CHECKSUM:
            return DigestMismatch(error.message)
        # The sync's own troubles have kinds of their own, and stay what they are.
        if answer.status in _TRY_AFTER_A_LOOK and type(error) in _WITHOUT_A_KIND:
            return LakeBusy(error.message)
        return error

    def _number(self, answer: Answer, name: str) -> int:
        text = answer.headers.get(name, "")
        if not _NUMBER.fullmatch(text):
            raise self._reader.nonsense(answer, f"{name} must be a whole number")
        return int(text)


_WITHOUT_A_KIND = (LakeRefused, FileRefused, ContractBroken)


def _target(upload_id: str) -> str:
    return f"{contract.TUS_ROUTE}/{upload_id}"


def _base64(name: str) -> str:
    try:
        return base64.b64encode(name.encode()).decode("ascii")
    except UnicodeEncodeError as cause:
        raise FileRefused(
            f"The name {name!r} is not valid Unicode, so it cannot be sent. Rename the file."
        ) from cause
