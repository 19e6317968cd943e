"""What the README tells a person to type must be there to be used."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def test_every_file_that_a_command_of_the_readme_uploads_exists() -> None:
    named = re.findall(r"--form file=@(\S+)", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert named
    assert [path for path in named if not (ROOT / path).is_file()] == []
