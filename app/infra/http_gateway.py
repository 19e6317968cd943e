"""Speaks to one server over HTTP: the contract's five calls, then what the server negotiated.

With its `http_*` neighbours the only user of httpx. The key goes into the body of *start* and
*end*, as the contract says; into a header only where the server asked for it there (a strict one of
ours does), because a server of somebody else may take that header for something else; never into a
URL, a log or an error.
"""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from app.domain import sentences
from app.domain.connections import no_key
from app.domain.errors import (
    ContractBroken,
    LakeDropError,
    LakeRefused,
    SyncNotFound,
)
from app.domain.ports import FileContent, OnSent, SmallFile, UploadReceipt
from app.domain.resumable import HowFar
from app.infra.http_bodies import ManyFilesBody, OneFileBody, SentBody, quoted
from app.infra.http_connections import HttpConnections, Timeouts
from app.infra.http_errors import Answer, AnswerReader, KeyEcho
from app.infra.http_resumable import ResumableCalls
from embedded_server import contract
from embedded_server.contract import (
    BatchFileResult,
    Capabilities,
    ContractViolation,
    EndSyncRequest,
    LakeUsage,
    StartSyncRequest,
    SyncJob,
    SyncType,
    UploadAnswer,
    UploadRecord,
)
from embedded_server.contract_extensions import (
    EXTENSION_BROWSE,
    LAKE_ENTRIES_ROUTE,
    AbortAnswer,
    LakeEntries,
)

_MEANS_PLAIN_SERVER = frozenset({404, 405, 501})

_Parsed = TypeVar("_Parsed")


class HttpGateway:
    """Implements `LakeGateway`. Shared by threads: each call uses a connection of its own.

    `base_url` is an origin, optionally with a path prefix (see `checked_base_url`).
    Raises `ConnectionNotUsable` when that, or the proxy the system names for it, is no address.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str,
        *,
        timeouts: Timeouts | None = None,
        ssl_context: ssl.SSLContext | None = None,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self._api_key = api_key
        echo = KeyEcho(api_key)
        self._connections = HttpConnections(base_url, timeouts or Timeouts(), ssl_context, echo)
        self._reader = AnswerReader(self._connections.host, echo, now_s)
        self._resumable = ResumableCalls(self._exchange, self._reader)
        self._key_in_header = False  # once the server has asked for it there
        self._negotiation = threading.Lock()
        self._is_negotiated = False
        self._capabilities: Capabilities | None = None

    def __repr__(self) -> str:
        return f"HttpGateway({self._connections.host!r})"

    def _key(self) -> str:
        """Two calls always carry a key; the others where the server wants one."""
        if not self._api_key:
            raise no_key(self._reader.host)
        return self._api_key

    def capabilities(self) -> Capabilities | None:
        with self._negotiation:
            if not self._is_negotiated:
                self._capabilities = self._ask_capabilities()
                self._is_negotiated = True
            return self._capabilities

    def _ask_capabilities(self) -> Capabilities | None:
        answer = self._answer("GET", contract.CAPABILITIES_ROUTE)
        if answer.status in _MEANS_PLAIN_SERVER:
            return None
        if answer.status != 200:
            raise self._reader.error_of(answer, for_file=False)
        try:
            body = answer.json()
        except ValueError:
            return None
        if not isinstance(body, dict) or body.get("product") != contract.PRODUCT:
            return None
        # It is one of ours: a slip of its must not pass for "a plain server".
        return self._parsed(answer, Capabilities.from_wire)

    def start_sync(self, name: str, path: str, sync_type: SyncType, once: str | None = None) -> int:
        request = StartSyncRequest(name, path, self._key(), sync_type)
        headers = []
        if once is not None and self._can(contract.EXTENSION_IDEMPOTENCY):
            headers = [(contract.IDEMPOTENCY_HEADER, f'"{once}"')]
        answer = self._call("POST", contract.START_ROUTE, request.to_wire(), headers=headers)
        return self._parsed(answer, lambda body: contract.int_field(body, "sync_id"))

    def upload(
        self, sync_id: int, folder: str, name: str, content: FileContent, on_sent: OnSent
    ) -> UploadReceipt:
        target = f"{contract.UPLOAD_ROUTE}?path={quoted(folder)}&sync_id={sync_id}"
        form = OneFileBody(name, content, on_sent)
        answer = self._exchange("POST", target, form, patient=True)
        if self._is_asked_for_key(answer):
            raise self._reader.wants_key_with_file()
        self._checked(answer, for_file=True)
        outcome = self._outcome(self._parsed(answer, UploadAnswer.from_wire))
        if isinstance(outcome, LakeDropError):
            raise outcome
        return outcome

    def upload_batch(
        self, sync_id: int, files: Sequence[SmallFile], on_sent: OnSent
    ) -> list[UploadReceipt | LakeDropError]:
        target = f"{contract.BATCH_ROUTE}?sync_id={sync_id}"
        answer = self._exchange("POST", target, ManyFilesBody(files, on_sent), patient=True)
        if self._is_asked_for_key(answer):
            # What was told as sent is not told again.
            answer = self._exchange("POST", target, ManyFilesBody(files, _ignored), patient=True)
        self._checked(answer, for_file=False)
        results = self._parsed(answer, contract.batch_results_from_wire)
        # In order and by name, or not at all: an outcome must never be taken for another file's.
        if [_place(result) for result in results] != [(file.folder, file.name) for file in files]:
            raise self._reader.nonsense(answer, "its results are not those of the files sent")
        return [self._outcome(result.answer) for result in results]

    def begin_upload(self, sync_id: int, folder: str, name: str, size_bytes: int) -> str:
        return self._resumable.begin(sync_id, folder, name, size_bytes)

    def how_far(self, upload_id: str) -> HowFar | None:
        return self._resumable.how_far(upload_id)

    def go_on_upload(
        self, upload_id: str, offset_bytes: int, content: FileContent, on_sent: OnSent
    ) -> UploadReceipt:
        return self._resumable.go_on(upload_id, offset_bytes, content, on_sent)

    def give_up_upload(self, upload_id: str) -> None:
        self._resumable.give_up(upload_id)

    def end_sync(self, sync_id: int) -> None:
        request = EndSyncRequest(sync_id, self._key())
        answer = self._call("POST", contract.END_ROUTE, request.to_wire(), patient=True)
        success = self._parsed(answer, lambda body: body.get("success"))
        if success is False:
            raise LakeRefused(f"{self._reader.host} says that it could not end the sync.")
        if success is not True:
            raise self._reader.nonsense(answer, "success must be true or false")

    def abort_sync(self, sync_id: int) -> bool:
        if not self._can(contract.EXTENSION_ABORT):
            return False
        request = EndSyncRequest(sync_id, self._key())
        self._parsed(
            self._call("POST", contract.ABORT_ROUTE, request.to_wire()), AbortAnswer.from_wire
        )
        return True

    def sync_jobs(self, offset: int, limit: int) -> list[SyncJob]:
        rows = self._page(contract.LIST_ROUTE, offset, limit, SyncJob.from_wire)
        return sorted(rows, key=lambda job: job.sync_id)

    def history(self, offset: int, limit: int) -> list[UploadRecord]:
        rows = self._page(contract.HISTORY_ROUTE, offset, limit, UploadRecord.from_wire)
        return sorted(rows, key=lambda row: row.history_id)

    def usage(self, path: str) -> LakeUsage | None:
        if not self._can(contract.EXTENSION_USAGE):
            return None
        answer = self._call("GET", f"{contract.USAGE_ROUTE}?path={quoted(path)}")
        return self._parsed(answer, LakeUsage.from_wire)

    def entries(self, folder: str, offset: int, limit: int) -> LakeEntries | None:
        if not self._can(EXTENSION_BROWSE):
            return None
        target = f"{LAKE_ENTRIES_ROUTE}?path={quoted(folder)}&from={offset}&size={limit}"
        answer = self._answer("GET", target)
        if self._reader.says_nothing_there(answer):
            return LakeEntries(0, ())
        return self._parsed(self._checked(answer, for_file=False), LakeEntries.from_wire)

    def check(self) -> None:
        try:
            self.end_sync(contract.MAX_ID)
        except SyncNotFound:
            return
        raise ContractBroken(sentences.NOT_FOR_UPLOADS(host=self._reader.host))

    def close(self) -> None:
        self._connections.close()

    def _can(self, extension: str) -> bool:
        capabilities = self.capabilities()
        return capabilities is not None and extension in capabilities.extensions

    def _call(
        self,
        method: str,
        target: str,
        body: dict[str, Any] | None = None,
        *,
        patient: bool = False,
        headers: Sequence[tuple[str, str]] = (),
    ) -> Answer:
        answer = self._answer(method, target, body, patient=patient, headers=headers)
        return self._checked(answer, for_file=False)

    def _answer(
        self,
        method: str,
        target: str,
        body: dict[str, Any] | None = None,
        *,
        patient: bool = False,
        headers: Sequence[tuple[str, str]] = (),
    ) -> Answer:
        """The answer whatever its status; asked for again with the key where it is wanted."""
        raw = None if body is None else json.dumps(body).encode("ascii")
        answer = self._exchange(method, target, raw, patient=patient, headers=headers)
        if self._is_asked_for_key(answer):
            answer = self._exchange(method, target, raw, patient=patient, headers=headers)
        return answer

    def _exchange(
        self,
        method: str,
        target: str,
        body: SentBody | bytes | None,
        *,
        patient: bool,
        headers: Sequence[tuple[str, str]] = (),
    ) -> Answer:
        sent_key = self._key_in_header
        bearer = self._api_key if sent_key else None
        answer = self._connections.exchange(
            method, target, body, patient=patient, bearer=bearer, headers=headers
        )
        if answer.wants_bearer and self._api_key:
            self._key_in_header = True
        if answer.status == 401 and answer.wants_bearer:
            if not self._api_key:
                raise no_key(self._reader.host)
            return replace(answer, wants_bearer=not sent_key)
        return answer

    @staticmethod
    def _is_asked_for_key(answer: Answer) -> bool:
        """Refused for want of the key alone; the next request brings it."""
        return answer.status == 401 and answer.wants_bearer

    def _checked(self, answer: Answer, *, for_file: bool) -> Answer:
        if not 200 <= answer.status < 300:
            raise self._reader.error_of(answer, for_file=for_file)
        return answer

    def _page(
        self, route: str, offset: int, limit: int, row: Callable[[object], _Parsed]
    ) -> list[_Parsed]:
        answer = self._call("GET", f"{route}?from={offset}&size={limit}")
        rows = self._json(answer)
        if not isinstance(rows, list):
            raise self._reader.nonsense(answer, "a list was due")
        return [self._fields(answer, row, fields) for fields in rows]

    def _parsed(self, answer: Answer, parse: Callable[[Any], _Parsed]) -> _Parsed:
        """The whole body as an object; raises `ContractBroken`."""
        body = self._json(answer)
        if not isinstance(body, dict):
            raise self._reader.nonsense(answer, "a JSON object was due")
        return self._fields(answer, parse, body)

    def _json(self, answer: Answer) -> Any:
        try:
            return answer.json()
        except ValueError as cause:
            raise self._reader.nonsense(answer, "it is no JSON") from cause

    def _fields(self, answer: Answer, parse: Callable[[Any], _Parsed], body: object) -> _Parsed:
        try:
            return parse(body)
        except ContractViolation as cause:
            told = self._reader.nonsense(answer, str(cause))
            raise told from self._reader.echo.without_key(cause)

    def _outcome(self, answer: UploadAnswer) -> UploadReceipt | LakeDropError:
        if answer.code != 0:
            return self._reader.refusal_of(answer.code, answer.msg)
        return UploadReceipt(answer.sha256, answer.size)


def _ignored(_sent_bytes: int) -> None:
    """For what is sent a second time."""


def _place(result: BatchFileResult) -> tuple[str, str]:
    return result.folder, result.name
