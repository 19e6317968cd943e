"""Answers as JSON in the contract's shapes, for every kind of success and failure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import Response

from embedded_server.contract import ContractViolation, ErrorAnswer, ErrorReason
from embedded_server.domain.errors import InvalidParam, LakeError

_REASONS = {
    401: ErrorReason.NOT_AUTHENTICATED,
    403: ErrorReason.NOT_ALLOWED,
    404: ErrorReason.NOT_FOUND,
    405: ErrorReason.NOT_ALLOWED,
    410: ErrorReason.EXPIRED,
    413: ErrorReason.QUOTA_EXCEED,
    415: ErrorReason.INVALID_PARAM,
    422: ErrorReason.INVALID_PARAM,
}


def json_answer(
    body: Mapping[str, Any] | Sequence[Any],
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    # Escaped to ASCII: a lone surrogate that somebody sent cannot make an answer fail.
    content = json.dumps(body, separators=(",", ":")).encode("ascii")
    return Response(content, status, headers, media_type="application/json")


def error_answer(
    status: int, message: str, reason: str | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    if reason is None:
        fallback = ErrorReason.BAD_REQUEST if status < 500 else ErrorReason.INTERNAL_ERROR
        reason = _REASONS.get(status, fallback).value
    return json_answer(ErrorAnswer(status, reason, message).to_wire(), status, headers)


def lake_error_answer(error: LakeError) -> Response:
    return error_answer(error.status, error.message, error.reason.value, error.headers())


def violation_as_lake_error(violation: ContractViolation) -> InvalidParam:
    return InvalidParam(str(violation))
