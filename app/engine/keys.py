"""Which API key a job or a look at a server uses."""

from __future__ import annotations

import threading

from app.domain.connections import Connection
from app.domain.ports import Secrets
from app.domain.upload_job import UploadJob


class Keys:
    """The key for a use: the one that came with the command, else the keyring's.

    A job keeps the one it was given, in memory only, as long as the engine lives.
    """

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets
        self._lock = threading.Lock()
        self._of_jobs: dict[int, str] = {}

    def give(self, job_id: int, key: str | None) -> None:
        if key:
            with self._lock:
                self._of_jobs[job_id] = key

    def of_job(self, job: UploadJob) -> str | None:
        with self._lock:
            given = self._of_jobs.get(job.job_id)
        return self.of(job.connection, given)

    def of(self, connection: Connection, given: str | None) -> str | None:
        """Raises `ConnectionNotUsable` where none was given and there is no keyring."""
        if given or connection.is_local or not connection.name:
            return given
        return self._secrets.get(connection.name)
