"""What each worker of a run does until nothing is left, or it has no place any more."""

from __future__ import annotations

import logging

from app.domain.errors import JournalFailed, LakeDropError
from app.engine.claims import Claims
from app.engine.lanes import Lanes
from app.engine.upload_task import UploadTask

log = logging.getLogger(__name__)


def work(claims: Claims, task: UploadTask, lanes: Lanes, number: int) -> None:
    try:
        while lanes.has_place(number):
            unit = claims.next()
            if unit is None:
                lanes.close()
                return
            task.run(unit)
    except LakeDropError as error:  # the journal, mostly: no item's fault
        claims.stop(error)
        lanes.close()
    except BaseException as bug:
        log.critical("a worker met a bug", exc_info=bug)
        claims.stop(JournalFailed("LakeDrop met a fault of its own; the log has the details."))
        lanes.close()
        raise
