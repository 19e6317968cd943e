"""What OpenAPI says of a call: its fields, its good answer, and every status it may refuse with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from embedded_server.contract import MAX_ID
from embedded_server.contract_names import MAX_PATH_BYTES

Schema = dict[str, Any]
Responses = dict[int | str, dict[str, Any]]

ERROR: Schema = {
    "type": "object",
    "description": "Whatever was refused or went wrong",
    "required": ["code", "reason", "message"],
    "properties": {
        "code": {"type": "integer", "description": "the HTTP status again"},
        "reason": {"type": "string", "examples": ["bad_request"]},
        "message": {"type": "string", "description": "for a person: what to do about it"},
    },
}
_REFUSALS = {
    400: "The request is not what the contract says, or cannot be done; `message` says why",
    401: "A key is missing, or nobody knows it",
    403: "Not for a web page or a proxy, not under this host name, or not for this key",
    404: "Nothing is there",
    408: "What was sent came too slowly; the connection is closed",
    409: "Upload-Offset, or what lies there, is another one by now: ask the server again",
    410: "The sync has expired, or the upload is over: start a new one",
    412: "Tus-Resumable is missing, or names another version",
    413: "The body, or the file that is announced, is too large",
    415: "The body has an encoding or a type that this call does not take",
    416: "The file has no such part",
    422: "The Idempotency-Key was sent before with another body",
    423: "Another request is writing to this upload: try again in a moment",
    429: "Too many wrong keys or unknown syncs: wait",
    431: "The request's head is too long; the connection is closed",
    460: "The bytes do not have the checksum that came with them",
    500: "The disk or the catalog failed, or the server has a fault; its log says how",
    503: "The server is stopping, or cannot be used at the moment: send again later",
    507: "The disk is full",
}
# From the connection itself, before there is a call to answer: no body.
_BARE = frozenset({408, 431})
# From the gatekeeper, whatever is called; but what is open to anybody asks for no key.
_OF_THE_GATE = frozenset({401, 403, 415, 429})
_OF_KEYS = frozenset({401, 429})
_OF_EVERY_CALL = frozenset({400, 408, 431, 500, 503, 507}) | _OF_THE_GATE
_HEADERS: Mapping[int, tuple[str, ...]] = {
    401: ("WWW-Authenticate",),
    416: ("Content-Range",),
    429: ("Retry-After",),
    503: ("Retry-After",),
}

TEXT: Schema = {"type": "string"}
WHOLE: Schema = {"type": "integer", "format": "int64", "minimum": 0, "maximum": MAX_ID}
NULLABLE: Schema = {**WHOLE, "type": ["integer", "null"]}
FLAG: Schema = {"type": "boolean"}
BYTES: Schema = {"type": "string", "format": "binary"}
# What every path that is taken looks like; `lake_path` has the whole rule.
LAKE_PATH: Schema = {
    "type": "string",
    "pattern": r'^(?:/[^/<>:"|?*\\\u0000-\u001f]*[^/<>:"|?*\\\u0000-\u001f. ])+/?$',
    "maxLength": MAX_PATH_BYTES,
    "examples": ["/data/db/transactions"],
}
SHA256: Schema = {"type": "string", "pattern": "^[0-9a-f]{64}$"}


def one_of(values: Sequence[str]) -> Schema:
    return {"type": "string", "enum": list(values)}


def described(text: str, schema: Schema) -> Schema:
    return {**schema, "description": text}


def record(properties: Mapping[str, Schema], *, optional: Sequence[str] = ()) -> Schema:
    return {
        "type": "object",
        "required": [name for name in properties if name not in optional],
        "properties": dict(properties),
    }


def rows(row: Schema) -> Schema:
    return {"type": "array", "items": row}


def answers(
    good: Schema | None,
    *more: int,
    without: Sequence[int] = (),
    status: int = 200,
    media_type: str = "application/json",
    headers: Sequence[str] = (),
    text: str = "Done",
) -> Responses:
    """The `responses` of a route; `more` are statuses beyond those of every call.

    `without` are those of every call that this one never has; `good` None: a success has no body.
    `headers` are names of `HEADERS` that a success has.
    """
    success: dict[str, Any] = {"description": text}
    if good is not None:
        success["content"] = {media_type: {"schema": good}}
    if headers:
        success["headers"] = _headers(headers)
    found: Responses = {status: success}
    for refused in sorted({*_OF_EVERY_CALL, *more} - {*without}):
        found[refused] = {"description": _REFUSALS[refused]}
        if refused not in _BARE:
            found[refused]["content"] = {
                "application/json": {"schema": {"$ref": "#/components/schemas/Error"}}
            }
        if refused in _HEADERS:
            found[refused]["headers"] = _headers(_HEADERS[refused])
    return found


def open_answers(good: Schema | None, *, without: Sequence[int] = ()) -> Responses:
    """Of a route that asks nobody for a key."""
    return answers(good, without=(*_OF_KEYS, *without))


def _headers(names: Sequence[str]) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def body(properties: Mapping[str, Schema], *, optional: Sequence[str] = ()) -> dict[str, Any]:
    schema = record(properties, optional=optional)
    return {
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
    }


def query(properties: Mapping[str, Schema], *, required: Sequence[str] = ()) -> dict[str, Any]:
    return {"parameters": [_field("query", *it, required) for it in properties.items()]}


def header(name: str, schema: Schema, *, required: bool = False) -> dict[str, Any]:
    return _field("header", name, schema, (name,) if required else ())


def in_path(name: str, schema: Schema) -> dict[str, Any]:
    return _field("path", name, schema, (name,))


def _field(place: str, name: str, schema: Schema, required: Sequence[str]) -> dict[str, Any]:
    found = {"in": place, "name": name, "required": name in required, "schema": schema}
    if "description" in schema:
        found["description"] = schema["description"]
    return found
