"""What must be true of a lake whose server or machine went down in the middle of something."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support import lake_oracle
from tests.support.forked_server import ForkedServer, ForkedServers
from tests.support.lake_connection import LakeConnection
from tests.support.lake_oracle import Generation
from tests.support.ledger import Acknowledged, Told
from tests.support.real_server import ServerDidNotStart


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a client had come. `allowed` may be none: then nothing is known of the folder.

    `unsure_sync_id`: a full sync whose *end* was sent; the last of `allowed` is what it publishes.
    `in_pieces`: names of files that travel so.
    """

    folder: str
    acknowledged: list[Acknowledged]
    allowed: list[Generation]
    unsure_sync_id: int | None
    told: Sequence[Told] = ()
    in_pieces: frozenset[str] = frozenset()


def complaints_about_lake(servers: ForkedServers, progress: Progress, lake: Path) -> list[str]:
    """Before a server opens it, after that, and after a client has gone on. Changes the lake."""
    complaints = _about_files(progress, lake)
    try:
        server = ForkedServer(servers, lake)
    except ServerDidNotStart as error:
        return [*complaints, f"the lake cannot be opened: {error}"]
    with server, LakeConnection(server.port) as connection:
        complaints += _about_files(progress, lake)
        complaints += lake_oracle.left_behind(lake)
        seen = lake_oracle.published(lake)
        complaints += lake_oracle.lost_files(seen, progress.acknowledged)
        complaints += lake_oracle.lost_offsets(connection, progress.told)
        complaints += lake_oracle.half_files(lake_oracle.published(lake))
        complaints += lake_oracle.lost_rows(
            connection, progress.acknowledged, lambda name: name in progress.in_pieces
        )
        if progress.unsure_sync_id is not None:
            complaints += _about_the_end(progress, lake, connection)
        if progress.in_pieces:
            complaints += _about_what_stays_open(connection)
        server.kill()
    return complaints


def _about_files(progress: Progress, lake: Path) -> list[str]:
    seen = lake_oracle.published(lake)
    complaints = lake_oracle.half_files(seen) + lake_oracle.lost_versions(lake, seen)
    if progress.allowed:
        complaints += lake_oracle.neither_old_nor_new(seen, progress.folder, progress.allowed)
    return complaints


def _about_what_stays_open(connection: LakeConnection) -> list[str]:
    """What was begun and never told to its client is over with its sync."""
    for job in connection.jobs():
        if job["sync_status"] == "Syncing" and job["sync_type"] == "IncrementalSync":
            connection.end(int(job["sync_id"]))
    over = {job["sync_id"] for job in connection.jobs() if job["sync_status"] != "Syncing"}
    return [
        f"the history shows {row['file_name']} on its way for ever"
        for row in connection.history()
        if row["sync_status"] == "Syncing" and row["sync_id"] in over
    ]


def _about_the_end(progress: Progress, lake: Path, connection: LakeConnection) -> list[str]:
    """A client that got no answer sends *end* again: then the new data stands, and stays."""
    assert progress.unsure_sync_id is not None
    connection.end(progress.unsure_sync_id)
    new = progress.allowed[-1]
    complaints = lake_oracle.neither_old_nor_new(
        lake_oracle.published(lake), progress.folder, [new]
    )
    states = {job["sync_id"]: job["sync_status"] for job in connection.jobs()}
    status = states.get(progress.unsure_sync_id, "unknown")
    if status != "Finished":
        complaints.append(f"the full sync is {status} after its end was sent again")
    trash = (lake / ".lakedrop/trash").rglob("*")
    kept = {path.name for path in trash if path.is_file()}
    replaced = {path for old in progress.allowed[:-1] for path in old.acknowledged}
    return complaints + [
        f"{path} was replaced and is not in the trash"
        for path in sorted(replaced)
        if path.rpartition("/")[2] not in kept
    ]
