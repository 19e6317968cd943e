"""Uploads one file with tuspy as it comes from PyPI, a piece at a time as its standard input asks.

    python tuspy_upload.py < {"endpoint", "file", "metadata", "chunk_bytes", "storage", "checksums"}

A process of its own, since tuspy leaves files open. First line of input: what to do, as JSON; it
answers with the offset that it begins at. Each further line sends one piece and is answered with
the offset then. At the end of the input it ends.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from typing import Any

# It has no types.
_client: Any = import_module("tusclient.client")
_storage: Any = import_module("tusclient.storage.filestorage")


def main() -> None:
    wanted = json.loads(sys.stdin.readline())
    uploader = _client.TusClient(wanted["endpoint"]).uploader(
        wanted["file"],
        chunk_size=wanted["chunk_bytes"],
        metadata=wanted["metadata"],
        store_url=True,
        url_storage=_storage.FileStorage(wanted["storage"]),
        upload_checksum=wanted["checksums"],
    )
    print(uploader.offset, flush=True)
    for _ in sys.stdin:
        uploader.upload_chunk()
        print(uploader.offset, flush=True)


if __name__ == "__main__":
    main()
