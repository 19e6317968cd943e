"""The first shape: syncs, uploads, swaps."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    row_id = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "syncs",
        sa.Column("sync_id", row_id, primary_key=True, autoincrement=True),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("path", sa.String, nullable=False),
        sa.Column("sync_type", sa.String, nullable=False),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("started_at_ms", sa.BigInteger, nullable=False),
        sa.Column("ended_at_ms", sa.BigInteger, nullable=False),
        sa.Column("total_files", sa.BigInteger, nullable=False),
        sa.Column("num_failed", sa.BigInteger, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "uploads",
        sa.Column("history_id", row_id, primary_key=True, autoincrement=True),
        sa.Column("sync_id", row_id, sa.ForeignKey("syncs.sync_id"), nullable=False),
        sa.Column("folder", sa.String, nullable=False),
        sa.Column("file_name", sa.String, nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("sha256", sa.String, nullable=False),
        sa.Column("started_at_ms", sa.BigInteger, nullable=False),
        sa.Column("ended_at_ms", sa.BigInteger, nullable=False),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("message", sa.String, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "uploads_running", "uploads", ["status"], sqlite_where=sa.text("status = 'Syncing'")
    )
    op.create_table(
        "swaps",
        sa.Column("sync_id", row_id, sa.ForeignKey("syncs.sync_id"), primary_key=True),
        sa.Column("path", sa.String, nullable=False),
        sa.Column("trash_number", sa.BigInteger, nullable=False),
        sa.Column("staged_mtime_ns", sa.BigInteger, nullable=False),
        sa.Column("done", sa.Integer, nullable=False),
    )
