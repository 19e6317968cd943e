"""What screens may ask about what servers hold: sync jobs, the history, the local lake's folders.

The messages are described in `app.link.protocol`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from app.domain.connections import LOCAL_LAKE
from app.domain.errors import ConnectionNotUsable
from app.domain.ports import ConnectionStore, LakeGateway
from app.engine.connection_commands import OpenGateway, connection_of
from app.engine.keys import Keys
from app.engine.newest_first import newest_sync_jobs, newest_uploads

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
            "lake": self._lake,
        }

    def _sync_jobs(self, args: Args) -> Mapping[str, Any]:
        jobs = newest_sync_jobs(self._reading_gateway(args), int(args["newest"]))
        return {"jobs": [job.to_wire() for job in jobs]}

    def _history(self, args: Args) -> Mapping[str, Any]:
        uploads = newest_uploads(self._reading_gateway(args), int(args["newest"]), args["sync_id"])
        return {"uploads": [upload.to_wire() for upload in uploads]}

    def _lake(self, _: Args) -> Mapping[str, Any]:
        self._open_gateway(LOCAL_LAKE, None)
        lake = self._local_lake
        return {"lake": str(lake.lake_folder), "files": str(lake.files_folder)}

    def _reading_gateway(self, args: Args) -> LakeGateway:
        """The contract names no key on the list and history calls: what cannot be had is not."""
        connection, key = connection_of(self._store, args), args.get("key")
        with suppress(ConnectionNotUsable):
            key = self._keys.of(connection, key)
        return self._open_gateway(connection, key)
