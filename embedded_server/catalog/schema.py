"""Brings a catalog's schema to the shape that this version works with."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection

from embedded_server.catalog.tables import HEAD_REVISION, metadata
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


def bring_to_head(connection: Connection) -> None:
    """Raises `CannotServe` for a catalog that a newer version wrote."""
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
    migrate(connection)


def _make_new(connection: Connection) -> None:
    """What all migrations would make, without the wait for Alembic; a test compares both."""
    # One transaction: a first start that is killed here leaves nothing behind.
    connection.exec_driver_sql("BEGIN")
    metadata.create_all(connection, checkfirst=False)
    connection.exec_driver_sql(
        "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"
    )
    connection.exec_driver_sql(
        "INSERT INTO alembic_version (version_num) VALUES (?)", (HEAD_REVISION,)
    )
    connection.commit()


def migrate(connection: Connection) -> None:
    """Runs the steps that this catalog has not had yet."""
    # Alembic takes as long to import as half of a start: only where there is work for it.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    connection.commit()
