"""What an upload would do to the data at its destination, as the engine tells the window."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from app.domain.snapshots import JobSnapshot
from embedded_server.contract import SyncType

_NOTHING_ODD: dict[str, Any] = {
    "destination": "/data/db/transactions",
    "new_files": 14,
    "new_bytes": 3_600_000_000,
    "plain_server": False,
    "same_names": [],
    "empty_sources": [],
    "before_files": None,
    "before_bytes": None,
    "before_is_last_sync": False,
    "most_shrink_percent": 50,
    "odd_names": {"refused": [], "refused_count": 0, "twins": []},
    "left_out": 0,
}


def impact_of(job: JobSnapshot) -> dict[str, Any]:
    return _NOTHING_ODD | {
        "mode": job.mode.value,
        "destination": job.destination,
        "new_files": job.files,
        "new_bytes": job.bytes,
        "replaced_files": 412,
        "replaced_bytes": 9_000_000_000,
    }


SHRINKS = _NOTHING_ODD | {
    "mode": SyncType.FULL.value,
    "replaced_files": 0,
    "replaced_bytes": 0,
    "before_files": 21_412,
    "before_bytes": 912_000_000_000,
}
ODD_NAMES = _NOTHING_ODD | {
    "mode": SyncType.INCREMENTAL.value,
    "replaced_files": None,
    "replaced_bytes": None,
    "odd_names": {
        "refused": [
            ["báo cáo/doanh thu quý III?.csv", "the character '?' is not allowed on every system"],
            ["export/NUL.txt", "'NUL' is the name of a device on Windows"],
        ],
        "refused_count": 17,
        "twins": [["khách hàng/Orders.csv", "khách hàng/orders.csv"]],
    },
}


def impact_shown(
    impact: Mapping[str, Any],
) -> dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]]:
    return {"impact": lambda _: dict(impact)}
