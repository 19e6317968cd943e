"""The words of tus 1.0.0, for tests that speak it by hand."""

from __future__ import annotations

import base64
import hashlib

import httpx

from embedded_server.contract import TUS_ROUTE

TUS = {"Tus-Resumable": "1.0.0"}
OFFSET_TYPE = {"Content-Type": "application/offset+octet-stream"}


def metadata(**values: str) -> dict[str, str]:
    pairs = (f"{name} {base64.b64encode(text.encode()).decode()}" for name, text in values.items())
    return {"Upload-Metadata": ",".join(pairs)}


def begin(http: httpx.Client, sync_id: int, name: str, length_bytes: int, **more: str) -> str:
    """Returns the new upload's address; `more` is metadata, such as `path`."""
    answer = http.post(
        TUS_ROUTE,
        headers=TUS
        | {"Upload-Length": str(length_bytes)}
        | metadata(filename=name, sync_id=str(sync_id), **more),
    )
    assert answer.status_code == 201, answer.text
    return answer.headers["Location"]


def offset_of(http: httpx.Client, where: str) -> int:
    answer = http.head(where, headers=TUS)
    assert answer.status_code == 200, answer.headers
    return int(answer.headers["Upload-Offset"])


def send(
    http: httpx.Client,
    where: str,
    offset_bytes: int,
    data: bytes,
    more: dict[str, str] | None = None,
) -> httpx.Response:
    headers = TUS | OFFSET_TYPE | {"Upload-Offset": str(offset_bytes)} | (more or {})
    return http.patch(where, headers=headers, content=data)


def checksum(algorithm: str, data: bytes) -> dict[str, str]:
    digest = hashlib.new(algorithm, data, usedforsecurity=False).digest()
    return {"Upload-Checksum": f"{algorithm} {base64.b64encode(digest).decode()}"}
