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

HEAD_REVISION = "0005"  # the newest of migrations/versions

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
    Column("message", String, nullable=False, server_default=""),  # why it is Failed
    Column("key_name", String, nullable=False, server_default=""),  # of the key that started it
    Column("idempotency_key", String),  # of its start, as long as that is remembered
    Column("idempotency_fingerprint", String, nullable=False, server_default=""),
    Column("fed_at_ms", BigInteger, nullable=False, server_default="0"),  # its last upload
    # Idle time that was seen to go by since then, and up to when; see services/expiry.py.
    Column("idle_ms", BigInteger, nullable=False, server_default="0"),
    Column("watched_at_ms", BigInteger, nullable=False, server_default="0"),
    Index("syncs_running", "status", sqlite_where=text("status = 'Syncing'")),
    Index(
        "syncs_idempotency",
        "key_name",
        "idempotency_key",
        unique=True,
        sqlite_where=text("idempotency_key IS NOT NULL"),
    ),
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
    Column("mtime_ns", BigInteger, nullable=False, server_default="0"),  # of the stored file
    Column("key_name", String, nullable=False, server_default=""),  # of the key that sent it
    Index("uploads_running", "status", sqlite_where=text("status = 'Syncing'")),
    # Both end in history_id, as every index of SQLite ends in the row's id. Together they cost
    # 1.8 us and 71 bytes a row.
    Index("uploads_of_place", "folder", "file_name"),
    Index("uploads_of_sync", "sync_id"),
    sqlite_autoincrement=True,
)

# How many rows of a sync each 1,024 history ids hold, by status, and when they began: a total, and
# the way to a far page, are sums over a thousand of these instead of walks over a million uploads.
# Triggers, which a new catalog and the migration make alike, keep it, so that no writer of uploads
# can forget to (2.2 us a row).
BLOCK_BITS = 10

upload_blocks = Table(
    "upload_blocks",
    metadata,
    Column("sync_id", _Id, primary_key=True, autoincrement=False),
    Column("block", BigInteger, primary_key=True, autoincrement=False),
    Column("syncing", BigInteger, nullable=False),
    Column("finished", BigInteger, nullable=False),
    Column("failed", BigInteger, nullable=False),
    Column("first_started_at_ms", BigInteger, nullable=False),
    Column("last_started_at_ms", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

BLOCK_TRIGGERS = (  # 10 is BLOCK_BITS
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

keys = Table(
    "keys",
    metadata,
    Column("key_id", _Id, primary_key=True, autoincrement=True),
    Column("name", String, nullable=False),  # again only once the one before is out of use
    Column("sha256", String, nullable=False),
    Column("path", String),  # that it is bound to; NULL: the whole lake
    Column("read_only", Integer, nullable=False),
    Column("created_at_ms", BigInteger, nullable=False),
    Column("last_used_at_ms", BigInteger, nullable=False),  # 0: never
    Column("revoked_at_ms", BigInteger, nullable=False),  # 0: in use
    Index("keys_in_use", "name", unique=True, sqlite_where=text("revoked_at_ms = 0")),
    sqlite_autoincrement=True,
)

tus_uploads = Table(
    "tus_uploads",
    metadata,
    Column("upload_id", String, primary_key=True),
    Column("sync_id", _Id, ForeignKey("syncs.sync_id"), nullable=False),
    Column("history_id", _Id, ForeignKey("uploads.history_id"), nullable=False),
    Column("folder", String, nullable=False),
    Column("file_name", String, nullable=False),
    Column("length_bytes", BigInteger, nullable=False),
    Column("offset_bytes", BigInteger, nullable=False),  # all before it is on stable storage
    Column("metadata", String, nullable=False),
    Column("expected_sha256", String, nullable=False),
    Column("sha256", String, nullable=False),
    Column("state", String, nullable=False),
    Column("message", String, nullable=False),
    Column("key_name", String, nullable=False),
    Column("created_at_ms", BigInteger, nullable=False),
    Column("touched_at_ms", BigInteger, nullable=False),
    Index("tus_uploads_open", "sync_id", sqlite_where=text("state IN ('receiving', 'arrived')")),
)

# Files whose bytes no upload to their own place tells: renamed, changed or adopted ones.
known_files = Table(
    "known_files",
    metadata,
    Column("known_id", _Id, primary_key=True, autoincrement=True),
    Column("folder", String, nullable=False),  # empty: the lake's root
    Column("file_name", String, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("mtime_ns", BigInteger, nullable=False),
    Column("sha256", String, nullable=False),
    Column("sync_id", _Id, nullable=False),  # that brought the bytes; 0: none did
    Column("history_id", _Id, nullable=False),
    Column("key_name", String, nullable=False),
    Column("known_at_ms", BigInteger, nullable=False),
    Index("known_files_of_place", "folder", "file_name"),
    sqlite_autoincrement=True,
)

# By hand: nothing that was at or below `path` before `at_ms` need be there any more.
arranged = Table(
    "arranged",
    metadata,
    Column("arranged_id", _Id, primary_key=True, autoincrement=True),
    Column("path", String, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    sqlite_autoincrement=True,
)
