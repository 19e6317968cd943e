"""The messages on the engine's local socket: JSON objects, one a frame, UTF-8.

A screen (window or command line) sends requests; the engine answers each, in any order, and sends
events about jobs that this screen watches. Frames are `multiprocessing.connection` byte messages
on a Unix socket or named pipe, authenticated by HMAC with the key of the runtime file; nothing is
ever pickled.

    → {"id": 7, "command": "watch", "args": {"job_id": 3}}
    ← {"id": 7, "result": {…}}                     or
    ← {"id": 7, "error": {"kind": "WrongUse", "title": "…", "message": "…"}}
    ← {"event": "job", "job": {…JobSnapshot.to_wire()…}}      at most some ten a second for a job
    ← {"event": "gone", "job_ids": [3, 4]}                    removed; after `watch_jobs` only

Commands (arguments → result). `connection` is `{"name": "local"}`, `{"name": "prod"}` or
`{"base_url": "https://…", "allow_plain_http": false}`; `key` is an API key for this use, or null
to take the keyring's. `ranges` are item numbers, [[first, last]…], both ends included.

    hello             {}                                        → {version, pid}
    stop              {}                  → {}; the engine ends, running jobs wait for the next one

Drafts. A `kept` one is a window's: it may have no sources yet, is gone on with by the next engine,
and a dropped path that is not there becomes a failed item instead of failing the job.

    add_job           {connection, key, destination, mode, name, sources: [[path, contents_only]…],
                       contents_only: bool=false, kept: bool=false, picking: {include:
                       [pattern…]=[], exclude: [pattern…]=[], keep_junk: bool=false}={},
                       most_shrink_percent: int=50, send_all: bool=false}
                                          → {job_id}; intake begins at once
    add_sources       {job_id, sources: [[path, contents_only]…]} → {}; may come in many calls
    edit_job          {job_id, any of: destination, mode, name, contents_only, connection + key}
                                          → JobSnapshot
    remove_items      {job_id, ranges}    → {removed}
    wait_intake       {job_id}            → JobSnapshot, when all files are found
    impact            {job_id}            → Impact (dataclasses.asdict; mode as text)
    start_job         {job_id, consents: {empty_full_sync, empty_sources, shrink,
                       same_names_on_plain_server, end_without_failed_files}}  → {}

Jobs that were started.

    cancel_job        {job_id}            → {}; the watch tells when it is cancelled
    pause_job         {job_id}            → {}; the watch tells when it is paused
    resume_job        {job_id}            → {}
    retry_job         {job_id, allow_shrink: bool=false} → {}; failed files are queued again;
                                            allow_shrink: consent for a full sync that rests for it
    finish_job        {job_id}            → {}; ends an incremental sync without its failed files
    remove_job        {job_id}            → {}; forgets a draft, or a job that has ended
    provide_key       {job_id, key}       → {}; for a job that goes on after the engine restarted

How fast: for all uploads of this engine, at once and until it is changed.

    pace              {}                  → {limit, limit_bytes_s, parallel}; `limit` as it was
                                            given, `limit_bytes_s` what it means now or null
    set_pace          {limit: text, parallel: int, either may be left out} → as `pace`;
                                            `limit`: see `app.domain.bandwidth`; `parallel`
                                            requests a job, 0: the engine chooses

Looking at them.

    watch             {job_id}            → JobSnapshot now; events until the screen leaves
    watch_jobs        {}                  → {jobs: [JobSnapshot…]}: all but drafts that are not
                                            kept; events of these and of later ones
    items             {job_id, states: [..]|null, after, limit} → {items: [item_to_wire()…]}
    item_ranges       {job_id, states: [..]|null, after}        → {ranges}: all numbers above
    items_at          {job_id, ranges}    → {items: [item_to_wire()…]}, 1,000 at the most
    left_out          {job_id, limit}     → {left_out: [[source, reason]…]}

What servers hold, and connections. Whom a connection trusts (`ca_file`, `client_certificate`,
`client_key`: paths, and `unverified`) may be left out; what is saved before then stays, where it is
the same server.

    sync_jobs         {connection, key, newest}                 → {jobs: [wire…]} newest first
    history           {connection, key, newest, sync_id|null}   → {uploads: [wire…]} newest first
    count_rows        {connection, key, of: "sync_jobs"|"history", known} → {count}; `known` rows
                                            there were at an earlier count
    page_rows         {connection, key, of, offset, limit}      → {rows: [wire…]} oldest first
    history_of_sync   {connection, key, sync_id, before: offset|null, limit, known: int=0,
                       after: offset=0}   → {uploads: [wire…] newest first, before: offset|null
                                            (null: there are no more), count: rows of the whole
                                            history, to be given as `known` the next time,
                                            running: bool}
    connections       {patient: bool=false} → {keyring: bool, connections: [{name, base_url,
                                             allow_plain_http, has_key,
                                             key: "keyring"|"session"|"none"}…]}; `patient` waits
                                            for a keyring that waits for its user's password
    save_connection   {name, base_url, allow_plain_http, key|null, replace, was: name|null,
                       keep_key: bool=false, session_only: bool=false,
                       key_place: "keyring"|"session"|null=null}
                                          → {jobs_that_stay: int}; jobs follow an edited
                                            connection; those whose sync has begun on another
                                            server than it goes to now stay there
    remove_connection {name}              → {removed: bool}
    check_connection  {connection, key, key_of: name|null=null}
                                          → {label, plain_server, version, extensions}
    lake_entries      {connection, key, folder, offset, limit}
                                          → {page: {total, rows: [wire…]} by name, or null where
                                            the server cannot be asked}
    lake              {}                  → {lake, files}: folders; starts the local lake
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.domain.errors import LakeDropError
from app.domain.queue_item import QueueItem

PROTOCOL_VERSION = 4
MAX_FRAME_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class RuntimeFile:
    """How to find the engine: the 0600 file it writes once it listens.

    `notice`: what every screen is to tell its user, as a sentence; mostly there is none.
    """

    address: str
    auth_key_hex: str
    pid: int
    protocol: int = PROTOCOL_VERSION
    notice: str = ""

    def to_json(self) -> str:
        return json.dumps({name: getattr(self, name) for name in self.__slots__})

    @classmethod
    def read(cls, path: Path) -> RuntimeFile | None:
        """None where there is no such file or it is torn: then there is no engine to find."""
        try:
            fields = json.loads(path.read_text(encoding="utf-8"))
            return cls(
                str(fields["address"]),
                str(fields["auth_key_hex"]),
                int(fields["pid"]),
                int(fields["protocol"]),
                str(fields.get("notice", "")),
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def __repr__(self) -> str:  # the key must not reach a log through a repr
        return f"RuntimeFile(address={self.address!r}, pid={self.pid})"


def encode(message: Mapping[str, Any]) -> bytes:
    """A frame. Names that are no UTF-8 (lone surrogates) survive the way as escapes."""
    return json.dumps(message, ensure_ascii=True, separators=(",", ":")).encode("ascii")


def decode(frame: bytes) -> dict[str, Any]:
    """Raises `ValueError` for a frame that is no JSON object."""
    message = json.loads(frame)
    if not isinstance(message, dict):
        raise ValueError("a message must be a JSON object")  # noqa: TRY004  one error for all
    return message


def error_to_wire(error: LakeDropError) -> dict[str, str]:
    return {"kind": error.kind, "title": error.title, "message": error.message}


def item_to_wire(item: QueueItem) -> dict[str, Any]:
    return {
        "item_id": item.item_id,
        "source": item.source,
        "lake_path": item.lake_path,
        "folder": item.folder,
        "name": item.name,
        "size_bytes": item.size_bytes,
        "state": item.state.value,
        "assurance": item.assurance.value,
        "tries": item.tries,
        "message": item.message,
        "problem": item.problem,
        "sha256": item.sha256,
    }
