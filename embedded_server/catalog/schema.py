"""Brings a catalog's schema to the shape that this version works with."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection

from embedded_server.catalog.kept_copy import keep_copy
from embedded_server.catalog.tables import BLOCK_TRIGGERS, HEAD_REVISION, metadata
from embedded_server.domain.errors import CannotServe

_MIGRATIONS = Path(__file__).parent / "migrations"


def current_revision(connection: Connection) -> str | None:
    known = connection.exec_driver_sql(
        "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'alembic_version'"
    ).scalar()
    if not known:
        return None
    revision = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return None if revision is None else str(revision)


def bring_to_head(connection: Connection, file: Path) -> None:
    """Raises `CannotServe` for a catalog that a newer version wrote, or without room for a copy."""
    revision = current_revision(connection)
    connection.rollback()
    if revision == HEAD_REVISION:
        return
    if revision is None:
        _make_new(connection)
        return
    if revision > HEAD_REVISION:
        raise CannotServe(
            f"this lake's catalog has the shape {revision}, which a newer LakeDrop made:"
            f" this one knows shapes up to {HEAD_REVISION}. Use the newer version"
        )
    keep_copy(connection, file, HEAD_REVISION)
    migrate(connection)


def _make_new(connection: Connection) -> None:
    """What all migrations would make, without the wait for Alembic; a test compares both."""
    # One transaction: a first start that is killed here leaves nothing behind.
    connection.exec_driver_sql("BEGIN")
    metadata.create_all(connection, checkfirst=False)
    for trigger in BLOCK_TRIGGERS:
        connection.exec_driver_sql(trigger)
    connection.exec_driver_sql(
        "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"
    )
    connection.exec_driver_sql(
        "INSERT INTO alembic_version (version_num) VALUES (?)", (HEAD_REVISION,)
    )
    connection.commit()


def migrate(connection: Connection, to: str = "head") -> None:
    """Runs the steps that this catalog has not had yet, all of them or none."""
    # Alembic takes as long to import as half of a start: only where there is work for it.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    # Said aloud: the driver by itself begins a transaction before rows change, but not before
    # tables do, and a step killed half-way would leave a catalog of no shape at all.
    connection.exec_driver_sql("BEGIN IMMEDIATE")
    try:
        command.upgrade(config, to)
    except BaseException:
        connection.rollback()
        raise
    connection.commit()
