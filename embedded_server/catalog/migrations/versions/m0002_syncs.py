"""Who sent what and when it was stored; why a sync failed; what a long history is counted by."""

from __future__ import annotations

import time

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

# As of this step, whatever later ones make of it.
_TRIGGERS = (
    """CREATE TRIGGER upload_block_grows AFTER INSERT ON uploads BEGIN
    INSERT INTO upload_blocks VALUES (
        new.sync_id, new.history_id >> 10, new.status = 'Syncing',
        new.status = 'Finished', new.status = 'Failed', new.started_at_ms, new.started_at_ms)
    ON CONFLICT (sync_id, block) DO UPDATE SET
        syncing = syncing + excluded.syncing,
        finished = finished + excluded.finished,
        failed = failed + excluded.failed,
        first_started_at_ms = min(first_started_at_ms, excluded.first_started_at_ms),
        last_started_at_ms = max(last_started_at_ms, excluded.last_started_at_ms);
    END""",
    """CREATE TRIGGER upload_block_changes AFTER UPDATE OF status ON uploads
    WHEN new.status <> old.status BEGIN
    UPDATE upload_blocks SET
        syncing = syncing + (new.status = 'Syncing') - (old.status = 'Syncing'),
        finished = finished + (new.status = 'Finished') - (old.status = 'Finished'),
        failed = failed + (new.status = 'Failed') - (old.status = 'Failed')
    WHERE sync_id = new.sync_id AND block = new.history_id >> 10;
    END""",
)


def upgrade() -> None:
    # ADD COLUMN with a default touches no row, however long the history is.
    for name in ("message", "key_name"):
        _add("syncs", sa.Column(name, sa.String, nullable=False, server_default=""))
    _add("syncs", sa.Column("idempotency_key", sa.String))
    _add(
        "syncs",
        sa.Column("idempotency_fingerprint", sa.String, nullable=False, server_default=""),
    )
    for name in ("fed_at_ms", "idle_ms", "watched_at_ms"):
        _add("syncs", sa.Column(name, sa.BigInteger, nullable=False, server_default="0"))
    # Nobody watched them so far: their idle time begins today.
    now_ms = time.time_ns() // 1_000_000
    syncs = sa.table("syncs", sa.column("fed_at_ms"), sa.column("watched_at_ms"))
    op.execute(syncs.update().values(fed_at_ms=now_ms, watched_at_ms=now_ms))
    op.create_index(
        "syncs_running", "syncs", ["status"], sqlite_where=sa.text("status = 'Syncing'")
    )
    op.create_index(
        "syncs_idempotency",
        "syncs",
        ["key_name", "idempotency_key"],
        unique=True,
        sqlite_where=sa.text("idempotency_key IS NOT NULL"),
    )
    _add("uploads", sa.Column("mtime_ns", sa.BigInteger, nullable=False, server_default="0"))
    _add("uploads", sa.Column("key_name", sa.String, nullable=False, server_default=""))
    op.create_index("uploads_of_place", "uploads", ["folder", "file_name"])
    op.create_index("uploads_of_sync", "uploads", ["sync_id"])
    _add_blocks()


def _add(table: str, column: sa.Column[object]) -> None:
    op.add_column(table, column)


def _add_blocks() -> None:
    row_id = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "upload_blocks",
        sa.Column("sync_id", row_id, primary_key=True, autoincrement=False),
        sa.Column("block", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("syncing", sa.BigInteger, nullable=False),
        sa.Column("finished", sa.BigInteger, nullable=False),
        sa.Column("failed", sa.BigInteger, nullable=False),
        sa.Column("first_started_at_ms", sa.BigInteger, nullable=False),
        sa.Column("last_started_at_ms", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.execute(
        """INSERT INTO upload_blocks
        SELECT sync_id, history_id >> 10, sum(status = 'Syncing'), sum(status = 'Finished'),
               sum(status = 'Failed'), min(started_at_ms), max(started_at_ms)
        FROM uploads GROUP BY sync_id, history_id >> 10"""
    )
    for trigger in _TRIGGERS:
        op.execute(trigger)
