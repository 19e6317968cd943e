"""Brings the translations up to the texts of the window: `make translations`.

python resources/make_translations.py [folder]     (default: resources/translations)

Qt's own tools, which come with PySide6, do both steps: lupdate collects the texts of app/ui into
the .ts files and keeps what is translated already; lrelease makes the .qm files that LakeDrop
loads. The source texts are English: English has a file for its plurals alone. Texts that the window
no longer has are dropped; places in the source are left out, or every edit would change the files.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import PySide6

ROOT = Path(__file__).resolve().parents[1]
TRANSLATIONS = ROOT / "resources" / "translations"
SOURCES = ROOT / "app" / "ui"
LANGUAGES = ("en", "vi")
_ONLY_PLURALS = frozenset({"en"})


def update(folder: Path, sources: Path = SOURCES) -> None:
    """Adds the window's new texts to the .ts files in `folder` and drops those that are gone."""
    for language in LANGUAGES:
        only_plurals = ["-pluralonly"] if language in _ONLY_PLURALS else []
        _qt_tool(
            "lupdate",
            *("-silent", "-extensions", "py", "-locations", "none", "-no-obsolete"),
            "-sort-messages",  # one order, whatever stood there before
            *("-source-language", "en", "-target-language", language, *only_plurals),
            *(str(sources), "-ts", str(folder / f"lakedrop_{language}.ts")),
        )


def release(folder: Path, into: Path) -> None:
    """Makes the .qm of every .ts in `folder`; texts without a translation stay as they are."""
    for language in LANGUAGES:
        name = f"lakedrop_{language}"
        _qt_tool("lrelease", "-silent", str(folder / f"{name}.ts"), "-qm", str(into / f"{name}.qm"))


def main(arguments: Sequence[str]) -> None:
    """Updates and releases the translations of one folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=TRANSLATIONS)
    folder: Path = parser.parse_args(arguments).folder
    folder.mkdir(parents=True, exist_ok=True)
    update(folder)
    release(folder, folder)


def _qt_tool(name: str, *arguments: str) -> None:
    """Runs one of the tools that lie in PySide6's own folder."""
    suffix = ".exe" if sys.platform == "win32" else ""
    tool = Path(PySide6.__path__[0]) / f"{name}{suffix}"
    subprocess.run([tool, *arguments], check=True)


if __name__ == "__main__":
    main(sys.argv[1:])
