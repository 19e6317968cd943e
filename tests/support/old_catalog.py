"""A catalog of the first shape with some history in it, as an older version left it behind."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, create_engine
from sqlalchemy.pool import NullPool

from embedded_server.catalog.schema import migrate

SYNCS = [
    (1, "first", "/data/x", "IncrementalSync", "Finished", 1_000, 9_000, 2_500, 1),
    (2, "second", "/data/y", "FullSync", "Syncing", 9_500, 0, 2, 0),
]
UPLOADS = [
    *(
        (number, 1, "/data/x", f"f{number}.csv", 3, "ab" * 32, 1_000 + number, 2_000 + number,
         "Failed" if number == 7 else "Finished", "cut" if number == 7 else "")
        for number in range(1, 2_501)
    ),
    (2_501, 2, "/data/y", "a.csv", 3, "cd" * 32, 9_600, 9_700, "Finished", ""),
    (2_502, 2, "/data/y", "b.csv", 0, "", 9_650, 0, "Syncing", ""),
]  # fmt: skip


def connected(file: Path) -> Connection:
    return create_engine(f"sqlite:///{file}", poolclass=NullPool).connect()


def make_old_catalog(file: Path) -> None:
    with connected(file) as connection:
        connection.exec_driver_sql("PRAGMA journal_mode=WAL")
        migrate(connection, "0001")
        for table, rows in (("syncs", SYNCS), ("uploads", UPLOADS)):
            places = ", ".join("?" * len(rows[0]))
            connection.exec_driver_sql(f"INSERT INTO {table} VALUES ({places})", list(rows))
        connection.commit()
