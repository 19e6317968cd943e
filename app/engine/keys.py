"""Which API key a job or a look at a server uses."""

from __future__ import annotations

import threading

from app.domain import sentences
from app.domain.connections import Connection, origin
from app.domain.errors import ConnectionNotUsable
from app.domain.ports import ConnectionStore, Secrets
from app.domain.upload_job import UploadJob


class Keys:
    """The key for a use: the one that came with the command, else the session's, else the
    keyring's.

    A job keeps the one it was given, and a connection the one of this session, in memory only, as
    long as the engine lives. A session key belongs to a name *and* its address; a key of the
    keyring, which knows names alone, goes to no origin but the one the name stands for now.
    """

    def __init__(self, secrets: Secrets, store: ConnectionStore) -> None:
        self._secrets = secrets
        self._store = store
        self._lock = threading.Lock()
        self._of_jobs: dict[int, str] = {}
        self._of_session: dict[tuple[str, str], str] = {}

    def give(self, job_id: int, key: str | None) -> None:
        if key:
            with self._lock:
                self._of_jobs[job_id] = key

    def forget(self, job_id: int) -> None:
        """The job is gone, or goes to another server."""
        with self._lock:
            self._of_jobs.pop(job_id, None)

    def of_job(self, job: UploadJob) -> str | None:
        with self._lock:
            given = self._of_jobs.get(job.job_id)
        return self.of(job.connection, given)

    def of(self, connection: Connection, given: str | None) -> str | None:
        """Raises `ConnectionNotUsable` where none was given and there is no keyring, or where the
        connection's name goes to another server by now."""
        key = self.at_hand(connection, given)
        if key or connection.is_local or not connection.name:
            return key
        now = self._store.find(connection.name)
        if now is None:
            return None
        if origin(now.base_url) != origin(connection.base_url):
            raise ConnectionNotUsable(
                sentences.KEY_OF_ANOTHER(
                    name=connection.name, now=now.base_url, before=connection.base_url
                )
            )
        return self._secrets.get(connection.name)

    def at_hand(self, connection: Connection, given: str | None) -> str | None:
        """The key that is in memory; never asks the keyring."""
        return given or self.of_session(connection)

    def of_session(self, connection: Connection) -> str | None:
        with self._lock:
            return self._of_session.get((connection.name, connection.base_url))

    def keep_for_session(self, connection: Connection, key: str) -> None:
        with self._lock:
            self._of_session[connection.name, connection.base_url] = key

    def forget_session(self, name: str) -> None:
        """All session keys of a connection, whatever its address was."""
        with self._lock:
            for place in [place for place in self._of_session if place[0] == name]:
                del self._of_session[place]
