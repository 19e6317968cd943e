"""What a person must agree to before a job starts, with the numbers."""

from __future__ import annotations

from dataclasses import dataclass

from app.cli import words
from app.cli.terminal import Terminal
from app.domain.errors import WrongUse
from app.domain.impact import Impact
from app.domain.upload_job import Consents
from embedded_server.contract import SyncType


@dataclass(frozen=True, slots=True)
class Agreed:
    """What the command line agreed to already."""

    yes: bool = False
    allow_empty: bool = False
    allow_same_names: bool = False
    allow_shrink: bool = False


def consents_for(impact: Impact, agreed: Agreed, terminal: Terminal) -> Consents | None:
    """The consents to start with, or None when a question was answered with no.

    Raises `WrongUse` where nobody can be asked, with the option that is missing.
    """
    if impact.new_files == 0 and impact.mode is SyncType.INCREMENTAL:
        raise WrongUse("There is no file in what you named, so there is nothing to upload.")
    if impact.empties_destination and not agreed.allow_empty:
        raise WrongUse(
            "There is no file in what you named, and a full sync without files leaves "
            f"{words.shown(impact.destination)} empty. If that is what you want, add --allow-empty."
        )
    if impact.loses_a_source and not agreed.allow_empty:
        names = ", ".join(words.shown(name) for name in impact.empty_sources)
        raise WrongUse(
            f"There is no file in {names}, and a full sync takes away at "
            f"{words.shown(impact.destination)} what is not there any more. Is a disk missing? If "
            "that is what you want, add --allow-empty."
        )
    if impact.cannot_end:
        raise WrongUse(
            f"{words.shown(impact.destination)} cannot take all of these names, and a full sync is "
            f"never ended without all of its files: {refused_names(impact)} Rename them, or leave "
            "them out with --exclude."
        )
    same_names = bool(impact.plain_server and impact.same_names)
    questions = [
        (impact.moves_data_to_trash and not agreed.yes, trash_question(impact), "--yes"),
        (
            impact.shrinks_data and not agreed.allow_shrink,
            shrink_question(impact),
            "--allow-shrink",
        ),
        (
            same_names and not agreed.allow_same_names,
            same_names_question(impact),
            "--allow-same-names",
        ),
    ]
    for needed, question, option in questions:
        if not needed:
            continue
        if not terminal.can_ask:
            raise WrongUse(f"{question} Add {option} to agree.")
        if not terminal.ask(f"{question} Go on?"):
            return None
    return Consents(
        empty_full_sync=impact.empties_destination,
        empty_sources=impact.loses_a_source,
        shrink=impact.shrinks_data,
        same_names_on_plain_server=same_names,
        end_without_failed_files=impact.mode is SyncType.INCREMENTAL,
    )


def trash_question(impact: Impact) -> str:
    """`412 files, 9.0 GB at /data/x move to the trash; 415 files, 9.1 GB take their place.`"""
    destination = words.shown(impact.destination)
    new = f"{words.files(impact.new_files)}, {words.size(impact.new_bytes)}"
    if impact.replaced_files is None or impact.replaced_bytes is None:
        return (
            f"This server cannot tell what is at {destination}. Whatever is there is taken away "
            f"(do not count on getting it back), and {new} {_take(impact.new_files)} its place."
        )
    old = f"{words.files(impact.replaced_files)}, {words.size(impact.replaced_bytes)}"
    move = "moves" if impact.replaced_files == 1 else "move"
    return (
        f"{old} at {destination} {move} to the trash; {new} {_take(impact.new_files)} their place."
    )


def shrink_question(impact: Impact) -> str:
    """Beside the one about the trash, which it does not stand for."""
    before = f"{words.files(impact.before_files or 0)}, {words.size(impact.before_bytes or 0)}"
    now = f"{words.files(impact.new_files)}, {words.size(impact.new_bytes)}"
    known = "your last full sync there had" if impact.before_is_last_sync else "there are"
    return (
        f"The data at {words.shown(impact.destination)} would shrink by more than "
        f"{impact.most_shrink_percent} %: {known} {before}, and {now} would be left. Is everything "
        "in what you named, and is every disk connected?"
    )


def refused_names(impact: Impact) -> str:
    odd = impact.odd_names
    told = [f"{words.shown(path)} ({words.shown(reason)})" for path, reason in odd.refused]
    more = odd.refused_count - len(told)
    return f"{', '.join(told)}{f' and {more:,} more' if more else ''}."


def twins_told(impact: Impact) -> str:
    pairs = (f"{words.shown(a)} and {words.shown(b)}" for a, b in impact.odd_names.twins)
    return (
        "Some names differ in nothing but upper and lower case, or the way an accent is "
        f"written, and a system that takes both for one keeps one of them: {'; '.join(pairs)}."
    )


def same_names_question(impact: Impact) -> str:
    names = ", ".join(words.shown(name) for name in impact.same_names)
    return (
        f"Files of the same name lie in several folders ({names}), and nobody can see whether "
        "this server keeps folders apart: one could overwrite the other."
    )


def _take(files: int) -> str:
    return "takes" if files == 1 else "take"
