"""What a job leaves out of the folders dropped on it: junk, and what its patterns say."""

from __future__ import annotations

from collections.abc import Sequence

from pathspec import GitIgnoreSpec

from app.domain import sentences
from app.domain.errors import WrongUse
from app.domain.junk import junk_reason
from app.domain.picking import Picking


class Picker:
    """`ports.Picks` by the rules of .gitignore(5), as `pathspec` follows them.

    A folder that is excluded is not looked into, so nothing below it can be taken back by a
    pattern with `!`, as git has it. What is included must match; folders are walked all the same.
    """

    def __init__(self, picking: Picking) -> None:
        """Raises `WrongUse` for a pattern that can match nothing."""
        self._keep_junk = picking.keep_junk
        self._include = _spec_of("include", picking.include)
        self._exclude = _spec_of("exclude", picking.exclude)

    def reason_against(self, path: str, name: str, *, is_folder: bool) -> str:
        if not self._keep_junk and (reason := junk_reason(name, is_folder=is_folder)):
            return reason
        if self._exclude and self._exclude.match_file(f"{path}/" if is_folder else path):
            return sentences.EXCLUDED()
        if self._include and not is_folder and not self._include.match_file(path):
            return sentences.NOT_INCLUDED()
        return ""


def _spec_of(option: str, patterns: Sequence[str]) -> GitIgnoreSpec | None:
    if not patterns:
        return None
    for pattern in patterns:
        try:
            (read,) = GitIgnoreSpec.from_lines([pattern]).patterns or (None,)
        except ValueError as cause:
            raise _no_pattern(option, pattern) from cause
        if read is None or read.include is None:  # a comment, blank, or a class without an end
            raise _no_pattern(option, pattern)
    return GitIgnoreSpec.from_lines(patterns)


def _no_pattern(option: str, pattern: str) -> WrongUse:
    return WrongUse(
        f"{pattern!r} is no pattern for --{option}. Patterns are those of a .gitignore, such as "
        "*.log, build/ or /notes.txt; a name that begins with # or ! is written \\# or \\!."
    )
