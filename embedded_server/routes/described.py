"""What OpenAPI says of a call: its fields, its good answer, and every status it may refuse with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Schema = dict[str, Any]

_ERROR: Schema = {
    "type": "object",
    "required": ["code", "reason", "message"],
    "properties": {
        "code": {"type": "integer", "description": "the HTTP status again"},
        "reason": {"type": "string", "example": "bad_request"},
        "message": {"type": "string", "description": "for a person: what to do about it"},
    },
}
_REFUSALS = {
    400: "The request is not what the contract says, or cannot be done; `message` says why",
    401: "A key is missing, or nobody knows it",
    403: "Not for a web page or a proxy, not under this host name, or not for this key",
    404: "Nothing is there",
    410: "The sync has expired: start a new one",
    413: "The body is too large",
    415: "The body is encoded: send it as it is",
    416: "The file has no such part",
    422: "The Idempotency-Key was sent before with another body",
    429: "Too many wrong keys or unknown syncs: wait",
    500: "The disk or the catalog failed; the server's log says how",
    503: "The server is stopping: send again later",
    507: "The disk is full",
}
_OF_EVERY_CALL = (400, 401, 403, 415, 429, 500, 503)

TEXT: Schema = {"type": "string"}
WHOLE: Schema = {"type": "integer", "format": "int64", "minimum": 0}
FLAG: Schema = {"type": "boolean"}


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


def answers(good: Schema, *more: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route; `more` are statuses beyond those of every call."""
    found: dict[int | str, dict[str, Any]] = {
        200: {"description": "Done", "content": {"application/json": {"schema": good}}}
    }
    for status in sorted({*_OF_EVERY_CALL, *more}):
        content = {"application/json": {"schema": _ERROR}}
        found[status] = {"description": _REFUSALS[status], "content": content}
    return found


def body(properties: Mapping[str, Schema], *, optional: Sequence[str] = ()) -> dict[str, Any]:
    schema = record(properties, optional=optional)
    return {
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
    }


def query(properties: Mapping[str, Schema], *, required: Sequence[str] = ()) -> dict[str, Any]:
    return {"parameters": [_field("query", *it, required) for it in properties.items()]}


def header(name: str, schema: Schema) -> dict[str, Any]:
    return _field("header", name, schema, ())


def _field(place: str, name: str, schema: Schema, required: Sequence[str]) -> dict[str, Any]:
    found = {"in": place, "name": name, "required": name in required, "schema": schema}
    if "description" in schema:
        found["description"] = schema["description"]
    return found
