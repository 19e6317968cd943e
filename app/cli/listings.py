"""`lakedrop jobs` and `lakedrop history`: what a server tells, newest first."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from app.cli import exits, words
from app.cli.context import CommandContext
from app.cli.engine_session import EngineSession
from app.cli.target import Target, key_for, target_of
from app.cli.terminal import Terminal
from app.domain.errors import ConnectionNotUsable, InvalidApiKey
from app.domain.moments import iso_time
from embedded_server.contract import SyncJob, UploadRecord


def jobs(options: Namespace, context: CommandContext) -> int:
    target = target_of(options)
    with EngineSession(context.attach_engine) as session:
        answer = _read(session, context, target, "sync_jobs", newest=options.limit)
    rows = [SyncJob.from_wire(row) for row in answer["jobs"]]
    if options.json:
        for row in rows:
            context.terminal.say_json(_with_iso_times(row.to_wire()))
    elif rows:
        say_jobs(context.terminal, rows)
    else:
        context.terminal.say(f"No sync jobs yet on {_place(target)}.")
    return exits.DONE


def history(options: Namespace, context: CommandContext) -> int:
    target = target_of(options)
    with EngineSession(context.attach_engine) as session:
        answer = _read(
            session, context, target, "history", newest=options.limit, sync_id=options.job
        )
    rows = [UploadRecord.from_wire(row) for row in answer["uploads"]]
    if options.json:
        for row in rows:
            context.terminal.say_json(_with_iso_times(row.to_wire()))
    elif rows:
        say_history(context.terminal, rows)
    elif options.job is not None:
        context.terminal.say(f"No uploads of sync {options.job} on {_place(target)}.")
    else:
        context.terminal.say(f"No uploads yet on {_place(target)}.")
    return exits.DONE


def say_jobs(terminal: Terminal, rows: list[SyncJob]) -> None:
    from app.cli.tables import Cell, Column, say_table

    columns = (
        Column("Id", number=True),
        Column("Name"),
        Column("Path"),
        Column("Mode"),
        Column("Status"),
        Column("Started"),
        Column("Took", number=True),
        Column("Files", number=True),
        Column("Failed", number=True),
    )
    cells = [
        (
            Cell(str(row.sync_id)),
            Cell(row.name),
            Cell(row.path),
            Cell(words.MODES[row.sync_type]),
            Cell(row.sync_status.value, words.STATUS_COLOURS[row.sync_status]),
            Cell(words.local_time(row.start_time)),
            Cell(words.took(row.start_time, row.end_time)),
            Cell(f"{row.total_files:,}"),
            Cell(f"{row.num_failed:,}", "red" if row.num_failed else ""),
        )
        for row in rows
    ]
    say_table(terminal, columns, cells)


def say_history(terminal: Terminal, rows: list[UploadRecord]) -> None:
    from app.cli.tables import Cell, Column, say_table

    columns = (
        Column("Id", number=True),
        Column("Sync", number=True),
        Column("File"),
        Column("Status"),
        Column("Started"),
        Column("Took", number=True),
        Column("Message"),
    )
    cells = [
        (
            Cell(str(row.history_id)),
            Cell(str(row.sync_id)),
            Cell(row.file_name),
            Cell(row.sync_status.value, words.STATUS_COLOURS[row.sync_status]),
            Cell(words.local_time(row.start_time)),
            Cell(words.took(row.start_time, row.end_time)),
            Cell(row.message),
        )
        for row in rows
    ]
    say_table(terminal, columns, cells)


def _read(
    session: EngineSession, context: CommandContext, target: Target, command: str, **args: Any
) -> dict[str, Any]:
    """The contract asks for no key here, so one is asked for only when a server insists."""
    key = None if target.is_local else context.environment_key
    wire = target.to_wire()
    try:
        return session.request(command, connection=wire, key=key, **args)
    except (ConnectionNotUsable, InvalidApiKey):
        if key or target.is_local:
            raise
        key = key_for(target, context, session)
        if key is None:  # the keyring has one, so that was not what is wrong
            raise
    return session.request(command, connection=wire, key=key, **args)


def _with_iso_times(wire: dict[str, Any]) -> dict[str, Any]:
    return wire | {
        "start_time_iso": iso_time(wire["start_time"]),
        "end_time_iso": iso_time(wire["end_time"]),
    }


def _place(target: Target) -> str:
    return "the local lake" if target.is_local else target.label
