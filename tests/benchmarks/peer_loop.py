"""The peer's client: a plain loop of `httpx` posts, one kept-alive connection.

python -m tests.benchmarks.peer_loop FOLDER URL
"""

from __future__ import annotations

import sys
from pathlib import Path

import httpx


def main() -> None:
    folder, url = Path(sys.argv[1]), sys.argv[2]
    with httpx.Client() as client:
        for path in sorted(folder.iterdir()):
            with path.open("rb") as file:
                client.post(url, files={"file": (path.name, file)}).raise_for_status()


if __name__ == "__main__":
    main()
