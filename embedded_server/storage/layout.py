"""Where things lie in a lake's own folder; strings, because every upload joins some of them.

<lake>/files/data/db/transactions/part-1.parquet      what readers see, and nothing else
<lake>/.lakedrop/catalog.db  api-key  lock  server.json  owners-door.json  trash-ages.json
<lake>/.lakedrop/incoming/                            temporary files of uploads
<lake>/.lakedrop/log/<n>                              small files that only the log makes durable
<lake>/.lakedrop/partial/<upload>                     what has come of resumable uploads
<lake>/.lakedrop/staging/<sync_id>/                   what a full sync has so far
<lake>/.lakedrop/trash/<sync_id>/<n>/<lake path>      what syncs replaced
<lake>/.lakedrop/restoring/<intent>/<lake path>       what of a version is still to be put back
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from embedded_server.domain.lake_path import LakePath


@dataclass(frozen=True, slots=True)
class Layout:
    root: str

    @property
    def own(self) -> str:
        return os.path.join(self.root, ".lakedrop")

    @property
    def files(self) -> str:
        return os.path.join(self.root, "files")

    @property
    def incoming(self) -> str:
        return os.path.join(self.own, "incoming")

    @property
    def log(self) -> str:
        return os.path.join(self.own, "log")

    def log_segment(self, number: int) -> str:
        return os.path.join(self.log, str(number))

    @property
    def partial(self) -> str:
        return os.path.join(self.own, "partial")

    @property
    def all_staging(self) -> str:
        return os.path.join(self.own, "staging")

    @property
    def all_trash(self) -> str:
        return os.path.join(self.own, "trash")

    @property
    def all_restoring(self) -> str:
        return os.path.join(self.own, "restoring")

    @property
    def catalog(self) -> str:
        return os.path.join(self.own, "catalog.db")

    @property
    def api_key(self) -> str:
        return os.path.join(self.own, "api-key")

    @property
    def lock(self) -> str:
        return os.path.join(self.own, "lock")

    @property
    def server_record(self) -> str:
        return os.path.join(self.own, "server.json")

    @property
    def owners_door(self) -> str:
        return os.path.join(self.own, "owners-door.json")

    @property
    def trash_ages(self) -> str:
        return os.path.join(self.own, "trash-ages.json")

    def published(self, path: LakePath) -> str:
        return os.path.join(self.files, *path.segments)

    def staging(self, sync_id: int) -> str:
        return os.path.join(self.all_staging, str(sync_id))

    def trash_number(self, sync_id: int, number: int) -> str:
        return os.path.join(self.all_trash, str(sync_id), str(number))

    def folders(self) -> tuple[str, ...]:
        """All folders a lake has from the first start, parents first."""
        return (
            *(self.root, self.own, self.files),
            *(self.incoming, self.log, self.partial, self.all_staging, self.all_trash),
        )
