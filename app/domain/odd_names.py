"""Names of a job that somebody should look at before it starts."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from embedded_server.contract_names import problem_of_folder, problem_of_name


@dataclass(frozen=True, slots=True)
class OddNames:
    """The first few of each, and how many there are.

    `refused`: lake path and reason. `twins`: two lake paths, files or folders, that are one on a
    system that takes upper and lower case, or two ways to write an accent, for the same.
    """

    refused: tuple[tuple[str, str], ...] = ()
    refused_count: int = 0
    twins: tuple[tuple[str, str], ...] = ()

    @classmethod
    def from_wire(cls, wire: Mapping[str, Any]) -> OddNames:
        return cls(
            tuple((str(path), str(reason)) for path, reason in wire["refused"]),
            int(wire["refused_count"]),
            tuple((str(one), str(other)) for one, other in wire["twins"]),
        )

    def __bool__(self) -> bool:
        return bool(self.refused_count or self.twins)


NONE_ODD = OddNames()


def folded(path: str) -> str:
    """The same for all spellings that some system takes for one."""
    if path.isascii():
        return path.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


def refusal(folder: str, name: str) -> str:
    """Why a LakeDrop server will not take this file, "" when it will."""
    problem = problem_of_name(name)
    if problem is not None:
        return f"the file name {problem}"
    problem = problem_of_folder(folder)
    return "" if problem is None else f"the folder{problem}"
