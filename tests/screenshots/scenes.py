"""What the pictures show: an engine's answers for an empty, a typical and a troubled day."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from app.domain import sentences
from app.domain.errors import InvalidApiKey, LakeUnreachable
from app.domain.snapshots import ActiveTransfer, JobSnapshot
from app.domain.upload_job import JobState
from embedded_server.contract import SyncType
from tests.screenshots.impacts import ODD_NAMES, SHRINKS, impact_of, impact_shown
from tests.screenshots.list_answers import Answer, Args, files_of_a_sync, long_rows, works

# 2026-11-21 09:14 UTC: the pictures do not change with the day they are made on.
NOW_MS = 1_795_252_440_000
_MINUTE_MS = 60_000
_GB = 1_000_000_000

_FILES = (
    ("transactions/2026", "sales_2026_q3.parquet", 812_000_000),
    ("transactions/2026", "khách_hàng_tháng_10.csv", 48_200_000),
    (
        "transactions/warehouse/daily",
        "inventory_snapshot_all_warehouses_2026-11-20.parquet",
        2 * _GB,
    ),
    ("transactions/2026", "orders_2026_w46.csv", 9_800_000),
    ("transactions/finance", "báo_cáo_doanh_thu_quý_III.xlsx", 1_200_000),
    ("transactions/web/clickstream", "events_2026-11-19.json.gz", 655_000_000),
    ("transactions/2026", "orders_2026_w45.csv", 9_300_000),
    ("transactions/finance", "pricing_matrix.xlsx", 840_000),
    ("transactions/reference", "stores.geojson", 3_000_000),
    ("transactions/2026", "returns_2026_q3.parquet", 91_000_000),
    ("transactions/marketing", "campaigns.csv", 420_000),
    ("transactions/marketing/creative", "banner-720x90 (final) (2).png", 186_000),
    ("transactions/hợp đồng", "phụ lục hợp đồng – bản ký.pdf", 2_400_000),
    ("transactions", "README.md", 812),
)


@dataclass(frozen=True, slots=True)
class Scene:
    """`act` names what is done on the page before the picture: see `tests.screenshots.__main__`."""

    page: str  # upload, jobs, history, connections
    name: str
    answers: dict[str, Answer]
    job_id: int = 0
    act: str = ""


def _job(job_id: int, state: JobState, **changes: Any) -> JobSnapshot:
    job = JobSnapshot(
        job_id=job_id,
        name="transactions full sync",
        connection="local",
        destination="/data/db/transactions",
        mode=SyncType.FULL,
        state=state,
        message="",
        intake_done=True,
        sync_id=None if state is JobState.DRAFT else 40 + job_id,
        plain_server=False,
        files=len(_FILES),
        bytes=sum(size for _, _, size in _FILES),
        files_arrived=0,
        files_verified=0,
        files_failed=0,
        files_cancelled=0,
        files_left_out=0,
        bytes_sent=0,
        speed_bytes_s=0.0,
        waiting_reason="",
        kept=True,
        created_at_ms=NOW_MS + job_id * _MINUTE_MS,
        started_at_ms=0 if state is JobState.DRAFT else NOW_MS + job_id * _MINUTE_MS,
    )
    return replace(job, **changes)


def _running() -> JobSnapshot:
    return _job(
        5,
        JobState.UPLOADING,
        files_arrived=6,
        files_verified=6,
        bytes_sent=1_480_000_000,
        speed_bytes_s=86_000_000.0,
        active=(
            ActiveTransfer(
                "/data/db/transactions/transactions/warehouse/daily/"
                "inventory_snapshot_all_warehouses_2026-11-20.parquet",
                1,
                460_000_000,
                2 * _GB,
                ((3, 3),),
                False,
            ),
            ActiveTransfer(
                "/data/db/transactions/transactions/web/clickstream/events_2026-11-19.json.gz",
                1,
                52_000_000,
                655_000_000,
                ((6, 6),),
                False,
            ),
        ),
        waiting=((10, "The server is busy; trying again in 4 s."),),
    )


def _others() -> list[JobSnapshot]:
    return [
        _job(
            4,
            JobState.DRAFT,
            name="",
            destination="/data/crm/khách hàng",
            mode=SyncType.INCREMENTAL,
        ),
        _job(
            3,
            JobState.NEEDS_ATTENTION,
            name="clickstream, November",
            connection="analytics-prod",
            destination="/data/web/clickstream",
            mode=SyncType.INCREMENTAL,
            files=20_518,
            bytes=161 * _GB,
            files_arrived=20_515,
            files_verified=20_515,
            files_failed=3,
            bytes_sent=160 * _GB,
            message="3 files of 20,518 did not arrive.",
        ),
        _job(
            2,
            JobState.FINISHED,
            name="reference data",
            destination="/data/reference",
            files_arrived=len(_FILES),
            files_verified=len(_FILES),
            bytes_sent=sum(size for _, _, size in _FILES),
            ended_at_ms=NOW_MS + 2 * _MINUTE_MS + 185_000,
        ),
        _job(
            1,
            JobState.CANCELLED,
            name="a test",
            destination="/data/test",
            files_cancelled=len(_FILES),
            ended_at_ms=NOW_MS + 2 * _MINUTE_MS,
        ),
    ]


def _items(job: JobSnapshot) -> list[dict[str, Any]]:
    return [_item(job, number) for number in range(1, job.files + 1)]


def _item(job: JobSnapshot, number: int) -> dict[str, Any]:
    folder, name, size = _FILES[(number - 1) % len(_FILES)]
    state, assurance, message, problem = "queued", "none", "", ""
    if job.state is JobState.FINISHED or (
        job.state is JobState.UPLOADING and number in (1, 2, 4, 7, 8, 9)
    ):
        state, assurance = "uploaded", "verified"
    elif job.state is JobState.NEEDS_ATTENTION:
        state, assurance = "uploaded", "verified"
        if number in (3, 5, 9):
            state, assurance = "failed", "none"
            problem = "SourceUnreadable" if number != 9 else "FileRefused"
            message = (
                "The file cannot be read: permission denied."
                if number != 9
                else "A name must not end with a dot or a space."
            )
    elif job.state is JobState.CANCELLED:
        state = "cancelled"
    lake = f"{job.destination}/{folder}" if folder else job.destination
    return {
        "item_id": number,
        "source": f"/home/lan/Dữ liệu/{folder}/{name}",
        "folder": lake,
        "name": name,
        "lake_path": f"{lake}/{name}",
        "size_bytes": size,
        "state": state,
        "assurance": assurance,
        "tries": 0,
        "message": message,
        "problem": problem,
        "sha256": "",
    }


def _queue_answers(jobs: list[JobSnapshot]) -> dict[str, Answer]:
    by_id = {job.job_id: job for job in jobs}

    def ranges(args: Args) -> dict[str, Any]:
        job, wanted = by_id[args["job_id"]], args.get("states")
        if not wanted:
            first = args["after"] + 1
            return {"ranges": [[first, job.files]] if first <= job.files else []}
        first_rows = range(args["after"] + 1, min(job.files, len(_FILES)) + 1)
        ids = [number for number in first_rows if _item(job, number)["state"] in wanted]
        return {"ranges": [[number, number] for number in ids]}

    def items_at(args: Args) -> dict[str, Any]:
        job = by_id[args["job_id"]]
        return {
            "items": [
                _item(job, number)
                for first, last in args["ranges"]
                for number in range(first, last + 1)
            ]
        }

    return {
        "watch_jobs": lambda _: {"jobs": [job.to_wire() for job in jobs]},
        "item_ranges": ranges,
        "items_at": items_at,
        "left_out": lambda _: {"left_out": []},
        "edit_job": lambda args: by_id[args["job_id"]].to_wire(),
        "impact": lambda args: impact_of(by_id[args["job_id"]]),
        "lake": lambda _: {
            "lake": "/home/lan/.local/share/LakeDrop/lake",
            "files": "/home/lan/.local/share/LakeDrop/lake/files",
        },
    }


_REMOTES = (
    ("analytics-prod", "https://client.datainsider.co", "keyring"),
    ("finance-share chỉ đọc báo cáo", "https://lake.finance.example.com/upload/v2", "session"),
    ("thử nghiệm", "http://127.0.0.1:8640", "none"),
)


def _connections(remotes: bool) -> dict[str, Answer]:
    listed = [
        {
            "name": name,
            "base_url": url,
            "allow_plain_http": False,
            "has_key": key != "none",
            "key": key,
        }
        for name, url, key in (_REMOTES if remotes else ())
    ]
    return {"connections": lambda _: {"keyring": True, "connections": listed}}


def _server_rows(count: int) -> dict[str, Answer]:
    def job(number: int) -> dict[str, Any]:
        kinds = ("Finished", "Finished", "Finished", "Failed", "Finished")
        status = "Syncing" if number == count - 1 else kinds[number % len(kinds)]
        start_ms = NOW_MS - (count - number) * 37 * _MINUTE_MS
        paths = ("/data/db/transactions", "/data/crm/khách hàng", "/data/web/clickstream")
        return {
            "org_id": 0,
            "sync_id": number + 1,
            "name": f"{paths[number % 3].rpartition('/')[2]} sync {number + 1}",
            "path": paths[number % 3],
            "sync_type": "FullSync" if number % 3 == 0 else "IncrementalSync",
            "sync_status": status,
            "start_time": start_ms,
            "end_time": 0 if status == "Syncing" else start_ms + 1000 * (7 + number * 13 % 3000),
            "total_files": number * 7919 % 21_000,
            "num_failed": number % 4 if status == "Failed" else 0,
        }

    def upload(number: int) -> dict[str, Any]:
        _, name, _ = _FILES[number % len(_FILES)]
        failed = number % 9 == 5
        start_ms = NOW_MS - (count - number) * 41_000
        status = "Syncing" if number == count - 1 else "Failed" if failed else "Finished"
        return {
            "org_id": 0,
            "history_id": number + 1,
            "sync_id": number // 5 + 1,
            "file_name": name,
            "start_time": start_ms,
            "end_time": 0 if status == "Syncing" else start_ms + 400 + number * 77 % 9000,
            "sync_status": status,
            "message": "the connection was cut in the middle of the file" if failed else "",
        }

    def page(args: Args) -> dict[str, Any]:
        make = job if args["of"] == "sync_jobs" else upload
        last = min(args["offset"] + args["limit"], count)
        return {"rows": [make(number) for number in range(args["offset"], last)]}

    return {"count_rows": lambda _: {"count": count}, "page_rows": page}


def _unreachable(_: Args) -> dict[str, Any]:
    raise LakeUnreachable(sentences.UNKNOWN_HOST(host="client.datainsider.co"))


def _wrong_key(_: Args) -> dict[str, Any]:
    raise InvalidApiKey(sentences.WRONG_KEY())


def scenes() -> list[Scene]:
    nothing = _queue_answers([]) | _connections(remotes=False) | _server_rows(0)
    running = _running()
    busy = _queue_answers([running, *_others()]) | _connections(remotes=True) | _server_rows(240)
    broken = busy | {"count_rows": _unreachable, "page_rows": _unreachable}
    asked = _queue_answers([_draft()]) | busy_rest(busy)
    wrong_key = busy | {"check_connection": _wrong_key}
    return [
        Scene("upload", "empty", nothing),
        Scene("upload", "typical", busy, job_id=5),
        Scene("upload", "draft", busy, job_id=4),
        Scene("upload", "question", asked, 6, "ask"),
        Scene("upload", "shrink", asked | impact_shown(SHRINKS), 6, "ask"),
        Scene("upload", "names", asked | impact_shown(ODD_NAMES), 6, "ask"),
        Scene("upload", "error", busy, job_id=3),
        Scene("upload", "finished", busy, job_id=2),
        Scene("upload", "cancelled", busy, job_id=1),
        Scene("upload", "cancel", busy, 5, "cancel"),
        Scene("upload", "keyboard", busy, 4, "walk"),
        Scene("upload", "fault", busy, 2, "fault"),
        Scene("upload", "drag", busy, 4, "drag"),
        Scene("upload", "welcome-drag", nothing, act="drag"),
        Scene("upload", "wrong", busy, 4, "wrong"),
        Scene("upload", "close", busy, 5, "close"),
        Scene("upload", "hurt", _queue_answers(_troubled()) | busy_rest(busy), job_id=12),
        Scene("upload", "paused", _queue_answers(_troubled()) | busy_rest(busy), job_id=11),
        Scene("upload", "key", _queue_answers(_troubled()) | busy_rest(busy), job_id=13),
        Scene("upload", "failed", _queue_answers(_troubled()) | busy_rest(busy), job_id=14),
        Scene("upload", "none", _queue_answers(_extents()) | busy_rest(busy), job_id=21),
        Scene("upload", "one", _queue_answers(_extents()) | busy_rest(busy), job_id=22),
        Scene("upload", "many", _queue_answers(_extents()) | busy_rest(busy), job_id=23),
        Scene("jobs", "empty", nothing),
        Scene("jobs", "typical", busy),
        Scene("jobs", "error", broken),
        Scene("history", "empty", nothing),
        Scene("history", "typical", busy),
        Scene("history", "error", broken),
        Scene("jobs", "long", busy | long_rows()),
        Scene("jobs", "files", busy | files_of_a_sync(), act="files"),
        Scene("history", "long", busy | long_rows()),
        Scene("connections", "empty", nothing),
        Scene("connections", "typical", busy, act="second"),
        Scene("connections", "error", wrong_key, act="test"),
        Scene("connections", "works", busy | works(), act="test"),
        Scene("connections", "remove", busy, act="remove"),
        Scene("connections", "moved", busy, act="moved"),
        Scene("connections", "new", busy, act="new"),
    ]


def _draft() -> JobSnapshot:
    return _job(6, JobState.DRAFT)


def _troubled() -> list[JobSnapshot]:
    """Jobs that rest, each for a reason of its own."""
    half: dict[str, Any] = {"files_arrived": 6, "files_verified": 6, "bytes_sent": 1_480_000_000}
    return [
        _job(11, JobState.PAUSED, **half),
        _job(12, JobState.NEEDS_ATTENTION, files_failed=3, connection="analytics-prod", **half),
        _job(
            13,
            JobState.NEEDS_ATTENTION,
            name="orders",
            connection="finance-share chỉ đọc báo cáo",
            problem="InvalidApiKey",
            message=sentences.WRONG_KEY(),
            **half,
        ),
        _job(
            14,
            JobState.FAILED,
            name="a very long name of a sync that somebody gave it on a Friday afternoon",
            destination="/data/a/rather/deep/folder/of/the/lake/in/which/nobody/ever/looks",
            problem="LakeRefused",
            message="A file stands where the folder /data/db is to be.",
            **half,
        ),
    ]


def _extents() -> list[JobSnapshot]:
    """Drafts with no file, with one, and with as many as nobody can look at."""
    return [
        _job(21, JobState.DRAFT, name="", files=0, bytes=0, mode=SyncType.INCREMENTAL),
        _job(22, JobState.DRAFT, name="one", files=1, bytes=812_000_000),
        _job(
            23,
            JobState.DRAFT,
            name="many",
            files=100_000,
            bytes=812 * _GB,
            files_left_out=1_204,
            intake_done=False,
        ),
    ]


def busy_rest(busy: dict[str, Answer]) -> dict[str, Answer]:
    """All of a busy day but the queue itself."""
    queue = set(_queue_answers([]))
    return {command: answer for command, answer in busy.items() if command not in queue}
