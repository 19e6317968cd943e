"""What a start does before the first answer: nothing half done stays half done.

Each step may be interrupted itself and is simply done again by the next start.
"""

from __future__ import annotations

import logging

from embedded_server.domain.errors import CannotServe, LakeError, PathConflict
from embedded_server.domain.ports import Catalog, Clock, Lake

STOPPED_MESSAGE = "the server stopped before the file had arrived"

_log = logging.getLogger(__name__)


def recover(lake: Lake, catalog: Catalog, clock: Clock) -> None:
    """Raises `CannotServe` when the lake cannot be brought to a sound state."""
    try:
        # First: what it tells of is acknowledged, and whatever comes next may move it.
        catalog.add_missing_uploads(lake.go_on_with_log())
        lake.forget_log()
        lake.wipe_incoming()
        for intent in catalog.open_intents():
            _log.warning("sync %d: taking its interrupted swap further", intent.sync_id)
            try:
                lake.go_on_with_swap(intent)
            except PathConflict as error:
                # One sync that has lost its place must not keep the whole lake shut. What it had
                # staged is set aside below, with all that no running sync owns.
                _log.error("sync %d cannot be ended and fails: %s", intent.sync_id, error.message)
                catalog.fail_sync(intent.sync_id, clock(), error.message)
            else:
                catalog.finish_sync(intent.sync_id, clock())
        for version in lake.go_on_putting_back():
            _log.warning("sync %d: putting back what it replaced has gone on", version.sync_id)
        for sync_id in lake.staged_sync_ids():
            sync = catalog.find_sync(sync_id)
            if sync is not None and sync.was_given_up:
                lake.discard_staged(sync_id)
        lake.set_aside_staging(keep=catalog.running_sync_ids())
        failed = catalog.fail_left_over_uploads(STOPPED_MESSAGE, clock())
        if failed:
            _log.warning("%d uploads had not arrived when the server stopped", failed)
    except LakeError as cause:
        raise CannotServe(f"the lake cannot be recovered: {cause.message}") from cause
