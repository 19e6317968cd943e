"""How much SQLite does for a call, counted in its own instructions: the same on every machine."""

from __future__ import annotations

from collections.abc import Callable

from embedded_server.catalog.sql_catalog import SqlCatalog


def steps_of(catalog: SqlCatalog, work: Callable[[], object]) -> int:
    """Instructions of SQLite's machine, to the next hundred, on the pool's next connection."""
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += 100
        return 0

    with catalog.reading() as db:
        raw = db.connection.driver_connection
        assert raw is not None
        raw.set_progress_handler(count, 100)
    try:
        work()
    finally:
        with catalog.reading() as db:
            raw = db.connection.driver_connection
            assert raw is not None
            raw.set_progress_handler(None, 100)
    return steps
