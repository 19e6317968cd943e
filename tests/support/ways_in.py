"""Every way in which a name or a path comes to the server, as raw bytes.

A way takes a name (one part of a path) or a whole path, sends one request, and tells what was said
and what is now to be in sight, if it was accepted.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_from_bytes

from embedded_server import contract
from embedded_server import contract_extensions as more
from tests.support.wire import Answer, Wire, request

BASE = b"/h"  # the folder of the sync that everything is sent to
DATA = b"some bytes"
_FORM = {"Content-Type": "multipart/form-data; boundary=b"}
_TUS = {"Tus-Resumable": "1.0.0", "Content-Type": "application/offset+octet-stream"}


@dataclass(frozen=True, slots=True)
class Said:
    """`status` is the file's own where a batch has one; `message` is empty for a success."""

    status: int
    message: str
    in_sight: frozenset[bytes]  # below files/ if it was accepted, folders with a slash at the end

    @property
    def is_accepted(self) -> bool:
        return self.status < 300


def pct(raw: bytes) -> str:
    return quote_from_bytes(raw, safe="")


def as_json_text(sent: str | bytes) -> bytes:
    """Text is escaped to ASCII; bytes stand in the JSON as they are."""
    if isinstance(sent, str):
        return json.dumps(sent).encode("ascii")
    escaped = sent.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    return b'"' + b"".join(bytes([it]) if it >= 32 else b"\\u%04x" % it for it in escaped) + b'"'


def raw(sent: str | bytes) -> bytes:
    """As it goes over the wire; half a character as the three bytes that it would have."""
    return sent if isinstance(sent, bytes) else sent.encode("utf-8", "surrogatepass")


def in_quotes(name: bytes) -> bytes:
    """As browsers and curl write a file name (WHATWG HTML, multipart/form-data)."""
    return name.replace(b'"', b"%22").replace(b"\r", b"%0D").replace(b"\n", b"%0A")


def folders_above(place: bytes) -> set[bytes]:
    parts = place.split(b"/")
    return {b"/".join(parts[:n]) + b"/" for n in range(1, len(parts))}


def _file(place: bytes) -> frozenset[bytes]:
    return frozenset({place, *folders_above(place)})


def _folder(place: bytes) -> frozenset[bytes]:
    return frozenset({place + b"/", *folders_above(place)})


class WaysIn:
    """Bound to a server, a running incremental sync at `BASE`, and a version of the trash."""

    def __init__(self, wire: Wire, port: int, api_key: str) -> None:
        self._wire = wire
        self._port = port
        self._key = api_key
        self.sync_id = self._started(b'"/h"')
        self.trashed = 0

    def _started(self, path: bytes) -> int:
        answer = self.start(path)
        assert answer.status == 200, answer
        return int(answer.json["sync_id"])

    def start(self, path_in_json: bytes) -> Answer:
        fields = {"name": "n", "sync_type": "IncrementalSync", "api_key": self._key}
        body = json.dumps(fields).encode()[:-1] + b', "path": ' + path_in_json + b"}"
        return self._post(contract.START_ROUTE, body)

    def get(self, route: str, query: str = "") -> Answer:
        return self._wire.exchange(request("GET", f"{route}?{query}", self._port))

    def _post(self, target: str, body: bytes, headers: Mapping[str, str] | None = None) -> Answer:
        return self._wire.exchange(request("POST", target, self._port, dict(headers or {}), body))

    def fields(self, route: str, **texts: bytes) -> Answer:
        """A JSON body whose values are JSON already."""
        body = b", ".join(b'"%s": %s' % (name.encode(), text) for name, text in texts.items())
        return self._post(route, b"{" + body + b"}")

    # -- names ---------------------------------------------------------------------------------

    def _form(self, disposition: bytes, more_lines: bytes = b"") -> bytes:
        head = b'--b\r\nContent-Disposition: form-data; name="file"; ' + disposition + b"\r\n"
        return head + more_lines + b"\r\n" + DATA + b"\r\n--b--\r\n"

    def upload(self, disposition: bytes, path: bytes | None = None) -> Answer:
        where = "" if path is None else f"&path={pct(path)}"
        target = f"{contract.UPLOAD_ROUTE}?sync_id={self.sync_id}{where}"
        return self._post(target, self._form(disposition), _FORM)

    def upload_named(self, sent: str | bytes) -> Said:
        name = raw(sent)
        answer = self.upload(b'filename="' + in_quotes(name) + b'"')
        return _said(answer, _file(b"h/" + name))

    def upload_named_extended(self, sent: str | bytes) -> Said:
        name = raw(sent)
        answer = self.upload(b"filename=\"x\"; filename*=UTF-8''" + pct(name).encode())
        return _said(answer, _file(b"h/" + name))

    def batch(self, disposition: bytes, folder: bytes | None = None) -> tuple[Answer, Any]:
        line = b"" if folder is None else b"Lake-Folder: " + pct(folder).encode() + b"\r\n"
        target = f"{contract.BATCH_ROUTE}?sync_id={self.sync_id}"
        answer = self._post(target, self._form(disposition, line), _FORM)
        return answer, answer.json["results"][0] if answer.status == 200 else None

    def batch_named(self, sent: str | bytes) -> Said:
        name = raw(sent)
        told = self.batch(b'filename="' + in_quotes(name) + b'"')
        return _said_of_batch(*told, _file(b"h/" + name))

    def tus_named(self, sent: str | bytes) -> Said:
        name = raw(sent)
        return _said(self._tus(filename=name), _file(b"h/" + name))

    def _tus(self, query: str = "", **metadata: bytes) -> Answer:
        """Creation that brings the whole file."""
        pairs = [f"{name} {base64.b64encode(text).decode()}" for name, text in metadata.items()]
        headers = _TUS | {"Upload-Length": str(len(DATA)), "Upload-Metadata": ",".join(pairs)}
        target = f"{contract.TUS_ROUTE}?sync_id={self.sync_id}{query}"
        return self._post(target, DATA, headers)

    # -- paths ---------------------------------------------------------------------------------

    def start_at(self, sent: str | bytes) -> Said:
        answer = self.start(as_json_text(sent))
        if answer.status == 200:
            key = json.dumps(self._key).encode()
            number = str(answer.json["sync_id"]).encode()
            assert self.fields(contract.ABORT_ROUTE, sync_id=number, api_key=key).status == 200
        return _said(answer, frozenset())

    def upload_to(self, sent: str | bytes) -> Said:
        path = raw(sent)
        return _said(self.upload(b'filename="f"', path), _file(_place(path) + b"/f"))

    def batch_to(self, sent: str | bytes) -> Said:
        path = raw(sent)
        return _said_of_batch(*self.batch(b'filename="f"', path), _file(_place(path) + b"/f"))

    def tus_to(self, sent: str | bytes) -> Said:
        path = raw(sent)
        return _said(self._tus(filename=b"f", path=path), _file(_place(path) + b"/f"))

    def tus_to_by_query(self, sent: str | bytes) -> Said:
        path = raw(sent)
        answer = self._tus(f"&path={pct(path)}", filename=b"f")
        return _said(answer, _file(_place(path) + b"/f"))

    def make_folder(self, sent: str | bytes) -> Said:
        answer = self.fields(more.LAKE_FOLDER_ROUTE, path=as_json_text(sent))
        return _said(answer, _folder(_place(raw(sent))))

    def rename_to(self, sent: str | bytes) -> Said:
        """What is renamed lies at `/from`."""
        answer = self.fields(more.LAKE_RENAME_ROUTE, path=b'"/from"', to=as_json_text(sent))
        return _said(answer, _file(_place(raw(sent))))

    # -- reading, and changing what is not there -------------------------------------------------

    def rename_from(self, sent: str | bytes) -> Said:
        answer = self.fields(more.LAKE_RENAME_ROUTE, path=as_json_text(sent), to=b'"/h/elsewhere"')
        return _said(answer, frozenset())

    def delete(self, sent: str | bytes) -> Said:
        answer = self.fields(more.LAKE_DELETE_ROUTE, path=as_json_text(sent))
        return _said(answer, frozenset())

    def restore(self, sent: str | bytes) -> Said:
        answer = self.fields(
            more.TRASH_RESTORE_ROUTE,
            sync_id=b"0",
            version=str(self.trashed).encode(),
            path=as_json_text(sent),
        )
        return _said(answer, frozenset())

    def _read(self, route: str, sent: str | bytes) -> Said:
        return _said(self.get(route, f"path={pct(raw(sent))}"), frozenset())

    def entries(self, sent: str | bytes) -> Said:
        return self._read(more.LAKE_ENTRIES_ROUTE, sent)

    def entry(self, sent: str | bytes) -> Said:
        return self._read(more.LAKE_ENTRY_ROUTE, sent)

    def download(self, sent: str | bytes) -> Said:
        return self._read(more.LAKE_DOWNLOAD_ROUTE, sent)

    def zipped(self, sent: str | bytes) -> Said:
        return self._read(more.LAKE_ZIP_ROUTE, sent)

    def usage(self, sent: str | bytes) -> Said:
        return self._read(contract.USAGE_ROUTE, sent)

    # -- filters: any text may be looked for ------------------------------------------------------

    def filter_syncs(self, sent: str | bytes) -> Said:
        answer = self.get(contract.SYNCS_QUERY_ROUTE, f"text={pct(raw(sent))}")
        return _said(answer, frozenset())

    def filter_history(self, sent: str | bytes) -> Said:
        answer = self.get(contract.HISTORY_QUERY_ROUTE, f"text={pct(raw(sent))}")
        return _said(answer, frozenset())


Way = Callable[[WaysIn, "str | bytes"], Said]

BY_NAME: Mapping[str, Way] = {
    "upload": WaysIn.upload_named,
    "upload, filename*": WaysIn.upload_named_extended,
    "batch": WaysIn.batch_named,
    "tus": WaysIn.tus_named,
}
BY_PATH: Mapping[str, Way] = {
    "start": WaysIn.start_at,
    "upload's path": WaysIn.upload_to,
    "batch's folder": WaysIn.batch_to,
    "tus path": WaysIn.tus_to,
    "tus path in the query": WaysIn.tus_to_by_query,
    "new folder": WaysIn.make_folder,
    "rename to": WaysIn.rename_to,
}
# Of what is not there: a good path is 404, and nothing changes.
OF_WHAT_IS_THERE: Mapping[str, Way] = {
    "rename from": WaysIn.rename_from,
    "delete": WaysIn.delete,
    "restore": WaysIn.restore,
    "browse": WaysIn.entries,
    "details": WaysIn.entry,
    "download": WaysIn.download,
    "zip": WaysIn.zipped,
    "usage": WaysIn.usage,
}
FILTERS: Mapping[str, Way] = {
    "syncs by text": WaysIn.filter_syncs,
    "history by text": WaysIn.filter_history,
}
IN_JSON = frozenset({"start", "new folder", "rename to", "rename from", "delete", "restore"})


def _place(path: bytes) -> bytes:
    """Below files/, without the one slash that may stand at the end."""
    return path.removeprefix(b"/").removesuffix(b"/")


def _said(answer: Answer, in_sight: frozenset[bytes]) -> Said:
    if answer.status < 400:
        return Said(answer.status, "", in_sight)
    return Said(answer.status, answer.error().message, in_sight)


def _said_of_batch(answer: Answer, result: Any, in_sight: frozenset[bytes]) -> Said:
    if result is None:
        return Said(answer.status, answer.error().message, in_sight)
    if result["code"] == 0:
        return Said(200, "", in_sight)
    assert 400 <= result["code"] < 500, result
    return Said(result["code"], result["msg"], in_sight)
