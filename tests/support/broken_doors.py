"""Servers that let in what they must not: what the tests of hostile input must catch.

Each changes the server's code, which is why it runs only in a process of its own.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

from embedded_server.storage.disk import Disk


def replaced(owner: object, name: str, by: object) -> None:
    getattr(owner, name)  # a break of something that is no longer there would prove nothing
    setattr(owner, name, by)


def _lets_dots_through() -> Disk:
    from embedded_server import contract_names
    from embedded_server.domain import lake_path

    original = contract_names.problem_of_name

    def problem_of(name: str) -> str | None:
        return None if name == ".." else original(name)

    for room in (contract_names, lake_path):
        replaced(room, "problem_of_name", problem_of)
    return Disk()


def _lets_devices_through() -> Disk:
    from embedded_server import contract_names

    replaced(contract_names, "_DEVICE_NAMES", frozenset())
    return Disk()


def _decodes_twice() -> Disk:
    from embedded_server.routes import query

    original = vars(query)["parse_qsl"]

    def parse_qsl(*given: Any, **named: Any) -> list[tuple[str, str]]:
        return [(name, unquote(text)) for name, text in original(*given, **named)]

    replaced(query, "parse_qsl", parse_qsl)
    return Disk()


def _of_names(change: Callable[[str], str]) -> Callable[[], Disk]:
    def build() -> Disk:
        from embedded_server.services import upload_service

        original = vars(upload_service)["checked_name"]
        replaced(upload_service, "checked_name", lambda name: original(change(name)))
        return Disk()

    return build


def _accepts_a_body_without_its_end() -> Disk:
    from embedded_server.routes.form_parts import FormConsumer

    replaced(FormConsumer, "feed_end", FormConsumer._end_part)
    return Disk()


def _takes_the_first_of_two_files() -> Disk:
    from embedded_server.routes.upload_form import UploadForm

    original = UploadForm.on_file_begins

    def on_file_begins(self: UploadForm, *given: Any) -> None:
        if self._upload is None:
            original(self, *given)

    replaced(UploadForm, "on_file_begins", on_file_begins)
    return Disk()


def _does_not_look_at(*names: bytes) -> Callable[[], Disk]:
    def build() -> Disk:
        from embedded_server.gate.gatekeeper import Gatekeeper

        original = Gatekeeper._refusal

        def refusal(
            self: Gatekeeper, headers: list[tuple[bytes, bytes]], version: str
        ) -> tuple[int, str] | None:
            return original(self, [it for it in headers if it[0] not in names], version)

        replaced(Gatekeeper, "_refusal", refusal)
        return Disk()

    return build


def _does_not_look_at_host() -> Disk:
    """Takes each name for its own, and so each page of it for its own."""
    from embedded_server.gate.gatekeeper import Gatekeeper

    def refusal(*_: Any) -> None:
        return None

    replaced(Gatekeeper, "_refusal", refusal)
    return Disk()


def _answers_in_its_own_words() -> Disk:
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

    from embedded_server.gate.connections import WatchedConnection

    replaced(WatchedConnection, "send_400_response", HttpToolsProtocol.send_400_response)
    return Disk()


def _reads_names_as_latin_1() -> Disk:
    from embedded_server.routes import form_parts

    original = vars(form_parts)["_Parser"]
    replaced(
        form_parts,
        "_Parser",
        lambda *given, **named: original(*given, **named, header_charset="latin-1"),
    )
    return Disk()


class _FollowsLinks(Disk):
    def keep_inside(self, top: str) -> None:
        pass


DOORS: Mapping[str, Callable[[], Disk]] = {
    "follows links": _FollowsLinks,
    "accepts a body without its end": _accepts_a_body_without_its_end,
    "takes one file of two": _takes_the_first_of_two_files,
    "takes packed bodies": _does_not_look_at(b"content-encoding"),
    "does not look at Origin": _does_not_look_at(b"origin", b"sec-fetch-site"),
    "does not look at Host": _does_not_look_at_host,
    "answers in its own words": _answers_in_its_own_words,
    "reads names as Latin-1": _reads_names_as_latin_1,
    "lets .. through": _lets_dots_through,
    "lets devices through": _lets_devices_through,
    "decodes twice": _decodes_twice,
    "normalises names": _of_names(lambda name: unicodedata.normalize("NFC", name)),
    "trims names": _of_names(lambda name: name.rstrip(". ")),
    "cuts names down": _of_names(lambda name: name.replace("\\", "/").rpartition("/")[2]),
}
