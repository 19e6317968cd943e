"""What must be agreed to before a start, one question at a time, each with its numbers."""

from __future__ import annotations

from dataclasses import dataclass, replace

from PySide6.QtCore import QObject

from app.domain.impact import Impact
from app.domain.upload_job import Consents
from app.ui.context import UiContext
from app.ui.shown import shown

# As many as a small window has room for beside what is said of them; the command line tells more.
_MOST_REFUSED, _MOST_TWINS = 2, 1


@dataclass(frozen=True, slots=True)
class Question:
    """`agreed` is the consents as they are with a yes."""

    title: str
    text: str
    yes: str
    no: str
    agreed: Consents


class StartQuestions(QObject):
    def __init__(self, context: UiContext, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._context = context

    def for_start(self, impact: Impact) -> list[Question]:
        """None for what needs no consent; each question's `agreed` includes those before it."""
        questions: list[Question] = []
        agreed = Consents()
        if impact.empties_destination:
            agreed = replace(agreed, empty_full_sync=True)
            questions.append(self._empty(impact, agreed))
        elif impact.moves_data_to_trash:
            questions.append(self._replaces(impact, agreed))
        if impact.loses_a_source:
            agreed = replace(agreed, empty_sources=True)
            questions.append(self._loses_a_source(impact, agreed))
        if impact.shrinks_data:
            agreed = replace(agreed, shrink=True)
            questions.append(self._shrinks(impact, agreed))
        if impact.odd_names:
            questions.append(self._odd_names(impact, agreed))
        if impact.plain_server and impact.same_names:
            agreed = replace(agreed, same_names_on_plain_server=True)
            questions.append(self._same_names(impact, agreed))
        return questions

    def _replaces(self, impact: Impact, agreed: Consents) -> Question:
        formats = self._context.formats
        where = shown(impact.destination)
        new = f"{formats.files(impact.new_files)}, {formats.size(impact.new_bytes)}"
        if impact.replaced_files is None or impact.replaced_bytes is None:
            text = self.tr(
                "This server cannot tell what is at {0}. Whatever is there is taken away, do not "
                "count on getting it back; {1} take its place."
            ).format(where, new)
        else:
            old = f"{formats.files(impact.replaced_files)}, {formats.size(impact.replaced_bytes)}"
            text = self.tr("{0} at {1} move to the trash; {2} take their place.").format(
                old, where, new
            )
        return Question(
            self.tr("Replace the data at {0}?").format(where),
            text,
            self.tr("Replace"),
            self.tr("Do not replace"),
            agreed,
        )

    def _empty(self, impact: Impact, agreed: Consents) -> Question:
        where = shown(impact.destination)
        return Question(
            self.tr("Empty {0}?").format(where),
            self.tr(
                "There is no file to upload. Ending this full sync takes away all that is at {0} "
                "and puts nothing in its place."
            ).format(where),
            self.tr("Empty it"),
            self.tr("Do not empty it"),
            agreed,
        )

    def _loses_a_source(self, impact: Impact, agreed: Consents) -> Question:
        names = ", ".join(shown(name) for name in impact.empty_sources)
        return Question(
            self.tr("Upload without what is empty?"),
            self.tr(
                "There is no file in {0}. This full sync takes away at {1} what was there before. "
                "Is a disk missing?"
            ).format(names, shown(impact.destination)),
            self.tr("Upload without it"),
            self.tr("Do not upload"),
            agreed,
        )

    def _shrinks(self, impact: Impact, agreed: Consents) -> Question:
        formats = self._context.formats
        before_files, before_bytes = impact.before_files or 0, impact.before_bytes or 0
        old = f"{formats.files(before_files)}, {formats.size(before_bytes)}"
        new = f"{formats.files(impact.new_files)}, {formats.size(impact.new_bytes)}"
        if impact.before_is_last_sync:
            text = self.tr(
                "The last full sync from here had {0}; this one has {1}. Is everything there that "
                "you mean to upload, and is every disk connected?"
            )
        else:
            text = self.tr(
                "There are {0} now, and {1} would be left. Is everything there that you mean to "
                "upload, and is every disk connected?"
            )
        percent = f"{formats.number(impact.most_shrink_percent)}\u00a0%"  # never on two lines
        return Question(
            self.tr("Shrink the data at {0} by more than {1}?").format(
                shown(impact.destination), percent
            ),
            text.format(old, new),
            self.tr("Let it shrink"),
            self.tr("Do not upload"),
            agreed,
        )

    def _odd_names(self, impact: Impact, agreed: Consents) -> Question:
        """Needs no consent of the engine's: told while something can still be done about it."""
        odd = impact.odd_names
        told = []
        if odd.refused_count:
            says = (
                self.tr("This server may refuse %n file(s):", "", odd.refused_count)
                if impact.plain_server
                else self.tr("This server will refuse %n file(s):", "", odd.refused_count)
            )
            refused = odd.refused[:_MOST_REFUSED]
            lines = [f"{shown(path)}: {shown(reason)}" for path, reason in refused]
            told += [says, *lines, *(["…"] if odd.refused_count > len(lines) else [])]
        if impact.cannot_end:
            told.append(
                self.tr("A full sync is never ended without all of its files. Rename them first.")
            )
        if odd.twins:
            told.append(
                self.tr(
                    "These differ only in case or accents; some systems would keep one of them:"
                )
            )
            told += [f"{shown(one)}, {shown(other)}" for one, other in odd.twins[:_MOST_TWINS]]
            told += ["…"] if len(odd.twins) > _MOST_TWINS else []
        return Question(
            self.tr("Names to look at"),
            "\n".join(told),
            self.tr("Upload all the same"),
            self.tr("Do not upload"),
            agreed,
        )

    def _same_names(self, impact: Impact, agreed: Consents) -> Question:
        return Question(
            self.tr("Files of the same name in several folders"),
            self.tr(
                "Nobody can see whether this server keeps folders apart. If it does not, one of "
                "these would overwrite the other: {0}."
            ).format(", ".join(shown(name) for name in impact.same_names)),
            self.tr("Upload all the same"),
            self.tr("Do not upload"),
            agreed,
        )
