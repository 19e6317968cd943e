"""The tables of the upload queue, and the way there from those of earlier versions."""

from __future__ import annotations

import sqlite3

SCHEMA_VERSION = 9

# `final_counts`: the counts of a job that has ended, so that nobody counts its items again; ''
# where they are not known.
_JOB_COLUMNS = """
    job_id INTEGER PRIMARY KEY AUTOINCREMENT,
    connection TEXT NOT NULL, destination TEXT NOT NULL, mode TEXT NOT NULL, name TEXT NOT NULL,
    state TEXT NOT NULL, intake_done INTEGER NOT NULL,
    consents TEXT NOT NULL, sync_id INTEGER,
    plain_server INTEGER NOT NULL, end_sent INTEGER NOT NULL, message TEXT NOT NULL,
    problem TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL, started_at_ms INTEGER NOT NULL, ended_at_ms INTEGER NOT NULL,
    contents_only INTEGER NOT NULL DEFAULT 0, kept INTEGER NOT NULL DEFAULT 0,
    final_counts TEXT NOT NULL DEFAULT '',
    start_key TEXT NOT NULL DEFAULT '', aborted INTEGER NOT NULL DEFAULT 0,
    picking TEXT NOT NULL DEFAULT '{}', most_shrink_percent INTEGER NOT NULL DEFAULT 50,
    receipt TEXT NOT NULL DEFAULT '', send_all INTEGER NOT NULL DEFAULT 0
"""

# Dropped paths that are still to be taken in, and files that were removed meanwhile.
_INTAKE_TABLES = """
CREATE TABLE sources (
    source_id INTEGER PRIMARY KEY AUTOINCREMENT,
    job_id INTEGER NOT NULL REFERENCES jobs ON DELETE CASCADE,
    path BLOB NOT NULL, contents_only INTEGER NOT NULL
);
CREATE INDEX sources_by_job ON sources (job_id);
CREATE TABLE removed (
    job_id INTEGER NOT NULL REFERENCES jobs ON DELETE CASCADE,
    source BLOB NOT NULL
);
CREATE INDEX removed_by_job ON removed (job_id);
"""

# What the last full sync at a place had: a guard on servers that cannot tell what is there.
_FULL_SYNCS = """
CREATE TABLE full_syncs (
    server TEXT NOT NULL, destination TEXT NOT NULL,
    files INTEGER NOT NULL, bytes INTEGER NOT NULL, PRIMARY KEY (server, destination)
);
"""

# Uploads that can be gone on with; `source` is the identity of the file when it was begun.
_KEPT_UPLOADS = """
CREATE TABLE kept_uploads (
    item_id INTEGER PRIMARY KEY,
    job_id INTEGER NOT NULL REFERENCES jobs ON DELETE CASCADE,
    sync_id INTEGER NOT NULL, upload_id TEXT NOT NULL, source TEXT NOT NULL
);
CREATE INDEX kept_uploads_by_job ON kept_uploads (job_id);
"""

# What sources had when they were read last, whatever became of the job; rows lie by path.
_DIGESTS = """
CREATE TABLE digests (
    source BLOB PRIMARY KEY, size_bytes INTEGER NOT NULL, modified_ns INTEGER NOT NULL,
    changed_ns INTEGER NOT NULL, sha256 BLOB NOT NULL, noted_ms INTEGER NOT NULL
) WITHOUT ROWID;
"""

# What a user has set for all uploads.
_SETTINGS = """
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""

# An item's folder is the one below its job's destination; the first `top_bytes` bytes of it are
# the dropped folder's own name, which the job may leave out.
_SCHEMA = f"""
CREATE TABLE jobs ({_JOB_COLUMNS});
CREATE TABLE items (
    item_id INTEGER PRIMARY KEY AUTOINCREMENT,
    job_id INTEGER NOT NULL REFERENCES jobs ON DELETE CASCADE,
    source BLOB NOT NULL, folder BLOB NOT NULL, name BLOB NOT NULL,
    size_bytes INTEGER NOT NULL, modified_ns INTEGER NOT NULL, state TEXT NOT NULL,
    assurance TEXT NOT NULL DEFAULT 'none', tries INTEGER NOT NULL DEFAULT 0,
    message TEXT NOT NULL DEFAULT '', sha256 TEXT NOT NULL DEFAULT '',
    problem TEXT NOT NULL DEFAULT '', top_bytes INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX items_by_state ON items (job_id, state);
CREATE TABLE left_out (
    job_id INTEGER NOT NULL REFERENCES jobs ON DELETE CASCADE,
    source BLOB NOT NULL, reason TEXT NOT NULL
);
CREATE INDEX left_out_by_job ON left_out (job_id);
{_INTAKE_TABLES}
{_FULL_SYNCS}
{_KEPT_UPLOADS}
{_DIGESTS}
{_SETTINGS}
"""

# Folders were absolute. What was still to be taken in is dropped: a draft of version 1 whose files
# were not all found does not outlive its engine. The table of jobs is made anew, since older
# SQLite cannot drop a column; its numbers go on where they were, none is used again.
_FROM_1_TO_2 = f"""
ALTER TABLE items ADD COLUMN problem TEXT NOT NULL DEFAULT '';
ALTER TABLE items ADD COLUMN top_bytes INTEGER NOT NULL DEFAULT 0;
UPDATE items SET folder = substr(folder, 1 + (
    SELECT length(CAST(destination AS BLOB)) FROM jobs WHERE jobs.job_id = items.job_id
));
CREATE TABLE jobs_2 ({_JOB_COLUMNS});
INSERT INTO jobs_2 (
    job_id, connection, destination, mode, name, state, intake_done, consents, sync_id,
    plain_server, end_sent, message, problem, created_at_ms, started_at_ms, ended_at_ms
) SELECT
    job_id, connection, destination, mode, name, state, intake_done, consents, sync_id,
    plain_server, end_sent, message, problem, created_at_ms, started_at_ms, ended_at_ms
FROM jobs;
DELETE FROM sqlite_sequence WHERE name = 'jobs_2';
INSERT INTO sqlite_sequence (name, seq) SELECT 'jobs_2', seq FROM sqlite_sequence
    WHERE name = 'jobs';
DROP TABLE jobs;
ALTER TABLE jobs_2 RENAME TO jobs;
{_INTAKE_TABLES}
{_FULL_SYNCS}
{_KEPT_UPLOADS}
{_DIGESTS}
{_SETTINGS}
"""

_FROM_2_TO_3 = """
ALTER TABLE jobs ADD COLUMN start_key TEXT NOT NULL DEFAULT '';
ALTER TABLE jobs ADD COLUMN aborted INTEGER NOT NULL DEFAULT 0;
"""

_FROM_3_TO_4 = """
ALTER TABLE jobs ADD COLUMN picking TEXT NOT NULL DEFAULT '{}';
"""

_FROM_4_TO_5 = f"""
ALTER TABLE jobs ADD COLUMN most_shrink_percent INTEGER NOT NULL DEFAULT 50;
{_FULL_SYNCS}
"""

_FROM_5_TO_6 = """
ALTER TABLE jobs ADD COLUMN receipt TEXT NOT NULL DEFAULT '';
"""

_FROM_6_TO_7 = _KEPT_UPLOADS

_FROM_7_TO_8 = f"""
ALTER TABLE jobs ADD COLUMN send_all INTEGER NOT NULL DEFAULT 0;
{_DIGESTS}
"""

_FROM_8_TO_9 = _SETTINGS

_LATER = (
    _FROM_2_TO_3,
    _FROM_3_TO_4,
    _FROM_4_TO_5,
    _FROM_5_TO_6,
    _FROM_6_TO_7,
    _FROM_7_TO_8,
    _FROM_8_TO_9,
)

# Each leads to today's tables: that from 1 makes the table of jobs as it is now.
_STEPS = {0: _SCHEMA, 1: _FROM_1_TO_2} | {
    version: "".join(_LATER[version - 2 :]) for version in range(2, SCHEMA_VERSION)
}


def bring_up_to_date(db: sqlite3.Connection, version: int) -> None:
    """Makes the tables, or those of an earlier version into today's, in one transaction.

    Call it before foreign keys are enforced: a table that others point at is made anew.
    """
    if version in _STEPS:
        try:
            db.executescript(
                f"BEGIN; {_STEPS[version]} PRAGMA user_version={SCHEMA_VERSION}; COMMIT;"
            )
        except sqlite3.Error:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise
