"""`python -m embedded_server --lake DIR`: one lake server, by itself or as an engine's child.

`python -m embedded_server keys …` is for the lake's owner, whether a server runs or not; `verify`
and `rescan` are for a lake at rest.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from embedded_server import logs
from embedded_server.domain.api_key import ApiKey
from embedded_server.domain.errors import CannotServe
from embedded_server.domain.measures import Measures
from embedded_server.own_folder import open_own_folder, unusable_folder_told
from embedded_server.parent import Parent, say
from embedded_server.settings import LogSettings, Settings, parse_arguments, take_key_from
from embedded_server.storage import own_files
from embedded_server.storage.disk import Disk
from embedded_server.storage.lake_lock import LakeInUse, LakeLock
from embedded_server.storage.layout import Layout
from embedded_server.storage.measured_disk import MeasuredDisk
from embedded_server.storage.sharing import SharedDisk, gid_of, keep_private, share


def main(arguments: list[str] | None = None, disk: Disk | None = None) -> int:
    """Returns the process's exit status. A test may hand in a disk that fails."""
    given = sys.argv[1:] if arguments is None else arguments
    if given[:1] == ["keys"]:
        from embedded_server import key_commands

        return key_commands.main(given[1:])
    if given[:1] in (["verify"], ["rescan"]):
        from embedded_server import check_commands

        return check_commands.main(given[0], given[1:])
    managed = "--managed" in given
    logs.configure(LogSettings(is_talkative=managed))
    try:
        key = take_key_from(os.environ)
        settings = parse_arguments(given)
        logs.configure(settings.log)
        if settings.show_key:
            return _show_key(settings, key)
        _run(settings, disk, key)
    except LakeInUse as problem:
        return _tell(managed, str(problem), {"error": "lake_in_use", "address": problem.address})
    except CannotServe as problem:
        return _tell(managed, str(problem), {"error": "cannot_start", "message": str(problem)})
    return 0


def _tell(managed: bool, text: str, record: dict[str, Any]) -> int:
    if managed:
        say(json.dumps(record))
    else:
        sys.stderr.write(f"lakedrop serve: {text}\n")
    return 1


def _show_key(settings: Settings, from_environment: ApiKey | None) -> int:
    key = from_environment
    if key is None:
        disk = Disk()
        layout = open_own_folder(settings.lake, disk)
        with unusable_folder_told(settings.lake):
            key = own_files.read_or_make_key(layout.api_key, disk)
    return 0 if say(key.revealed()) else 1


def _run(settings: Settings, given_disk: Disk | None, key: ApiKey | None) -> None:
    parent = Parent.read(sys.stdin.buffer) if settings.managed else None
    measures = Measures()
    gid = None if settings.group is None else gid_of(settings.group)
    disk = given_disk or _disk(settings, measures, gid)
    layout = open_own_folder(settings.lake, disk)
    with unusable_folder_told(settings.lake):
        lock = LakeLock(layout)
    try:
        with unusable_folder_told(settings.lake):
            if gid is None:
                keep_private(layout)
            else:
                share(layout, gid)
            # A record that a killed server left would send clients to nobody.
            own_files.remove(layout.server_record, disk)
        from embedded_server.running import serve_locked

        serve_locked(settings, layout, disk, key, parent, measures)
    finally:
        own_files.remove(layout.server_record, disk)
        lock.release()


def _disk(settings: Settings, measures: Measures, gid: int | None) -> Disk:
    if gid is None:
        return MeasuredDisk(measures)
    return SharedDisk(measures, Layout(str(settings.lake.absolute())), gid)


if __name__ == "__main__":
    sys.exit(main())
