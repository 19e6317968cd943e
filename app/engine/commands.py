"""What screens may ask of the engine: each command from its message to its answer.

The messages are described in `app.link.protocol`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from app.domain.connections import Connection
from app.domain.picking import Picking
from app.domain.ports import ConnectionStore, Journal, Secrets
from app.domain.queue_item import ItemState
from app.domain.snapshots import as_ranges, id_ranges
from app.domain.upload_job import MOST_SHRINK_PERCENT, Consents, Source
from app.engine.connection_commands import ConnectionCommands, connection_of
from app.engine.drafts import DraftChange
from app.engine.keys import Keys
from app.engine.pace_commands import PaceCommands
from app.engine.reading_commands import LocalLake, ReadingCommands
from app.engine.transfer_engine import TransferEngine
from app.link.protocol import item_to_wire
from embedded_server.contract import VERSION, SyncType

_MOST_ROWS = 10_000
_MOST_ITEMS_AT = 1_000

Args = Mapping[str, Any]


class EngineCommands:
    def __init__(
        self,
        engine: TransferEngine,
        journal: Journal,
        store: ConnectionStore,
        secrets: Secrets,
        keys: Keys,
        local_lake: LocalLake,
    ) -> None:
        self._engine = engine
        self._journal = journal
        self._store = store
        self._keys = keys
        self._reading = ReadingCommands(engine.gateway, store, keys, local_lake)
        self._pace = PaceCommands(engine.pacing, journal, engine.pace_changed)
        self._connections = ConnectionCommands(
            engine.gateway, store, secrets, keys, self._follow_connection
        )

    def table(self) -> dict[str, Callable[[Args], Mapping[str, Any]]]:
        """Every command but `watch`, `watch_jobs` and `stop`, which belong to the socket."""
        return {
            "hello": self._hello,
            "add_job": self._add_job,
            "add_sources": self._add_sources,
            "edit_job": self._edit_job,
            "remove_items": self._remove_items,
            "wait_intake": lambda args: self._engine.wait_intake(_job_id(args)).to_wire(),
            "impact": lambda args: asdict(self._engine.impact(_job_id(args))),
            "start_job": self._start_job,
            "cancel_job": _of_job(self._engine.cancel_job),
            "pause_job": _of_job(self._engine.pause_job),
            "resume_job": _of_job(self._engine.resume_job),
            "retry_job": self._retry_job,
            "finish_job": _of_job(self._engine.finish_job),
            "remove_job": self._remove_job,
            "items": self._items,
            "item_ranges": self._item_ranges,
            "items_at": self._items_at,
            "left_out": self._left_out,
            "provide_key": self._provide_key,
            **self._reading.table(),
            **self._pace.table(),
            **self._connections.table(),
        }

    def _hello(self, _: Args) -> Mapping[str, Any]:
        return {"version": VERSION, "pid": os.getpid()}

    def _add_job(self, args: Args) -> Mapping[str, Any]:
        connection = connection_of(self._store, args)
        job_id = self._engine.drafts.add(
            connection,
            str(args["destination"]),
            SyncType(args["mode"]),
            str(args["name"]),
            _sources(args),
            contents_only=bool(args.get("contents_only", False)),
            kept=bool(args.get("kept", False)),
            picking=Picking.from_wire(args.get("picking", {})),
            most_shrink_percent=int(args.get("most_shrink_percent", MOST_SHRINK_PERCENT)),
            send_all=bool(args.get("send_all", False)),
        )
        self._keys.give(job_id, args.get("key"))
        return {"job_id": job_id}

    def _add_sources(self, args: Args) -> Mapping[str, Any]:
        self._engine.drafts.add_sources(_job_id(args), _sources(args))
        return {}

    def _edit_job(self, args: Args) -> Mapping[str, Any]:
        job_id = _job_id(args)
        change = DraftChange(
            destination=str(args["destination"]) if "destination" in args else None,
            mode=SyncType(args["mode"]) if "mode" in args else None,
            name=str(args["name"]) if "name" in args else None,
            contents_only=bool(args["contents_only"]) if "contents_only" in args else None,
            connection=connection_of(self._store, args) if "connection" in args else None,
        )
        if change.connection is not None:
            # First: a key that was given for the connection before must never reach this one.
            self._keys.forget(job_id)
        snapshot = self._engine.drafts.edit(job_id, change)
        if change.connection is not None:
            self._keys.give(job_id, args.get("key"))
        return snapshot.to_wire()

    def _follow_connection(self, before: Connection, after: Connection) -> int:
        return self._engine.follow_connection(before, after, self._keys.forget)

    def _remove_items(self, args: Args) -> Mapping[str, Any]:
        return {"removed": self._engine.drafts.remove_items(_job_id(args), _ranges(args))}

    def _remove_job(self, args: Args) -> Mapping[str, Any]:
        self._engine.remove_job(_job_id(args))
        self._keys.forget(_job_id(args))
        return {}

    def _start_job(self, args: Args) -> Mapping[str, Any]:
        self._engine.start_job(_job_id(args), Consents(**args.get("consents", {})))
        return {}

    def _retry_job(self, args: Args) -> Mapping[str, Any]:
        allow_shrink = bool(args.get("allow_shrink", False))
        self._engine.retry_job(_job_id(args), allow_shrink=allow_shrink)
        return {}

    def _items(self, args: Args) -> Mapping[str, Any]:
        limit = min(int(args["limit"]), _MOST_ROWS)
        items = self._journal.items(_job_id(args), _states(args), int(args["after"]), limit)
        return {"items": [item_to_wire(item) for item in items]}

    def _item_ranges(self, args: Args) -> Mapping[str, Any]:
        ids = self._journal.item_ids(_job_id(args), _states(args), int(args["after"]))
        return {"ranges": as_ranges(ids)}

    def _items_at(self, args: Args) -> Mapping[str, Any]:
        items = self._journal.items_at(_job_id(args), _ranges(args), _MOST_ITEMS_AT)
        return {"items": [item_to_wire(item) for item in items]}

    def _left_out(self, args: Args) -> Mapping[str, Any]:
        entries = self._journal.left_out(_job_id(args), min(int(args["limit"]), _MOST_ROWS))
        return {"left_out": [[entry.source, entry.reason] for entry in entries]}

    def _provide_key(self, args: Args) -> Mapping[str, Any]:
        self._keys.give(_job_id(args), args.get("key"))
        self._engine.key_arrived(_job_id(args))
        return {}


def _of_job(act: Callable[[int], None]) -> Callable[[Args], Mapping[str, Any]]:
    """A command that says no more than which job it is about."""

    def run(args: Args) -> Mapping[str, Any]:
        act(_job_id(args))
        return {}

    return run


def _job_id(args: Args) -> int:
    return int(args["job_id"])


def _sources(args: Args) -> list[Source]:
    return [Source(str(path), bool(contents_only)) for path, contents_only in args["sources"]]


def _ranges(args: Args) -> tuple[tuple[int, int], ...]:
    return id_ranges(args["ranges"])


def _states(args: Args) -> frozenset[ItemState] | None:
    states = args["states"]
    return None if states is None else frozenset(ItemState(state) for state in states)
