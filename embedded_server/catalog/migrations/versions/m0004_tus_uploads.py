"""Resumable uploads."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    row_id = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "tus_uploads",
        sa.Column("upload_id", sa.String, primary_key=True),
        sa.Column("sync_id", row_id, sa.ForeignKey("syncs.sync_id"), nullable=False),
        sa.Column("history_id", row_id, sa.ForeignKey("uploads.history_id"), nullable=False),
        sa.Column("folder", sa.String, nullable=False),
        sa.Column("file_name", sa.String, nullable=False),
        sa.Column("length_bytes", sa.BigInteger, nullable=False),
        sa.Column("offset_bytes", sa.BigInteger, nullable=False),
        sa.Column("metadata", sa.String, nullable=False),
        sa.Column("expected_sha256", sa.String, nullable=False),
        sa.Column("sha256", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("message", sa.String, nullable=False),
        sa.Column("key_name", sa.String, nullable=False),
        sa.Column("created_at_ms", sa.BigInteger, nullable=False),
        sa.Column("touched_at_ms", sa.BigInteger, nullable=False),
    )
    op.create_index(
        "tus_uploads_open",
        "tus_uploads",
        ["sync_id"],
        sqlite_where=sa.text("state IN ('receiving', 'arrived')"),
    )
