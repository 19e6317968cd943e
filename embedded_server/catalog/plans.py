"""Which index a statement may use, said where SQLite would guess.

The catalog has no statistics. Of two indexes that look equally good SQLite then takes the one that
was made last, and with one on the sync instead of on the place a manifest of a million files reads
all of them for each of them.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, UnaryExpression
from sqlalchemy.sql.operators import custom_op


def not_by_index(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """`+column`: the same values, and no index on it is thought of."""
    return UnaryExpression(column, operator=custom_op("+"), type_=column.type)
