"""The public backend's behaviour on a real folder, its traps included, as the contract tells it.

Written from the contract's text alone and sharing no line with our own server, so that a slip of
ours cannot hide behind the same slip here.

    <root>/files/…            what a reader sees
    <root>/staging/<path>/…   of full syncs; belongs to the *path*, whoever put it there
    <root>/trash/<last name>  one for each last name: the next one overwrites it
"""

from __future__ import annotations

import re
import shutil
import threading
import time
from pathlib import Path
from typing import Any

FULL, INCREMENTAL = "FullSync", "IncrementalSync"
SYNCING, FINISHED, FAILED = "Syncing", "Finished", "Failed"


class Refused(Exception):
    """A 400 in the public backend's words."""

    def __init__(self, message: str, reason: str = "bad_request") -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason


class PlainLake:
    """The five calls on disk. Rows are kept in memory: a restart forgets them, not the files."""

    def __init__(self, root: Path, key: str) -> None:
        self._files, self._staging, self._trash = (
            root / "files",
            root / "staging",
            root / "trash",
        )
        for folder in (self._files, self._staging, self._trash):
            folder.mkdir(parents=True, exist_ok=True)
        self._key = key
        self._jobs: list[dict[str, Any]] = []
        self._history: list[dict[str, Any]] = []
        self._lock = threading.Lock()

    def start(self, fields: dict[str, Any]) -> dict[str, Any]:
        for name in ("name", "path", "api_key", "sync_type"):
            if not isinstance(fields.get(name), str):
                raise Refused(f"{name} is required", "invalid_param")
        if fields["sync_type"] not in (FULL, INCREMENTAL):
            raise Refused("sync_type is not one of FullSync, IncrementalSync", "invalid_param")
        self._check_key(fields)
        _inside(self._files, fields["path"])
        with self._lock:
            job = {
                "org_id": 0,
                "sync_id": len(self._jobs) + 1,
                "name": fields["name"],
                "path": fields["path"].rstrip("/"),
                "sync_type": fields["sync_type"],
                "sync_status": SYNCING,
                "start_time": _now_ms(),
                "end_time": 0,
                "total_files": 0,
                "num_failed": 0,
            }
            self._jobs.append(job)
        return {"sync_id": job["sync_id"]}

    def begin_upload(self, sync_id: int, file_name: str) -> dict[str, Any]:
        """A new row of the history, `Syncing` until `end_upload`."""
        with self._lock:
            self._running(sync_id)
            row = {
                "org_id": 0,
                "history_id": len(self._history) + 1,
                "sync_id": sync_id,
                "file_name": file_name,
                "start_time": _now_ms(),
                "end_time": 0,
                "sync_status": SYNCING,
                "message": "",
            }
            self._history.append(row)
            return row

    def end_upload(self, row: dict[str, Any], failure: str | None) -> None:
        with self._lock:
            row["sync_status"] = FINISHED if failure is None else FAILED
            row["message"] = failure or ""
            row["end_time"] = _now_ms()
            job = self._jobs[row["sync_id"] - 1]
            job["total_files"] += 1
            job["num_failed"] += failure is not None

    def store(self, sync_id: int, path: str | None, file_name: str, content: bytes) -> None:
        with self._lock:
            job = dict(self._running(sync_id))
        folder = (path or job["path"]).rstrip("/")
        if folder != job["path"] and not folder.startswith(job["path"] + "/"):
            raise Refused(f"{folder} is not below {job['path']}", "invalid_param")
        if file_name in ("", ".", "..") or "/" in file_name or "\0" in file_name:
            raise Refused("the file name is not valid", "invalid_param")
        if job["sync_type"] == FULL:
            below = folder.removeprefix(job["path"]).lstrip("/")
            target = _inside(self._staged(job), below) / file_name
        else:
            target = _inside(self._files, folder) / file_name
        target.parent.mkdir(parents=True, exist_ok=True)
        # Each writer has its own temporary name: eight threads may send one name at once.
        unfinished = self._staging / f"{threading.get_ident()}.part"
        unfinished.write_bytes(content)
        unfinished.replace(target)

    def end(self, fields: dict[str, Any]) -> dict[str, Any]:
        sync_id = fields.get("sync_id")
        if not isinstance(sync_id, int) or isinstance(sync_id, bool):
            raise Refused("sync_id is required", "invalid_param")
        self._check_key(fields)
        with self._lock:
            job = self._running(sync_id)
            if job["sync_type"] == FULL:
                self._swap(job)
            job["sync_status"] = FINISHED  # also when uploads failed
            job["end_time"] = _now_ms()
        return {"success": True}

    def jobs(self, offset: int, limit: int) -> list[dict[str, Any]]:
        with self._lock:
            return [dict(job) for job in self._jobs[offset : offset + limit]]

    def history(self, offset: int, limit: int) -> list[dict[str, Any]]:
        with self._lock:
            return [dict(row) for row in self._history[offset : offset + limit]]

    def _swap(self, job: dict[str, Any]) -> None:
        published = _inside(self._files, job["path"])
        if published.exists():
            trashed = self._trash / published.name
            shutil.rmtree(trashed, ignore_errors=True)
            published.rename(trashed)
        staged = self._staged(job)
        if staged.exists():
            published.parent.mkdir(parents=True, exist_ok=True)
            staged.rename(published)

    def _staged(self, job: dict[str, Any]) -> Path:
        path: str = job["path"]
        return self._staging / path.strip("/").replace("/", "__")

    def _running(self, sync_id: int) -> dict[str, Any]:
        if not 1 <= sync_id <= len(self._jobs):
            raise Refused(f"sync info for id {sync_id} not found")
        job = self._jobs[sync_id - 1]
        if job["sync_status"] != SYNCING:
            raise Refused("job is already ended")
        return job

    def _check_key(self, fields: dict[str, Any]) -> None:
        if fields.get("api_key") != self._key:
            raise Refused("invalid api key")


def one_file_of(content_type: str, body: bytes) -> tuple[str, bytes]:
    """File name and bytes of the last part named `file`; the stock parser keeps the last, too."""
    boundaries = re.findall(r'boundary="?([^";]+)"?', content_type)
    if not boundaries:
        raise Refused("multipart/form-data is required", "invalid_param")
    found: tuple[str, bytes] | None = None
    # With the body's own line break in front, each boundary is a line of its own.
    for part in (b"\r\n" + body).split(b"\r\n--" + boundaries[-1].encode())[1:]:
        head, separator, content = part.partition(b"\r\n\r\n")
        names = re.search(rb'name="file"; filename="([^"]*)"', head)
        if separator and names:
            escaped = names[1].decode("utf-8", errors="replace")
            name = escaped.replace("%22", '"').replace("%0D", "\r").replace("%0A", "\n")
            found = name, content
    if found is None:
        raise Refused("file is required", "invalid_param")
    return found


def _inside(root: Path, path: str) -> Path:
    parts = [part for part in path.split("/") if part]
    if any(part in (".", "..") or "\0" in part for part in parts):
        raise Refused("the path is not valid", "invalid_param")
    return root.joinpath(*parts)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
