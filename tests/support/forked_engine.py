"""A real engine that starts in milliseconds, in a home of its own, with a server to upload to."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.domain.connections import Connection
from app.infra.connection_store import TomlConnectionStore
from app.infra.keyring_secrets import SERVICE
from app.infra.places import HOME_VARIABLE
from app.link.engine_client import EngineClient
from app.link.engine_errors import EngineGone
from app.link.engine_starter import connect_running
from tests.support import engine_zygote
from tests.support.broken_engines import SOUND
from tests.support.file_keyring import BACKEND, FILE_VARIABLE
from tests.support.forked_process import ForkedProcess, Zygote
from tests.support.home import Home
from tests.support.real_server import SAMPLE_KEY

CONNECTION = "team"
_READY = re.compile(r'"ready": *true')


class EngineDidNotStart(AssertionError):
    """The text is what it said instead of being ready."""


class ForkedEngine(ForkedProcess):
    """Returns once it is ready. Raises `EngineDidNotStart`."""

    def __init__(self, engines: Zygote, home: Home, build: str = SOUND) -> None:
        self._places = home.places
        home.places.make()
        environment = {
            HOME_VARIABLE: str(home.folder),
            "LAKEDROP_ENGINE_LINGER_S": "600",
            "PYTHON_KEYRING_BACKEND": BACKEND,
            FILE_VARIABLE: str(_keyring_of(home)),
        }
        order = {"build": build, "environment": environment}
        super().__init__(engines, order, home.places.engine_log)
        said = self.read_until(_READY)
        if isinstance(said, str):
            self.wait()
            raise EngineDidNotStart(said or self.errors.read_text()[-4000:])

    def screen(self) -> EngineClient:
        """Raises `EngineGone` when it was killed meanwhile."""
        client = connect_running(self._places.runtime_file)
        if client is None:
            raise EngineGone("It was killed.")
        return client


def connect_to(home: Home, address: str) -> None:
    """Makes the connection `CONNECTION`, its key in a keyring, as an engine finds it."""
    home.places.make()
    store = TomlConnectionStore(home.places.connections_file)
    store.save(Connection(CONNECTION, address, allow_plain_http=True))
    _keyring_of(home).write_text(json.dumps({f"{SERVICE}/{CONNECTION}": SAMPLE_KEY}), "utf-8")


def _keyring_of(home: Home) -> Path:
    return home.folder / "keyring.json"


@contextmanager
def forked_engines() -> Iterator[Zygote]:
    engines = Zygote(Path(engine_zygote.__file__))
    try:
        yield engines
    finally:
        engines.close()
