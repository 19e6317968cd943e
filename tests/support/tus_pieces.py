"""Resumable uploads (tus) by a client that writes down every offset it is told."""

from __future__ import annotations

import base64
from dataclasses import replace

from embedded_server.contract import TUS_ROUTE
from tests.support.lake_connection import Answer, LakeConnection, LakeFile, TusAnswer
from tests.support.ledger import Acknowledged, Received, Told
from tests.support.tus import OFFSET_TYPE, metadata

_DIGEST = "sha-256=:"  # RFC 9530


def begin_upload(
    lake: LakeConnection, sync_id: int, file: LakeFile, version: int, with_bytes: int = 0
) -> Told:
    """`with_bytes`: the creation brings so many of them along."""
    headers = {"Upload-Length": str(len(file.data))} | metadata(
        filename=file.name, sync_id=str(sync_id), path=file.folder
    )
    if with_bytes:
        headers |= OFFSET_TYPE
    answer = lake.tus("POST", TUS_ROUTE, headers, file.data[:with_bytes])
    assert answer.status == 201, answer
    offset_bytes = int(answer.headers["upload-offset"])
    assert offset_bytes == with_bytes, answer
    return Told(sync_id, file.path, version, answer.headers["location"], offset_bytes)


def ask_offset(lake: LakeConnection, upload: Told) -> Told:
    """What HEAD tells. Raises `AssertionError` where it tells nothing."""
    answer = lake.tus("HEAD", upload.upload, {})
    assert answer.status == 200, answer
    return replace(upload, offset_bytes=int(answer.headers["upload-offset"]))


def patch(lake: LakeConnection, upload: Told, file: LakeFile, up_to_bytes: int) -> TusAnswer:
    """Sends what lies between the upload's offset and `up_to_bytes`."""
    headers = OFFSET_TYPE | {"Upload-Offset": str(upload.offset_bytes)}
    piece = file.data[upload.offset_bytes : up_to_bytes]
    return lake.tus("PATCH", upload.upload, headers, piece)


def send_up_to(
    lake: LakeConnection, upload: Told, file: LakeFile, up_to_bytes: int
) -> list[Received]:
    """What the server tells of it; the last piece's answer tells of the whole file."""
    answer = patch(lake, upload, file, up_to_bytes)
    assert answer.status == 204, answer
    told = replace(upload, offset_bytes=int(answer.headers["upload-offset"]))
    assert told.offset_bytes == up_to_bytes, answer
    if up_to_bytes < len(file.data):
        return [told]
    return [told, Acknowledged(upload.sync_id, file.path, stored_sha256(answer))]


def stored_sha256(answer: TusAnswer) -> str:
    told = answer.headers["repr-digest"]
    assert told.startswith(_DIGEST), told
    return base64.b64decode(told[len(_DIGEST) : -1]).hex()


def finish_upload(lake: LakeConnection, upload: Told, file: LakeFile) -> Answer:
    """Goes on from where HEAD says, as a client does whose answer was lost; told as uploads are."""
    headed = lake.tus("HEAD", upload.upload, {})
    if headed.status != 200:
        return Answer(headed.status, {})  # an answer to HEAD has no body
    upload = replace(upload, offset_bytes=int(headed.headers["upload-offset"]))
    if upload.offset_bytes == len(file.data):
        return Answer(200, {"sha256": stored_sha256(headed)})
    answer = patch(lake, upload, file, len(file.data))
    if answer.status != 204:
        return Answer(answer.status, {"message": answer.body})
    return Answer(200, {"sha256": stored_sha256(answer)})
