"""What is known of files beyond their uploads, and what was moved or deleted by hand."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    row_id = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "known_files",
        sa.Column("known_id", row_id, primary_key=True, autoincrement=True),
        sa.Column("folder", sa.String, nullable=False),
        sa.Column("file_name", sa.String, nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("mtime_ns", sa.BigInteger, nullable=False),
        sa.Column("sha256", sa.String, nullable=False),
        sa.Column("sync_id", row_id, nullable=False),
        sa.Column("history_id", row_id, nullable=False),
        sa.Column("key_name", sa.String, nullable=False),
        sa.Column("known_at_ms", sa.BigInteger, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("known_files_of_place", "known_files", ["folder", "file_name"])
    op.create_table(
        "arranged",
        sa.Column("arranged_id", row_id, primary_key=True, autoincrement=True),
        sa.Column("path", sa.String, nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sqlite_autoincrement=True,
    )
