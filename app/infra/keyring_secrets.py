"""API keys in the operating system's keyring, one entry a connection."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from app.domain import sentences
from app.domain.connections import no_keyring
from app.domain.errors import ConnectionNotUsable

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

SERVICE = "LakeDrop"


class KeyringSecrets:
    """`ports.Secrets`. The package is imported at the first use: it looks for back-ends by
    reading every installed package's metadata."""

    def __init__(self, service: str = SERVICE) -> None:
        self._service = service
        self._lock = threading.Lock()  # back-ends do not promise to be shared by threads

    def available(self) -> bool:
        """Without the lock: answers also while a locked keyring waits for its user."""
        try:
            with _told("found"):
                _backend()
        except ConnectionNotUsable:
            return False
        return True

    def get(self, connection_name: str) -> str | None:
        with self._lock, _told("read"):
            return _backend().get_password(self._service, connection_name)

    def set(self, connection_name: str, key: str) -> None:
        with self._lock, _told("stored"):
            _backend().set_password(self._service, connection_name, key)

    def delete(self, connection_name: str) -> None:
        """Fine when there is none."""
        with self._lock, _told("removed"):
            backend = _backend()
            if backend.get_password(self._service, connection_name) is not None:
                backend.delete_password(self._service, connection_name)


_finding = threading.Lock()  # the package does not promise to be asked first by two at once


def _backend() -> KeyringBackend:
    import keyring
    from keyring.backends import fail, null

    with _finding:
        backend = keyring.get_keyring()
    # The null back-end takes a key and forgets it: to the user that is no keyring either.
    if isinstance(backend, fail.Keyring | null.Keyring):
        raise no_keyring()
    return backend


@contextmanager
def _told(done: str) -> Iterator[None]:
    """Whatever a back-end raises becomes one error. Its own words stay out of the message, for
    nobody promises that they hold no key."""
    try:
        yield
    except ConnectionNotUsable:
        raise
    except Exception as cause:
        raise ConnectionNotUsable(
            sentences.KEYRING_FAILED(
                done=done, kind=type(cause).__name__, way_out=sentences.NO_KEYRING_WAY_OUT()
            )
        ) from cause
