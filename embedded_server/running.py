"""Runs a server on a lake whose lock is held: opens it, wires the gate, listens, closes it.

Imported late, so that bad flags and a lake in use are told at once: these are the slow imports.
"""

from __future__ import annotations

import json
import socket
import sys
import time
from contextlib import closing
from typing import Any

from embedded_server.domain.api_key import ApiKey, digest_of
from embedded_server.domain.errors import CannotServe
from embedded_server.domain.measures import Measures
from embedded_server.domain.try_limiter import TryLimiter
from embedded_server.gate.connections import House
from embedded_server.gate.gatekeeper import HouseRules
from embedded_server.gate.known_routes import route_of
from embedded_server.gate.names import ServerNames
from embedded_server.gate.owners_door import OwnersDoor
from embedded_server.gate.patience import Limits
from embedded_server.gate.peers import Peers, own_uid
from embedded_server.gate.request_watch import RequestWatch
from embedded_server.gate.visitors import Neighbours, Strangers
from embedded_server.key_calls import KeyCalls
from embedded_server.opened_lake import OpenedLake, now_ms
from embedded_server.own_folder import unusable_folder_told
from embedded_server.parent import Parent, ask_at_end_of_input, say
from embedded_server.routes.worker_calls import in_worker
from embedded_server.services.admission import Admission
from embedded_server.services.key_book import KeyBook
from embedded_server.services.keys import Keys
from embedded_server.serving import (
    StopRequest,
    address_of,
    listening_socket,
    serve,
    tls_context,
)
from embedded_server.settings import KEY_VARIABLE, DoorSettings, Settings, check_strict_key
from embedded_server.storage import native_calls, own_files
from embedded_server.storage.disk import Disk
from embedded_server.storage.disk_process import small_files_writer
from embedded_server.storage.layout import Layout
from embedded_server.storage.small_files import SmallFiles

_WANTED_OPEN_FILES = 4_096
# Of the files that may be open, connections take at most this part: batches keep up to 128 each.
_PART_FOR_CONNECTIONS = 2


def serve_locked(
    settings: Settings,
    layout: Layout,
    disk: Disk,
    key: ApiKey | None,
    parent: Parent | None,
    measures: Measures,
) -> None:
    """Returns when it was asked to stop. Raises `CannotServe`."""
    native_calls.keep_freed_memory()
    disk.keep_inside(layout.files)  # what is forked knows of it too
    with small_files_writer(disk, measures) as small_files:  # first: threads come with the rest
        _serve_with(small_files, settings, layout, disk, key, parent, measures)


def _serve_with(
    small_files: SmallFiles,
    settings: Settings,
    layout: Layout,
    disk: Disk,
    key: ApiKey | None,
    parent: Parent | None,
    measures: Measures,
) -> None:
    stop = StopRequest()
    stop.on_signals()
    if parent is not None:
        ask_at_end_of_input(sys.stdin.buffer, stop.ask)
    most_open_files = _allow_many_open_files()
    key_told = _key_told(settings, key, parent)
    keys = Keys(_own_key(settings, layout, disk, key, parent))
    door = settings.door
    tls = None
    if door.tls_cert is not None and door.tls_key is not None:
        tls = tls_context(door.tls_cert, door.tls_key)
    with listening_socket(settings.host, settings.port) as listener:
        with unusable_folder_told(settings.lake):
            opened = OpenedLake(
                layout, disk, measures, settings.sync_idle_days, settings.trash, small_files
            )
        book = KeyBook(opened.keys, keys, now_ms)
        calls = KeyCalls(book)

        async def do(asked: dict[str, Any]) -> Any:
            return await in_worker(opened.call_workers, calls.do, asked)

        door_of_owner = OwnersDoor(do)
        address = address_of(listener, door.scheme, door.names[0] if door.names else None)

        async def on_listening() -> None:
            await door_of_owner.open()
            with unusable_folder_told(settings.lake):
                own_files.write_door(
                    layout.owners_door, door_of_owner.port, door_of_owner.secret, disk
                )
                own_files.write_server_record(
                    layout.server_record,
                    address,
                    disk,
                    key_is_in_lake=parent is None and key is None,
                )
            if parent is None:
                say(f"LakeDrop lake server listening on {address}")
                say(key_told)
            else:
                say(json.dumps({"listening": address, "proof": parent.proof(address)}))

        try:
            if not len(keys):
                raise CannotServe(
                    "strict mode needs a key, and this lake has none: make one with"
                    f" lakedrop keys add NAME --lake {settings.lake}, or set {KEY_VARIABLE}"
                )
            admission = Admission(
                keys,
                TryLimiter(door.wrong_keys_per_minute, time.monotonic),
                TryLimiter(door.unknown_syncs_per_minute, time.monotonic),
                lambda name: book.used(name, opened.call_workers.submit),
            )
            app = RequestWatch(
                opened.app(admission, HouseRules(_names(settings, listener), door.is_strict)),
                measures,
                route_of,
                lambda text: keys.find(digest_of(text)) is not None,
                writes_lines=settings.log.has_requests,
            )
            with closing(Peers(ask_kernel=not door.is_strict)) as peers:
                house = _house(door, peers, most_open_files, measures)
                serve(app, listener, house, stop, on_listening, door_of_owner.close, tls)
        finally:
            own_files.remove(layout.owners_door, disk)
            book.keep_uses()
            opened.close()


def _own_key(
    settings: Settings, layout: Layout, disk: Disk, key: ApiKey | None, parent: Parent | None
) -> ApiKey | None:
    """The engine's, the environment's, or the one that the lake has; a local lake makes one."""
    if parent is not None:
        return parent.key
    if key is not None:
        if settings.door.is_strict:
            check_strict_key(key)
        return key
    with unusable_folder_told(settings.lake):
        if settings.door.is_strict:
            return own_files.read_key(layout.api_key)
        return own_files.read_or_make_key(layout.api_key, disk)


def _key_told(settings: Settings, key: ApiKey | None, parent: Parent | None) -> str:
    if parent is not None or key is not None:
        return f"The API key is the one in {KEY_VARIABLE}."
    return f"To see the API key: lakedrop serve --lake {settings.lake} --show-key"


def _names(settings: Settings, listener: socket.socket) -> ServerNames:
    port = listener.getsockname()[1]
    return ServerNames.of(settings.door.scheme, settings.host, port, settings.door.names)


def _house(door: DoorSettings, peers: Peers, most_open_files: int, measures: Measures) -> House:
    return House(
        Limits(door.head_s, door.idle_s),
        Strangers() if door.is_strict else Neighbours(peers, own_uid()),
        most_open_files // _PART_FOR_CONNECTIONS,
        measures,
    )


def _allow_many_open_files() -> int:
    """How many there may be; 256 (macOS) would be too few, with 128 for a batch alone."""
    if sys.platform == "win32":
        return _WANTED_OPEN_FILES
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _WANTED_OPEN_FILES if hard == resource.RLIM_INFINITY else min(_WANTED_OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        return wanted
    return _WANTED_OPEN_FILES if soft == resource.RLIM_INFINITY else soft
