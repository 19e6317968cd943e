"""What is asked of the upload queue's tables: items in pages and by number, counts, double names.

Each takes the connection, whose owner keeps everybody else out meanwhile.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Mapping, Sequence

from app.domain.ports import ItemCounts
from app.domain.queue_item import ItemState, KnownDigest, QueueItem, Stamp
from app.infra.journal_rows import (
    ITEM_SELECTION,
    LARGEST_INTEGER,
    Place,
    counts_of,
    from_blob,
    item_of,
)

# Where the item lies below the destination; SQLite's substr() makes NULL of an empty blob.
BELOW = "CASE WHEN ? THEN coalesce(substr(folder, top_bytes + 1), x'') ELSE folder END"


def place_of(db: sqlite3.Connection, job_id: int) -> Place:
    row = db.execute(
        "SELECT destination, contents_only FROM jobs WHERE job_id=?", (job_id,)
    ).fetchone()
    return Place(row[0], bool(row[1])) if row else Place("", contents_only=False)


def items(
    db: sqlite3.Connection,
    job_id: int,
    states: frozenset[ItemState] | None,
    after_item_id: int,
    limit: int,
) -> list[QueueItem]:
    wanted = [state.value for state in states] if states is not None else []
    # Without states the index by state would sort a million rows for each page.
    table = "items" if states is not None else "items NOT INDEXED"
    among = f"AND state IN ({', '.join('?' * len(wanted))})" if states is not None else ""
    rows = db.execute(
        f"SELECT {ITEM_SELECTION} FROM {table} WHERE job_id=? AND item_id>? {among}"
        " ORDER BY item_id LIMIT ?",
        (job_id, after_item_id, *wanted, limit),
    ).fetchall()
    place = place_of(db, job_id)
    return [item_of(row, place) for row in rows]


def item_ids(
    db: sqlite3.Connection, job_id: int, states: frozenset[ItemState] | None, after_item_id: int
) -> list[int]:
    """From the index alone, which has the numbers of each state in order."""
    found: list[int] = []
    for state in ItemState if states is None else states:
        rows = db.execute(
            "SELECT item_id FROM items INDEXED BY items_by_state"
            " WHERE job_id=? AND state=? AND item_id>?",
            (job_id, state.value, after_item_id),
        )
        found.extend(item_id for (item_id,) in rows)
    found.sort()
    return found


def items_at(
    db: sqlite3.Connection, job_id: int, ranges: Sequence[tuple[int, int]], limit: int
) -> list[QueueItem]:
    rows: list[Sequence[object]] = []
    for first, last in ranges:
        if len(rows) >= limit:
            break
        rows.extend(
            db.execute(
                f"SELECT {ITEM_SELECTION} FROM items NOT INDEXED"
                " WHERE item_id BETWEEN ? AND ? AND job_id=? ORDER BY item_id LIMIT ?",
                (first, last, job_id, limit - len(rows)),
            )
        )
    place = place_of(db, job_id)
    return [item_of(row, place) for row in rows]


def source_paths(db: sqlite3.Connection, job_id: int) -> list[str]:
    rows = db.execute(
        "SELECT source FROM items WHERE job_id=? UNION ALL SELECT source FROM left_out"
        " WHERE job_id=? UNION ALL SELECT source FROM removed"
        " WHERE job_id=?",
        (job_id, job_id, job_id),
    )
    return [os.fsdecode(source) for (source,) in rows]


def counts(db: sqlite3.Connection, job_id: int) -> ItemCounts:
    rows = db.execute(
        "SELECT state, assurance, count(*), sum(size_bytes) FROM items WHERE job_id=?"
        " GROUP BY state, assurance",
        (job_id,),
    )
    left_out = db.execute("SELECT count(*) FROM left_out WHERE job_id=?", (job_id,)).fetchone()
    return counts_of(rows, left_out[0])


def remove_items(
    db: sqlite3.Connection, job_id: int, ranges: Sequence[tuple[int, int]]
) -> ItemCounts:
    """While the intake is not done, what was removed is remembered: it must not come back."""
    db.execute("CREATE TEMP TABLE IF NOT EXISTS chosen (item_id INTEGER PRIMARY KEY)")
    db.execute("DELETE FROM chosen")
    db.executemany(
        "INSERT OR IGNORE INTO chosen SELECT item_id FROM items NOT INDEXED"
        " WHERE item_id BETWEEN ? AND ? AND job_id=?",
        ((first, last, job_id) for first, last in ranges),
    )
    rows = db.execute(
        "SELECT state, assurance, count(*), sum(size_bytes) FROM items"
        " WHERE item_id IN (SELECT item_id FROM chosen) GROUP BY state, assurance"
    )
    removed = counts_of(rows, 0)
    db.execute(
        "INSERT INTO removed (job_id, source) SELECT job_id, source FROM items"
        " WHERE item_id IN (SELECT item_id FROM chosen)"
        " AND NOT (SELECT intake_done FROM jobs WHERE jobs.job_id = items.job_id)"
    )
    db.execute("DELETE FROM items WHERE item_id IN (SELECT item_id FROM chosen)")
    db.execute("DELETE FROM chosen")
    return removed


def digest(db: sqlite3.Connection, source: str) -> KnownDigest | None:
    row = db.execute(
        "SELECT size_bytes, modified_ns, changed_ns, sha256 FROM digests WHERE source=?",
        (os.fsencode(source),),
    ).fetchone()
    return None if row is None else KnownDigest(Stamp(*row[:3]), row[3].hex())


def note_digests(db: sqlite3.Connection, digests: Mapping[str, KnownDigest]) -> None:
    now_ms = time.time_ns() // 1_000_000
    db.executemany(
        "INSERT OR REPLACE INTO digests VALUES (?, ?, ?, ?, ?, ?)",
        (
            (
                os.fsencode(source),
                digest.stamp.size_bytes,
                digest.stamp.modified_ns,
                digest.stamp.changed_ns,
                bytes.fromhex(digest.sha256),
                now_ms,
            )
            for source, digest in digests.items()
            if max(digest.stamp.modified_ns, digest.stamp.changed_ns) <= LARGEST_INTEGER
        ),
    )


def same_names(db: sqlite3.Connection, job_id: int, limit: int) -> list[str]:
    rows = db.execute(
        "SELECT name FROM items WHERE job_id=? GROUP BY name"
        f" HAVING count(DISTINCT {BELOW}) > 1 ORDER BY name LIMIT ?",
        (job_id, place_of(db, job_id).contents_only, limit),
    )
    return [from_blob(name) for (name,) in rows]


def same_places(db: sqlite3.Connection, job_id: int, limit: int) -> list[str]:
    place = place_of(db, job_id)
    rows = db.execute(
        f"SELECT {BELOW} AS below, name FROM items WHERE job_id=? GROUP BY below, name"
        " HAVING count(*) > 1 ORDER BY below, name LIMIT ?",
        (place.contents_only, job_id, limit),
    )
    return [f"{place.destination}{from_blob(below)}/{from_blob(name)}" for below, name in rows]
