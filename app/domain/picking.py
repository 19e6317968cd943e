"""Which of the files below a dropped path a job takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Picking:
    """Patterns are those of a .gitignore, and look at the path below the dropped folder."""

    include: tuple[str, ...] = ()  # none: everything
    exclude: tuple[str, ...] = ()
    keep_junk: bool = False

    @classmethod
    def from_wire(cls, wire: Mapping[str, Any]) -> Picking:
        """As `dataclasses.asdict` gives it, or as much of it as is told; raises `TypeError`."""
        return cls(
            include=_patterns(wire.get("include", ())),
            exclude=_patterns(wire.get("exclude", ())),
            keep_junk=bool(wire.get("keep_junk", False)),
        )


USUAL = Picking()
TAKE_ALL = Picking(keep_junk=True)


def _patterns(wire: Any) -> tuple[str, ...]:
    if isinstance(wire, str):  # its letters would be taken for patterns
        raise TypeError("patterns come as a list")
    return tuple(str(pattern) for pattern in wire)
