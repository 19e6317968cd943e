"""One connection to a lake server, by http.client: small enough that it never hides a fault."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from types import TracebackType
from typing import Any
from urllib.parse import quote, urlencode

from embedded_server import contract
from tests.support.ledger import Acknowledged
from tests.support.real_server import SAMPLE_KEY

# What a caller meets when the server, or the way to it, breaks.
LOST = (HTTPException, OSError)
_BOUNDARY = "a-boundary-of-the-tests"
_TUS = {"Tus-Resumable": "1.0.0"}
_FORM = {"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"}


@dataclass(frozen=True, slots=True)
class LakeFile:
    """`path` is its place on the lake."""

    path: str
    data: bytes

    @property
    def folder(self) -> str:
        return self.path.rpartition("/")[0]

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: dict[str, Any]

    @property
    def is_success(self) -> bool:
        """By the contract: a code other than 0 is a failure even under 200."""
        return self.status == 200 and self.body.get("code", 0) == 0


@dataclass(frozen=True, slots=True)
class TusAnswer:
    """Names of `headers` are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: str


class LakeConnection:
    """Raises one of `LOST` when no whole answer came; the next call connects anew."""

    def __init__(self, port: int, *, key: str = SAMPLE_KEY, timeout_s: float = 60) -> None:
        self._http = HTTPConnection("127.0.0.1", port, timeout=timeout_s)
        self._key = key

    def __enter__(self) -> LakeConnection:
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._http.close()

    def start(
        self,
        path: str,
        sync_type: str = "IncrementalSync",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        wanted = {"name": "a sync", "path": path, "api_key": self._key, "sync_type": sync_type}
        return self._call("POST", contract.START_ROUTE, json.dumps(wanted).encode(), headers or {})

    def started(self, path: str, sync_type: str = "IncrementalSync") -> int:
        answer = self.start(path, sync_type)
        assert answer.is_success, answer
        return int(answer.body["sync_id"])

    def upload(self, sync_id: int, file: LakeFile) -> Answer:
        query = urlencode({"path": file.folder, "sync_id": sync_id})
        body = form_body([file])
        return self._call("POST", f"{contract.UPLOAD_ROUTE}?{query}", body, _FORM)

    def batch(self, sync_id: int, files: Sequence[LakeFile]) -> Answer:
        target = f"{contract.BATCH_ROUTE}?sync_id={sync_id}"
        return self._call("POST", target, form_body(files, with_folders=True), _FORM)

    def tus(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes = b""
    ) -> TusAnswer:
        status, answered, told = self._exchange(method, target, body, {**headers, **_TUS})
        return TusAnswer(status, told, answered.decode("utf-8", "replace"))

    def end(self, sync_id: int) -> Answer:
        wanted = {"sync_id": sync_id, "api_key": self._key}
        return self._call("POST", contract.END_ROUTE, json.dumps(wanted).encode(), {})

    def post(self, route: str, fields: Mapping[str, Any]) -> Answer:
        return self._call("POST", route, json.dumps(fields).encode(), {})

    def jobs(self) -> list[dict[str, Any]]:
        return self._rows(contract.LIST_ROUTE)

    def job(self, sync_id: int) -> dict[str, Any]:
        [job] = [job for job in self.jobs() if job["sync_id"] == sync_id]
        return job

    def history(self) -> list[dict[str, Any]]:
        return self._rows(contract.HISTORY_ROUTE)

    def _rows(self, route: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        while True:
            query = urlencode({"from": len(rows), "size": contract.MAX_PAGE_SIZE})
            page = self._get(f"{route}?{query}")
            rows += page
            if len(page) < contract.MAX_PAGE_SIZE:
                return rows

    def _get(self, target: str) -> Any:
        status, body, _ = self._exchange("GET", target, b"", {})
        assert status == 200, body
        return json.loads(body)

    def _call(self, method: str, target: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        status, answered, _ = self._exchange(method, target, body, headers)
        return Answer(status, json.loads(answered))

    def _exchange(
        self, method: str, target: str, body: bytes, headers: Mapping[str, str]
    ) -> tuple[int, bytes, Mapping[str, str]]:
        try:
            self._http.request(method, target, body or None, dict(headers))
            response = self._http.getresponse()
            told = {name.lower(): value for name, value in response.getheaders()}
            return response.status, response.read(), told
        except LOST:
            self._http.close()
            raise


def form_body(files: Sequence[LakeFile], *, with_folders: bool = False) -> bytes:
    pieces: list[bytes] = []
    for file in files:
        folder = f"{contract.BATCH_FOLDER_HEADER}: {quote(file.folder)}\r\n" if with_folders else ""
        head = (
            f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="file";'
            f' filename="{file.name}"\r\n{folder}\r\n'
        )
        pieces += [head.encode(), file.data, b"\r\n"]
    return b"".join([*pieces, f"--{_BOUNDARY}--\r\n".encode()])


def acknowledged(sync_id: int, file: LakeFile, answer: Mapping[str, Any]) -> Acknowledged:
    """For the ledger: what the server says it has stored."""
    return Acknowledged(sync_id, file.path, str(answer["sha256"]))
