"""What a server's lists hold in the pictures: names that are too long, and one running sync."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Args = dict[str, Any]
Answer = Callable[[Args], dict[str, Any]]

# 2026-11-21 09:14 UTC, as in `scenes`
_NOW_MS = 1_795_252_440_000
_NAMES = (
    "inventory_snapshot_all_warehouses_and_branches_2026-11-20_final_corrected_v2.parquet",
    "báo_cáo_doanh_thu_toàn_hệ_thống_quý_III_năm_2026_bản_đã_ký_và_đóng_dấu.xlsx",
    "orders.csv",
    "a" * 255,
)


def long_rows() -> dict[str, Answer]:
    """Names, paths and messages longer than any column."""

    def job(number: int) -> dict[str, Any]:
        status = ("Failed", "Finished", "Syncing")[number % 3]
        start_ms = _NOW_MS - number * 60_000
        return {
            "org_id": 0,
            "sync_id": 2**40 + number,
            "name": f"đồng bộ toàn bộ dữ liệu giao dịch của tất cả chi nhánh, lần thứ {number}",
            "path": f"/data/warehouse/transactions/all_branches/2026/11/chi nhánh {number}/daily",
            "sync_type": "FullSync" if number % 2 else "IncrementalSync",
            "sync_status": status,
            "start_time": start_ms,
            "end_time": 0 if status == "Syncing" else start_ms + 98_765_000,
            "total_files": 1_234_567,
            "num_failed": 45_678 if status == "Failed" else 0,
        }

    def page(args: Args) -> dict[str, Any]:
        make = job if args["of"] == "sync_jobs" else _upload
        last = min(args["offset"] + args["limit"], 40)
        return {"rows": [make(number) for number in range(args["offset"], last)]}

    return {"count_rows": lambda _: {"count": 40}, "page_rows": page}


def files_of_a_sync() -> dict[str, Answer]:
    """Sixty files of one sync that goes on."""
    rows = [_upload(number) for number in range(60)]
    return {
        "history_of_sync": lambda _: {
            "uploads": rows[::-1],
            "before": None,
            "count": len(rows),
            "running": True,
        }
    }


def works() -> dict[str, Answer]:
    return {
        "check_connection": lambda _: {
            "label": "x",
            "plain_server": False,
            "version": "0.1.0",
            "extensions": [],
        }
    }


def _upload(number: int) -> dict[str, Any]:
    status = "Syncing" if number > 57 else "Failed" if number % 4 == 1 else "Finished"
    start_ms = _NOW_MS - (60 - number) * 41_000
    failed = (
        "the connection was cut in the middle of the file, after 1,073,741,824 bytes of "
        "2,147,483,648; what was received was thrown away"
    )
    return {
        "org_id": 0,
        "history_id": number + 1,
        "sync_id": 48,
        "file_name": _NAMES[number % len(_NAMES)],
        "start_time": start_ms,
        "end_time": 0 if status == "Syncing" else start_ms + 1_500 * (number + 1),
        "sync_status": status,
        "message": failed if status == "Failed" else "",
    }
