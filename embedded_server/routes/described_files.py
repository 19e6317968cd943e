"""What OpenAPI says of the calls that carry files, which no framework knows."""

from __future__ import annotations

from typing import Any

from embedded_server.contract import (
    BATCH_FOLDER_HEADER,
    BATCH_ROUTE,
    DIGEST_HEADER,
    TUS_ROUTE,
    TUS_UPLOAD_ROUTE,
    UPLOAD_ROUTE,
)
from embedded_server.routes import described as d
from embedded_server.routes.batch_form import BATCH_MAX_BYTES, BATCH_MAX_FILES
from embedded_server.routes.tus_headers import BODY_TYPE, CHECKSUM_ALGORITHMS, TUS_VERSION

_SYNC_ID = d.query({"sync_id": d.described("what *start* answered", d.WHOLE)}, required=["sync_id"])
_PATH = d.query({"path": d.described("the sync's path or below it; else that one", d.LAKE_PATH)})
# Without an example: one that is made up would be the digest of no body. Without a pattern: other
# algorithms may stand beside it, and are not looked at.
_CHECKED = "RFC 9530: sha-256=:base64: is checked when it is sent, others are not looked at; of"
_DIGEST = d.described(f"{_CHECKED} the part's bytes", d.TEXT)
_WHOLE_DIGEST = d.header(DIGEST_HEADER, d.described(f"{_CHECKED} the whole body", d.TEXT))
_FOLDER = d.described(
    "folder of this part, percent-encoded UTF-8, the sync's path or below it; else that one",
    {**d.TEXT, "examples": ["/data/db/transactions/2021"]},
)
_STORED = {"sha256": d.SHA256, "size": d.described("bytes that were stored", d.WHOLE)}
_UPLOADED = d.record({"code": {"const": 0}, "msg": {"type": "null"}, **_STORED})
_RESULT = d.record(
    {
        "folder": d.TEXT,
        "name": d.TEXT,
        "code": d.described("0, or the status that this part alone would have had", d.WHOLE),
        "msg": d.described("why it is not stored", {"type": ["string", "null"]}),
        **_STORED,
    },
    optional=("sha256", "size"),
)


def file_paths() -> dict[str, Any]:
    """Path items by route."""
    return {
        UPLOAD_ROUTE: {"post": _upload()},
        BATCH_ROUTE: {"post": _batch()},
        TUS_ROUTE: {"post": _begin(), "options": _abilities("showTusAbilities")},
        TUS_UPLOAD_ROUTE: {
            "parameters": [d.in_path("upload", d.described("from Location, at the end", d.TEXT))],
            "head": _progress(),
            "patch": _go_on(),
            "delete": _give_up(),
            "options": _abilities("showTusUploadAbilities"),
        },
    }


def _upload() -> dict[str, Any]:
    return {
        "operationId": "uploadFile",
        "summary": "Upload one file; its name is the part's file name",
        "description": (
            "Answered once the file, its name and every new folder are on stable storage. Other"
            " fields are ignored, up to 64 KiB of them; a second part `file` is refused."
        ),
        "parameters": [*_SYNC_ID["parameters"], *_PATH["parameters"], _WHOLE_DIGEST],
        "requestBody": _form(d.BYTES, {DIGEST_HEADER: _DIGEST}),
        "responses": d.answers(_UPLOADED, 410),
    }


def _batch() -> dict[str, Any]:
    parts = {"type": "array", "items": d.BYTES, "minItems": 1, "maxItems": BATCH_MAX_FILES}
    return {
        "operationId": "uploadBatch",
        "summary": "Upload many small files, each with its own result",
        "description": (
            f"At most {BATCH_MAX_FILES} parts and {BATCH_MAX_BYTES} bytes. A part that is refused"
            " does not fail the others: the answer is 200, and its result says why."
        ),
        "parameters": [*_SYNC_ID["parameters"], _WHOLE_DIGEST],
        "requestBody": _form(parts, {DIGEST_HEADER: _DIGEST, BATCH_FOLDER_HEADER: _FOLDER}),
        "responses": d.answers(d.record({"results": d.rows(_RESULT)}), 410, 413),
    }


def _form(file: d.Schema, headers: dict[str, d.Schema]) -> dict[str, Any]:
    """`headers` are those that a part may have."""
    encoding = {name: {"schema": schema} for name, schema in headers.items()}
    media = {"schema": d.record({"file": file}), "encoding": {"file": {"headers": encoding}}}
    return {"required": True, "content": {"multipart/form-data": media}}


# -- tus 1.0.0 ---------------------------------------------------------------------------------

_VERSION = d.header("Tus-Resumable", {"type": "string", "enum": [TUS_VERSION]}, required=True)
_CHECKSUM_PATTERN = r"^(?:sha256 +[A-Za-z0-9+/]{43}=|sha1 +[A-Za-z0-9+/]{27}=)$"
_CHECKSUM = d.header(
    "Upload-Checksum",
    d.described(
        f"of this request's body: one of {CHECKSUM_ALGORITHMS}, a space, base64",
        {
            **d.TEXT,
            "pattern": _CHECKSUM_PATTERN,
            "examples": ["sha256 RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o="],
        },
    ),
)
_LENGTH = d.described("bytes of the whole file", d.WHOLE)
_METADATA = d.described(
    "`name base64` pairs: filename; sync_id and path, where the query has none; sha256 of the"
    " whole file, where it is to be checked at the end",
    {**d.TEXT, "examples": ["filename YS5jc3Y=,sync_id MQ=="]},
)
_ALWAYS = ("Tus-Resumable",)
_TOLD = (*_ALWAYS, "Upload-Offset", "Upload-Expires", "Repr-Digest")
# An upload may wait for its place in the lake, so what an upload can meet can be met at each call.
_OF_UPLOADS = (404, 410, 412, 423)


def _begin() -> dict[str, Any]:
    [sync_id] = d.query({"sync_id": d.described("unless the metadata have it", d.WHOLE)})[
        "parameters"
    ]
    return {
        "operationId": "beginUpload",
        "summary": "Begin a resumable upload (tus: creation, creation-with-upload)",
        "parameters": [
            *(sync_id, *_PATH["parameters"], _VERSION, _CHECKSUM, _WHOLE_DIGEST),
            d.header("Upload-Length", _LENGTH, required=True),
            d.header("Upload-Metadata", _METADATA, required=True),
        ],
        "requestBody": _bytes(required=False),
        "responses": d.answers(
            *(None, *_OF_UPLOADS, 409, 413, 460),
            status=201,
            headers=("Location", *_TOLD),
            text="Begun; Location is its address",
        ),
    }


def _progress() -> dict[str, Any]:
    return {
        "operationId": "showUploadProgress",
        "summary": "How many bytes of it are on stable storage",
        "parameters": [_VERSION],
        "responses": d.answers(
            None, *_OF_UPLOADS, headers=(*_TOLD, "Upload-Length", "Upload-Metadata")
        ),
    }


def _go_on() -> dict[str, Any]:
    offset = d.described("where these bytes belong: what the server has so far", d.WHOLE)
    return {
        "operationId": "continueUpload",
        "summary": "The next bytes; with the last ones the file is put in its place",
        "description": "A POST with X-HTTP-Method-Override: PATCH does the same.",
        "parameters": [
            *(_VERSION, _CHECKSUM, _WHOLE_DIGEST),
            d.header("Upload-Offset", offset, required=True),
        ],
        "requestBody": _bytes(required=True),
        "responses": d.answers(
            None, *_OF_UPLOADS, 409, 413, 460, status=204, headers=_TOLD, text="Kept"
        ),
    }


def _give_up() -> dict[str, Any]:
    return {
        "operationId": "giveUpUpload",
        "summary": "Give it up; what is in its place already stays there",
        "parameters": [_VERSION],
        "responses": d.answers(
            None, *_OF_UPLOADS, status=204, headers=_ALWAYS, text="Nothing of it is left"
        ),
    }


def _abilities(operation_id: str) -> dict[str, Any]:
    names = ("Tus-Version", "Tus-Extension", "Tus-Max-Size", "Tus-Checksum-Algorithm")
    return {
        "operationId": operation_id,
        "summary": "What of tus this server speaks",
        "responses": d.answers(
            None, without=(400, 507), status=204, headers=(*_ALWAYS, *names), text="In the headers"
        ),
    }


def _bytes(*, required: bool) -> dict[str, Any]:
    return {"required": required, "content": {BODY_TYPE: {"schema": d.BYTES}}}
