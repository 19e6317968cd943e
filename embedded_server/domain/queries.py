"""What somebody looks for among syncs and uploads, newest first, and what is found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from embedded_server.contract import SyncStatus, SyncType
from embedded_server.domain.lake_path import LakePath

_Row = TypeVar("_Row")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Every field narrows; None does not. Times are ms since 1970 UTC and mean the beginning."""

    sync_id: int | None = None
    status: SyncStatus | None = None
    sync_type: SyncType | None = None
    since_ms: int | None = None  # at this moment or later
    until_ms: int | None = None  # before this moment
    text: str | None = None  # anywhere in name or path; upper and lower case of ASCII are one
    within: LakePath | None = None  # at or below this folder

    @property
    def is_everything(self) -> bool:
        return self == Wanted()


@dataclass(frozen=True, slots=True)
class Page:
    """`limit` rows: after the newest `offset` ones, or (quicker) those with ids below `before`."""

    limit: int
    offset: int = 0
    before: int | None = None


@dataclass(frozen=True, slots=True)
class Found(Generic[_Row]):
    """`total` of all that was wanted; None for a page by `before`, whose asker has had it.

    `next_before` leads to the next page; None when there is none.
    """

    rows: Sequence[_Row]
    total: int | None
    next_before: int | None
