"""What screens may ask about what servers hold: sync jobs, the history, the local lake's folders.

The messages are described in `app.link.protocol`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from app.domain.connections import LOCAL_LAKE
from app.domain.errors import WrongUse
from app.domain.ports import ConnectionStore, LakeGateway
from app.engine.connection_commands import OpenGateway, connection_of
from app.engine.keys import Keys
from app.engine.newest_first import (
    ReadPage,
    count_rows,
    newest_sync_jobs,
    newest_uploads,
    step_through_history,
    whole_page,
)
from embedded_server.contract import MAX_PAGE_SIZE, SyncJob, UploadRecord

Args = Mapping[str, Any]


class LocalLake(Protocol):
    """Where the local lake lies, for telling it to a person."""

    @property
    def lake_folder(self) -> Path: ...

    @property
    def files_folder(self) -> Path: ...


class ReadingCommands:
    def __init__(
        self, open_gateway: OpenGateway, store: ConnectionStore, keys: Keys, local_lake: LocalLake
    ) -> None:
        self._open_gateway = open_gateway
        self._store = store
        self._keys = keys
        self._local_lake = local_lake

    def table(self) -> dict[str, Callable[[Args], Mapping[str, Any]]]:
        return {
            "sync_jobs": self._sync_jobs,
            "history": self._history,
            "count_rows": self._count_rows,
            "page_rows": self._page_rows,
            "history_of_sync": self._history_of_sync,
            "lake": self._lake,
            "lake_entries": self._lake_entries,
        }

    def _sync_jobs(self, args: Args) -> Mapping[str, Any]:
        jobs = newest_sync_jobs(self._reading_gateway(args), int(args["newest"]))
        return {"jobs": [job.to_wire() for job in jobs]}

    def _history(self, args: Args) -> Mapping[str, Any]:
        uploads = newest_uploads(self._reading_gateway(args), int(args["newest"]), args["sync_id"])
        return {"uploads": [upload.to_wire() for upload in uploads]}

    def _count_rows(self, args: Args) -> Mapping[str, Any]:
        return {"count": count_rows(self._reader(args), max(int(args.get("known") or 0), 0))}

    def _page_rows(self, args: Args) -> Mapping[str, Any]:
        """Server order, the oldest first."""
        rows = whole_page(self._reader(args), max(int(args["offset"]), 0), _page_size(args))
        return {"rows": [row.to_wire() for row in rows]}

    def _history_of_sync(self, args: Args) -> Mapping[str, Any]:
        before = args.get("before")
        step = step_through_history(
            self._reading_gateway(args),
            int(args["sync_id"]),
            None if before is None else max(int(before), 0),
            _page_size(args),
            known=max(int(args.get("known") or 0), 0),
            after=max(int(args.get("after") or 0), 0),
        )
        return {
            "uploads": [row.to_wire() for row in step.uploads],
            "before": step.before,
            "count": step.count,
            "running": step.is_running,
        }

    def _reader(self, args: Args) -> ReadPage[SyncJob | UploadRecord]:
        """The call that reads the rows which a message is about."""
        gateway = self._reading_gateway(args)
        match args["of"]:
            case "sync_jobs":
                return gateway.sync_jobs
            case "history":
                return gateway.history
        raise WrongUse("The rows of a server are those of its sync_jobs or of its history.")

    def _lake(self, _: Args) -> Mapping[str, Any]:
        self._open_gateway(LOCAL_LAKE, None)
        lake = self._local_lake
        return {"lake": str(lake.lake_folder), "files": str(lake.files_folder)}

    def _lake_entries(self, args: Args) -> Mapping[str, Any]:
        """A strict server wants the key here, so the keyring is asked, as for an upload."""
        connection = connection_of(self._store, args)
        gateway = self._open_gateway(connection, self._keys.of(connection, args.get("key")))
        page = gateway.entries(str(args["folder"]), max(int(args["offset"]), 0), _page_size(args))
        return {"page": None if page is None else page.to_wire()}

    def _reading_gateway(self, args: Args) -> LakeGateway:
        """The contract names no key on the list and history calls, so the keyring is not asked:
        that takes its time, and a locked one would keep everybody waiting who only looks."""
        connection = connection_of(self._store, args)
        return self._open_gateway(connection, self._keys.at_hand(connection, args.get("key")))


def _page_size(args: Args) -> int:
    return min(max(int(args["limit"]), 1), MAX_PAGE_SIZE)
