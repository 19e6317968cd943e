"""One pass over a job's queued items: names that a lake refuses, and twins.

SQLite calls back for each row, so that neither rows nor paths are held: 64-bit hashes of folded
paths are all that is sorted. Two paths of one hash are compared before they are called twins.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping

from app.domain.odd_names import OddNames, folded, refusal
from app.infra.journal_queries import BELOW, place_of
from app.infra.journal_rows import from_blob


class _Look:
    def __init__(self, destination: str, limit: int) -> None:
        self._destination = destination
        self._limit = limit
        self._folder: bytes | None = None
        self._lake_folder = ""
        self.refused: list[tuple[str, str]] = []
        self.refused_count = 0

    def __call__(self, below: bytes, name: bytes) -> int:
        """The hash of the folded path; the refusal, if there is one, is kept aside."""
        if below != self._folder:  # rows come folder by folder, mostly
            self._folder, self._lake_folder = below, self._destination + from_blob(below)
        text = from_blob(name)
        if reason := refusal(self._lake_folder, text):
            self.refused_count += 1
            if len(self.refused) < self._limit:
                self.refused.append((f"{self._lake_folder}/{text}", reason))
        return hash(folded(f"{self._lake_folder}/{text}"))


def odd_names(db: sqlite3.Connection, job_id: int, limit: int) -> OddNames:
    place = place_of(db, job_id)
    look = _Look(place.destination, limit)
    db.create_function("look_at", 2, look)
    rows = f"SELECT look_at({BELOW}, name) AS place FROM items WHERE job_id=? AND state='queued'"
    same = db.execute(
        f"SELECT place FROM ({rows}) GROUP BY place HAVING count(*) > 1 LIMIT ?",
        (place.contents_only, job_id, limit),
    ).fetchall()
    refused, refused_count = tuple(look.refused), look.refused_count  # the next queries look again
    twins = _twin_folders(db, job_id, place.destination, place.contents_only)
    if same:
        hashes = [hashed for (hashed,) in same]
        found = db.execute(
            f"SELECT {BELOW} AS below, name FROM items WHERE job_id=? AND state='queued'"
            f" AND look_at(below, name) IN ({', '.join('?' * len(hashes))})",
            (place.contents_only, job_id, *hashes),
        )
        _add_twins(twins, (f"{place.destination}{from_blob(b)}/{from_blob(n)}" for b, n in found))
    db.create_function("look_at", 2, None)
    return OddNames(refused, refused_count, tuple(twins.values())[:limit])


def _twin_folders(
    db: sqlite3.Connection, job_id: int, destination: str, contents_only: bool
) -> dict[str, tuple[str, str]]:
    """Each by itself, not again with every file and folder in it."""
    twins: dict[str, tuple[str, str]] = {}
    spelled: dict[str, str] = {}
    rows = db.execute(
        f"SELECT DISTINCT {BELOW} AS below FROM items WHERE job_id=? AND state='queued'",
        (contents_only, job_id),
    )
    for (below,) in rows:
        path = destination
        for part in from_blob(below).split("/")[1:]:
            path = f"{path}/{part}"
            key = folded(path)
            if spelled.setdefault(key, path) != path:
                twins.setdefault(key, (spelled[key], path))
                break
    return twins


def _add_twins(twins: dict[str, tuple[str, str]], paths: Iterable[str]) -> None:
    spelled: dict[str, str] = {}
    for path in paths:
        key = folded(path)
        if not _is_below(key, twins) and spelled.setdefault(key, path) != path:
            twins.setdefault(key, (spelled[key], path))


def _is_below(key: str, twins: Mapping[str, object]) -> bool:
    """Whether a folder above is told as a twin already."""
    while key := key.rpartition("/")[0]:
        if key in twins:
            return True
    return False
