"""A lake whose published files a group of the system may read: `--group`.

    <lake>            0750 group    <lake>/files and all below   folders 2750, files 0640, group
    <lake>/.lakedrop  0700          nobody else's, keys and trash included

Files get their group and mode while they are still out of sight, so that no reader meets one that
it may not open. Folders pass the group on (the set-group-id bit), also to what others put there.
Without `--group` everything is the owner's alone: 0700 and 0600.
"""

from __future__ import annotations

import os
import stat
import sys

from embedded_server.domain.errors import CannotServe
from embedded_server.domain.measures import Measures
from embedded_server.storage.layout import Layout
from embedded_server.storage.measured_disk import MeasuredDisk

_SHARED_FOLDER = 0o2750
_SHARED_FILE = 0o640
_SHARED_ROOT = 0o750
_OWN_FOLDER = 0o700
_OF_OTHERS = 0o077


def gid_of(group: str) -> int:
    """Raises `CannotServe` for a group that the system does not know."""
    if sys.platform == "win32":
        raise CannotServe("--group is for systems with groups; on Windows share the folder instead")
    import grp

    try:
        return grp.getgrnam(group).gr_gid
    except KeyError as cause:
        raise CannotServe(f"this system has no group {group!r:.100}") from cause


class SharedDisk(MeasuredDisk):
    """Makes what will be published readable for the group; the rest as every disk does."""

    def __init__(self, measures: Measures, layout: Layout, gid: int) -> None:
        super().__init__(measures)
        self._gid = gid
        self._shared = tuple(
            folder + os.sep for folder in (layout.files, layout.incoming, layout.all_staging)
        )

    def create_file(self, path: str) -> int:
        descriptor = super().create_file(path)
        if path.startswith(self._shared):
            try:
                os.fchown(descriptor, -1, self._gid)
                os.fchmod(descriptor, _SHARED_FILE)
            except OSError:
                os.close(descriptor)
                os.unlink(path)
                raise
        return descriptor

    def make_folder(self, path: str) -> None:
        super().make_folder(path)
        if path.startswith(self._shared):
            with self.reached(path) as reached:
                descriptor = os.open(reached, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                os.fchown(descriptor, -1, self._gid)
                os.fchmod(descriptor, _SHARED_FOLDER)
            finally:
                os.close(descriptor)


def share(layout: Layout, gid: int) -> None:
    """Opens what is published to the group; all that is there already, the first time.

    Raises `OSError`, for a group that the owner is no member of.
    """
    # Bottom up, `files` itself last: a start that is cut off begins anew.
    is_shared = _is_shared(layout.files, gid)
    os.chown(layout.root, -1, gid)
    os.chmod(layout.root, _SHARED_ROOT)
    if is_shared:
        return
    for folder, _, names in os.walk(layout.files, topdown=False):
        for name in names:
            path = os.path.join(folder, name)
            if not os.path.islink(path):
                os.chown(path, -1, gid, follow_symlinks=False)
                os.chmod(path, _SHARED_FILE)
        os.chown(folder, -1, gid)
        os.chmod(folder, _SHARED_FOLDER)


def keep_private(layout: Layout) -> None:
    """What was shared in an earlier run is the owner's alone again. Raises `OSError`."""
    if os.name == "posix" and stat.S_IMODE(os.stat(layout.files).st_mode) & _OF_OTHERS:
        os.chmod(layout.files, _OWN_FOLDER)


def _is_shared(folder: str, gid: int) -> bool:
    found = os.stat(folder)
    return found.st_gid == gid and stat.S_IMODE(found.st_mode) == _SHARED_FOLDER
