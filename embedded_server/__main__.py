"""`python -m embedded_server --lake DIR`: one lake server, by itself or as an engine's child."""

from __future__ import annotations

import hmac
import json
import logging
import os
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO, Any

from embedded_server.domain.api_key import ApiKey
from embedded_server.domain.errors import CannotServe
from embedded_server.settings import (
    KEY_VARIABLE,
    Settings,
    absolute,
    parse_arguments,
    take_key_from,
)
from embedded_server.storage import own_files
from embedded_server.storage.disk import Disk
from embedded_server.storage.lake_lock import LakeInUse, LakeLock
from embedded_server.storage.layout import Layout
from embedded_server.storage.local_lake import open_layout

_MAX_PARENT_LINE_BYTES = 64 << 10
_WANTED_OPEN_FILES = 4_096

_log = logging.getLogger("embedded_server")


@dataclass(frozen=True, slots=True)
class _Parent:
    """What an engine that starts the server as its child says on standard input."""

    nonce: bytes = field(repr=False)
    key: ApiKey


def main(arguments: list[str] | None = None, disk: Disk | None = None) -> int:
    """Returns the process's exit status. A test may hand in a disk that fails."""
    given = sys.argv[1:] if arguments is None else arguments
    managed = "--managed" in given
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s"
    )
    if not managed:
        logging.getLogger().setLevel(logging.WARNING)
    try:
        key = take_key_from(os.environ)
        settings = parse_arguments(given)
        if settings.show_key:
            return _show_key(settings, key)
        _run(settings, disk or Disk(), key)
    except LakeInUse as problem:
        return _tell(managed, str(problem), {"error": "lake_in_use", "address": problem.address})
    except CannotServe as problem:
        return _tell(managed, str(problem), {"error": "cannot_start", "message": str(problem)})
    return 0


def _tell(managed: bool, text: str, record: dict[str, Any]) -> int:
    if managed:
        _say(json.dumps(record))
    else:
        sys.stderr.write(f"lakedrop serve: {text}\n")
    return 1


def _say(line: str) -> bool:
    """Whether the line was taken. A reader that went away (`serve | head -1`) ends nothing."""
    try:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
    except OSError as cause:
        _log.warning("standard output cannot be written: %s", cause.strerror)
        # What is still in its buffer must have somewhere to go when the process ends.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
        return False
    return True


def _show_key(settings: Settings, from_environment: ApiKey | None) -> int:
    key = from_environment
    if key is None:
        disk = Disk()
        layout = _layout(settings, disk)
        with _unusable_folder_told(settings):
            key = own_files.read_or_make_key(layout.api_key, disk)
    return 0 if _say(key.revealed()) else 1


def _run(settings: Settings, disk: Disk, key: ApiKey | None) -> None:
    parent = _read_parent(sys.stdin.buffer) if settings.managed else None
    layout = _layout(settings, disk)
    with _unusable_folder_told(settings):
        lock = LakeLock(layout)
    try:
        with _unusable_folder_told(settings):
            # A record that a killed server left would send clients to nobody.
            own_files.remove(layout.server_record, disk)
        _serve_locked(settings, layout, disk, key, parent)
    finally:
        own_files.remove(layout.server_record, disk)
        lock.release()


def _serve_locked(
    settings: Settings, layout: Layout, disk: Disk, key: ApiKey | None, parent: _Parent | None
) -> None:
    # Late, so that bad flags and a lake in use are told at once: these are the slow imports.
    from embedded_server.opened_lake import OpenedLake
    from embedded_server.serving import StopRequest, address_of, listening_socket, serve

    stop = StopRequest()
    stop.on_signals()
    if parent is not None:
        _ask_at_end_of_input(sys.stdin.buffer, stop.ask)
    _allow_many_open_files()
    key_told = _key_told(settings, key, parent)
    used_key = parent.key if parent is not None else key
    if used_key is None:
        with _unusable_folder_told(settings):
            used_key = own_files.read_or_make_key(layout.api_key, disk)
    with listening_socket(settings.host, settings.port) as listener:
        address = address_of(listener)
        with _unusable_folder_told(settings):
            opened = OpenedLake(layout, disk)

        def on_listening() -> None:
            with _unusable_folder_told(settings):
                own_files.write_server_record(
                    layout.server_record,
                    address,
                    disk,
                    key_is_in_lake=parent is None and key is None,
                )
            if parent is None:
                _say(f"LakeDrop lake server listening on {address}")
                _say(key_told)
            else:
                proof = hmac.new(parent.nonce, address.encode("ascii"), "sha256").hexdigest()
                _say(json.dumps({"listening": address, "proof": proof}))

        try:
            serve(opened.app(used_key, listener.getsockname()[1]), listener, stop, on_listening)
        finally:
            opened.close()


def _key_told(settings: Settings, key: ApiKey | None, parent: _Parent | None) -> str:
    if parent is not None or key is not None:
        return f"The API key is the one in {KEY_VARIABLE}."
    return f"To see the API key: lakedrop serve --lake {settings.lake} --show-key"


def _layout(settings: Settings, disk: Disk) -> Layout:
    os.umask(0o077)  # what this process makes is its owner's alone
    with _unusable_folder_told(settings):
        return open_layout(absolute(settings.lake), disk)


class _unusable_folder_told:  # noqa: N801  # reads as a phrase after `with`
    """Turns an `OSError` of the lake's own folder into a `CannotServe`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def __enter__(self) -> None:
        return None

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, OSError):
            reason = error.strerror or type(error).__name__
            raise CannotServe(
                f"the folder {self._settings.lake} cannot be used as a lake: {reason}."
                " Choose a folder that you may write to with --lake"
            ) from error


def _read_parent(stdin: IO[bytes]) -> _Parent:
    line = stdin.readline(_MAX_PARENT_LINE_BYTES)
    try:
        told = json.loads(line)
        return _Parent(bytes.fromhex(told["nonce"]), ApiKey(told["api_key"]))
    except (ValueError, KeyError, TypeError):
        # Without the cause: it could quote the line, and the line holds the key.
        raise CannotServe(
            'the first line of standard input must be {"nonce": "<hex>", "api_key": "<key>"}'
        ) from None


def _ask_at_end_of_input(stdin: IO[bytes], ask: Callable[[], None]) -> None:
    """The parent never writes again: the end of its pipe means that it is gone."""

    def wait() -> None:
        while stdin.read(1024):
            pass
        _log.info("the parent is gone: stopping")
        ask()

    threading.Thread(target=wait, name="parent-watch", daemon=True).start()


def _allow_many_open_files() -> None:
    """Batches keep up to 128 files open each, connections one; 256 (macOS) would be too few."""
    if sys.platform == "win32":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _WANTED_OPEN_FILES if hard == resource.RLIM_INFINITY else min(_WANTED_OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


if __name__ == "__main__":
    sys.exit(main())
