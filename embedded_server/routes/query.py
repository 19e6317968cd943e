"""Reads a query string strictly: decoded once, as UTF-8, each name at most once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from embedded_server.contract import DEFAULT_PAGE_SIZE, MAX_ID, MAX_PAGE_SIZE
from embedded_server.domain.errors import InvalidParam

_MAX_FIELDS = 32


def parse_query(scope: Mapping[str, Any]) -> dict[str, str]:
    """From an ASGI scope. Raises `InvalidParam`."""
    raw: bytes = scope.get("query_string", b"")
    try:
        # Raw bytes above 127 are taken as the UTF-8 that curl sends for a typed `ü`.
        pairs = parse_qsl(
            raw.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=_MAX_FIELDS
        )
    except UnicodeDecodeError as cause:
        raise InvalidParam("the query is not UTF-8") from cause
    except ValueError as cause:
        raise InvalidParam(f"the query has more than {_MAX_FIELDS} fields") from cause
    fields = dict(pairs)
    if len(fields) != len(pairs):
        # Which one is not repeated: somebody may have put a key in the place of its name.
        raise InvalidParam("a field is given twice in the query")
    return fields


def known_fields(scope: Mapping[str, Any], known: Iterable[str]) -> dict[str, str]:
    """As `parse_query`, and raises `InvalidParam` also for a name that the route does not know:
    what is misspelt must not be answered as if it had not been asked for."""
    fields = parse_query(scope)
    for name in fields:
        if name not in known and name != "api_key":
            raise InvalidParam(f"{name[:60]!r} is no field of this query")
    return fields


def whole_number(fields: Mapping[str, str], name: str, default: int | None, most: int) -> int:
    """Digits only, 0 to `most`; `default` None means that the field must be there."""
    text = fields.get(name)
    if text is None:
        if default is None:
            raise InvalidParam(f"{name} is missing in the query")
        return default
    if not (text.isascii() and text.isdecimal()) or len(text) > 20 or int(text) > most:
        raise InvalidParam(f"{name} must be a whole number from 0 to {most}, not {text[:60]!r}")
    return int(text)


def page(fields: Mapping[str, str]) -> tuple[int, int]:
    """`from` and `size` of the list and history calls."""
    return (
        whole_number(fields, "from", 0, MAX_ID),
        whole_number(fields, "size", DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE),
    )
