"""A scripted engine for `lakedrop upload`: a job that goes well until a test says otherwise."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from app.domain.impact import Impact
from app.domain.upload_job import JobState
from embedded_server.contract import SyncType
from tests.support.fake_engine import FakeEngine, snapshot

SHA = "ab" * 32


def item(number: int, state: str = "uploaded", message: str = "") -> dict[str, Any]:
    return {
        "item_id": number,
        "source": f"/home/an/{number}.csv",
        "lake_path": f"/data/x/{number}.csv",
        "size_bytes": 15,
        "state": state,
        "assurance": "verified" if state == "uploaded" else "none",
        "tries": 1,
        "message": message,
        "sha256": SHA if state == "uploaded" else "",
    }


class Script:
    """A job of two files that goes well, until a test changes what should go otherwise."""

    def __init__(self, engine: FakeEngine) -> None:
        self.engine = engine
        self.draft = snapshot()
        self.last = snapshot(
            JobState.FINISHED, sync_id=7, files_arrived=2, files_verified=2, bytes_sent=30
        )
        self.started = False
        self.items = [item(1), item(2)]
        self.impact = Impact(SyncType.INCREMENTAL, "/data/x", 2, 30, 0, 0, plain_server=False)
        engine.answers |= {
            "add_job": lambda _: {"job_id": 1},
            "watch": lambda _: (self.last if self.started else self.draft).to_wire(),
            "impact": lambda _: asdict(self.impact),
            "start_job": self._start,
            "cancel_job": self._cancel,
            "retry_job": self._start,
            "provide_key": lambda _: {},
            "items": self._items,
            "left_out": lambda _: {"left_out": [["/home/an/link", "a symbolic link"]]},
            "connections": lambda _: {"connections": []},
        }

    def full(self, **changes: Any) -> None:
        fields = {"replaced_files": 412, "replaced_bytes": 9_000_000_000, "plain_server": False}
        self.impact = Impact(
            SyncType.FULL, "/data/x", **({"new_files": 2, "new_bytes": 30} | fields | changes)
        )

    def _start(self, _: dict[str, Any]) -> dict[str, Any]:
        self.started = True
        return {}

    def _cancel(self, _: dict[str, Any]) -> dict[str, Any]:
        self.started = True
        self.last = snapshot(JobState.CANCELLED, sync_id=self.last.sync_id, files_arrived=1)
        return {}

    def _items(self, args: dict[str, Any]) -> dict[str, Any]:
        wanted = [
            item
            for item in self.items
            if item["item_id"] > args["after"]
            and (args["states"] is None or item["state"] in args["states"])
        ]
        return {"items": wanted[: args["limit"]]}
