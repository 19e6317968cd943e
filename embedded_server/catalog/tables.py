"""The catalog's tables as the code reads and writes them; the migrations make them.

A test compares both, so that they cannot drift apart.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    text,
)

HEAD_REVISION = "0001"  # the newest of migrations/versions

# SQLite gives automatic ids to INTEGER keys only; there they are 64-bit all the same.
_Id = BigInteger().with_variant(Integer, "sqlite")

metadata = MetaData()

syncs = Table(
    "syncs",
    metadata,
    Column("sync_id", _Id, primary_key=True, autoincrement=True),
    Column("name", String, nullable=False),
    Column("path", String, nullable=False),
    Column("sync_type", String, nullable=False),
    Column("status", String, nullable=False),
    Column("started_at_ms", BigInteger, nullable=False),
    Column("ended_at_ms", BigInteger, nullable=False),  # 0 while it runs
    Column("total_files", BigInteger, nullable=False),
    Column("num_failed", BigInteger, nullable=False),
    sqlite_autoincrement=True,  # ids are never used again, and without gaps: pages are ranges
)

uploads = Table(
    "uploads",
    metadata,
    Column("history_id", _Id, primary_key=True, autoincrement=True),
    Column("sync_id", _Id, ForeignKey("syncs.sync_id"), nullable=False),
    Column("folder", String, nullable=False),
    Column("file_name", String, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("sha256", String, nullable=False),  # empty where the file never arrived whole
    Column("started_at_ms", BigInteger, nullable=False),
    Column("ended_at_ms", BigInteger, nullable=False),  # 0 while it runs
    Column("status", String, nullable=False),
    Column("message", String, nullable=False),
    Index("uploads_running", "status", sqlite_where=text("status = 'Syncing'")),
    sqlite_autoincrement=True,
)

swaps = Table(
    "swaps",
    metadata,
    Column("sync_id", _Id, ForeignKey("syncs.sync_id"), primary_key=True),
    Column("path", String, nullable=False),
    Column("trash_number", BigInteger, nullable=False),
    Column("staged_mtime_ns", BigInteger, nullable=False),
    Column(
        "done", Integer, nullable=False
    ),  # 0: intended, a start must take it further; 1: done or given up
)
