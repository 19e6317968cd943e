"""Runs one target under atheris: `python -m tests.support.fuzz_with_atheris TARGET CORPUS flags…`.

A program of its own: atheris instruments the server's modules as they are imported, and never
returns.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

if __name__ == "__main__":
    with atheris.instrument_imports(include=["embedded_server", "multipart"]):
        from tests.support.fuzz_targets import SAMPLES, TARGETS
    name, corpus, *flags = sys.argv[1:]
    for number, sample in enumerate(SAMPLES[name]):
        Path(corpus, f"sample-{number}").write_bytes(sample)
    atheris.Setup([sys.argv[0], *flags, corpus], TARGETS[name])
    atheris.Fuzz()
