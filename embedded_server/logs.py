"""The log on standard error: text for people, or one JSON object a line for machines."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any

from embedded_server.domain import request_notes
from embedded_server.settings import LogSettings


def configure(settings: LogSettings) -> None:
    """For the whole process; may be called again."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonLines() if settings.is_json else _TextLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO if settings.is_talkative else logging.WARNING)


class _TextLines(logging.Formatter):
    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  # logging's own name
        line = super().formatMessage(record)
        more = _of_request(record)
        if not more:
            return line
        return f"{line} [{' '.join(f'{name}={value}' for name, value in more.items())}]"


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_of_request(record),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line)


def _of_request(record: logging.LogRecord) -> dict[str, Any]:
    notes = request_notes.current()
    if notes is None:
        return {}
    more: dict[str, Any] = {"request_id": notes.request_id}
    if notes.sync_id is not None:
        more["sync_id"] = notes.sync_id
    if notes.key_name:
        more["key"] = notes.key_name
    more.update(getattr(record, "of_request", {}))
    return more
