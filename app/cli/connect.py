"""`lakedrop connect`: remote instances by name, their keys in the system's keyring."""

from __future__ import annotations

import os
from argparse import Namespace

from app.cli import exits
from app.cli.context import CommandContext
from app.cli.engine_session import EngineSession
from app.cli.target import Target, key_for
from app.cli.words import shown
from app.domain.connections import checked_base_url, checked_name
from app.domain.errors import LakeDropError, WrongUse

_BEWARE = (
    "BEWARE: nobody checks who this server is. Whoever is on the way can read and change all data "
    "and take the API key. Better name its certificate with --ca-file."
)


def add(options: Namespace, context: CommandContext) -> int:
    name = checked_name(options.name)
    url = checked_base_url(options.url, allow_plain_http=options.allow_plain_http)
    key = None if options.no_key else _key_to_store(options, context, name)
    with EngineSession(context.attach_engine) as session:
        session.request(
            "save_connection",
            name=name,
            base_url=url,
            allow_plain_http=options.allow_plain_http,
            key=key,
            replace=options.replace,
            ca_file=_path(options.ca_file),
            client_certificate=_path(options.client_cert),
            client_key=_path(options.client_key),
            unverified=options.insecure_accept_any_server,
        )
    if options.insecure_accept_any_server:
        context.terminal.tell(_BEWARE)
    kept = "its key is in the keyring" if key else "no key is stored: set LAKEDROP_API_KEY"
    context.terminal.say(f'Connection "{shown(name)}" to {shown(url)} is saved; {kept}.')
    return exits.DONE


def _path(text: str) -> str:
    """The engine works in a folder of its own."""
    return os.path.abspath(os.path.expanduser(text)) if text else ""  # noqa: PTH100, PTH111


def listed(options: Namespace, context: CommandContext) -> int:
    with EngineSession(context.attach_engine) as session:
        rows = session.request("connections", patient=True)["connections"]
    terminal = context.terminal
    if options.json:
        for row in rows:
            terminal.say_json(row)
        return exits.DONE
    if not rows:
        terminal.say("No connections yet. Add one with: lakedrop connect add NAME URL")
        return exits.DONE
    from app.cli.tables import Cell, Column, say_table

    columns = (Column("Name"), Column("Address"), Column("Key stored"))
    cells = [
        (
            Cell(row["name"]),
            Cell(f"{row['base_url']} NOT CHECKED", "red")
            if row.get("unverified")
            else Cell(row["base_url"]),
            Cell("yes", "green") if row["has_key"] else Cell("no", "yellow"),
        )
        for row in rows
    ]
    say_table(terminal, columns, cells)
    return exits.DONE


def test(options: Namespace, context: CommandContext) -> int:
    """1 for whatever is wrong with the connection; leaves nothing on the server."""
    target = Target(options.name)
    terminal = context.terminal
    try:
        with EngineSession(context.attach_engine) as session:
            key = key_for(target, context, session)
            answer = session.request("check_connection", connection=target.to_wire(), key=key)
    except LakeDropError as error:
        terminal.tell_error(error)
        return exits.FAILED
    server = (
        "a plain server: files are acknowledged, not verified"
        if answer["plain_server"]
        else f"LakeDrop server {shown(str(answer['version']))}"
    )
    terminal.say(f'"{shown(str(answer["label"]))}" works: reached, the key is fine; {server}.')
    return exits.DONE


def remove(options: Namespace, context: CommandContext) -> int:
    with EngineSession(context.attach_engine) as session:
        removed = session.request("remove_connection", name=options.name)["removed"]
    if not removed:
        raise WrongUse(
            f'There is no connection "{shown(options.name)}". See them with: lakedrop connect list'
        )
    context.terminal.say(f'Connection "{shown(options.name)}" and its key are removed.')
    return exits.DONE


def _key_to_store(options: Namespace, context: CommandContext, name: str) -> str:
    """From LAKEDROP_API_KEY, standard input when asked for, or typed; never an argument."""
    terminal = context.terminal
    if options.key_stdin:
        key = terminal.stdin.readline().strip()
    elif context.environment_key:
        key = context.environment_key
    elif terminal.can_ask:
        key = terminal.ask_secret(f"API key of {name} (not shown): ")
    else:
        raise WrongUse(
            "No API key was given. Set LAKEDROP_API_KEY, or pipe the key in with --key-stdin, "
            "or save the connection without one with --no-key."
        )
    if not key:
        raise WrongUse("The API key is empty. Nothing was saved.")
    return key
