"""Names and paths inside a lake, by the rules of `contract_names`.

Nothing is ever renamed, trimmed or normalised: what is accepted is stored byte for byte (NFD stays
NFD). `%` is a plain character: a query is decoded once, by the one who reads the query.
"""

from __future__ import annotations

from dataclasses import dataclass

from embedded_server.contract_names import problem_of_folder, problem_of_name
from embedded_server.domain.errors import InvalidParam


def checked_name(name: str, *, what: str = "the file name") -> str:
    """Returns `name` as it is, or raises `InvalidParam` that says what is wrong with it."""
    problem = problem_of_name(name)
    if problem is not None:
        raise InvalidParam(f"{what} {name[:60]!r} {problem}")
    return name


@dataclass(frozen=True, slots=True)
class LakePath:
    """An absolute folder of the lake; at least one segment, so never the lake's root."""

    segments: tuple[str, ...]

    @classmethod
    def parse(cls, text: str, *, what: str = "path") -> LakePath:
        """Reads `/data/db/x`, one trailing slash tolerated; raises `InvalidParam`."""
        problem = problem_of_folder(text)
        if problem is not None:
            raise InvalidParam(f"{what}{problem}")
        segments = tuple(text[1:].removesuffix("/").split("/"))
        return cls(segments)

    def __str__(self) -> str:
        return "/" + "/".join(self.segments)

    def holds(self, other: LakePath) -> bool:
        """Whether `other` is this folder or lies below it, segment by segment."""
        return other.segments[: len(self.segments)] == self.segments

    def below(self, top: LakePath) -> tuple[str, ...]:
        """The segments of this folder below `top`, which holds it."""
        return self.segments[len(top.segments) :]
