"""Brings a catalog's schema to the shape that this version works with."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection

from embedded_server.catalog.tables import HEAD_REVISION
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
    if revision is not None and revision > HEAD_REVISION:
        raise CannotServe(
            f"this lake's catalog has the shape {revision}, which a newer LakeDrop made:"
            f" this one knows shapes up to {HEAD_REVISION}. Use the newer version"
        )
    # Alembic takes longer to import than the rest of a start: only where there is work for it.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    connection.commit()
