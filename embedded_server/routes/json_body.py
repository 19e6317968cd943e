"""Reads a small JSON body, whatever its content type: `curl --data` calls everything a form."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from starlette.requests import ClientDisconnect, Request

from embedded_server.contract import ContractViolation, JsonObject, as_object
from embedded_server.domain.errors import BodyTooLarge, InvalidParam

_MAX_BYTES = 64 << 10


async def json_object(request: Request, query: Mapping[str, str]) -> JsonObject:
    """The body's fields, `api_key` filled in from the query when the body has none.

    Raises `InvalidParam`, `BodyTooLarge`.
    """
    body = bytearray()
    try:
        async for piece in request.stream():
            body += piece
            if len(body) > _MAX_BYTES:
                raise BodyTooLarge(f"the body is larger than {_MAX_BYTES} bytes")
    except ClientDisconnect as cause:
        raise InvalidParam("the connection ended before the body") from cause
    try:
        fields = as_object(json.loads(bytes(body)))
    except ContractViolation as cause:
        raise InvalidParam(str(cause)) from cause
    except (ValueError, RecursionError) as cause:
        raise InvalidParam("the body is not JSON") from cause
    if "api_key" in query and "api_key" not in fields:
        return _with_key(fields, query["api_key"])
    return fields


def _with_key(fields: JsonObject, key: str) -> dict[str, Any]:
    return {**fields, "api_key": key}
