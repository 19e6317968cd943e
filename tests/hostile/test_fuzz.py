"""What is pure of the way in, fed with anything: 20,000 mutated samples per change.

Per release more of them, and atheris, which looks for branches that no sample reaches.
"""

from __future__ import annotations

import importlib.util
import os
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest

from embedded_server import contract_names
from embedded_server.routes import form_parts
from tests.support.counts import SOAK, count, seeds
from tests.support.fuzz_targets import SAMPLES, TARGETS, mutated

pytestmark = pytest.mark.soak

_EACH = count(4_000, 400_000)
_RUNS_OF_ATHERIS = 500_000
_REPOSITORY = Path(__file__).resolve().parents[2]


def _feed(name: str, seed: int, times: int) -> None:
    chance = random.Random(f"{name} {seed}")
    for sample in SAMPLES[name]:
        TARGETS[name](sample)
    for _ in range(times):
        data = mutated(SAMPLES[name], chance)
        try:
            TARGETS[name](data)
        except Exception as error:
            raise AssertionError(f"{name}, seed {seed}: {data!r}") from error


@pytest.mark.parametrize("name", list(TARGETS))
@pytest.mark.parametrize("seed", seeds(1, 1))
def test_mutated_samples_are_read_or_refused(name: str, seed: int) -> None:
    _feed(name, seed, _EACH)


@pytest.mark.skipif(not os.environ.get(SOAK), reason="atheris runs in make soak")
@pytest.mark.parametrize("name", list(TARGETS))
def test_atheris_finds_nothing(name: str, tmp_path: Path) -> None:
    if importlib.util.find_spec("atheris") is None:
        if os.environ.get("CI"):
            pytest.fail("atheris is not installed (and CI runs every test)")
        pytest.skip("atheris is not installed: it has packages for Linux on x86-64 only")
    done = _atheris(name, tmp_path, _RUNS_OF_ATHERIS)
    assert done.returncode == 0, done.stdout[-4_000:]


def _atheris(name: str, folder: Path, runs: int) -> subprocess.CompletedProcess[str]:
    corpus = folder / "corpus"
    corpus.mkdir()
    flags = [f"-runs={runs}", "-seed=1", "-max_len=4096", f"-artifact_prefix={folder}/"]
    return subprocess.run(
        [sys.executable, "-m", "tests.support.fuzz_with_atheris", name, str(corpus), *flags],
        cwd=_REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )


def test_of_the_test_a_lenient_rule_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contract_names, "_SUSPECT", re.compile(r'[<>:"|?*\\]'))
    with pytest.raises(AssertionError):
        _feed("paths", 0, _EACH)


def test_of_the_test_a_reader_that_minds_the_pieces_is_caught(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    original = form_parts.FormConsumer.feed

    def feed(self: form_parts.FormConsumer, data: bytes) -> None:
        original(self, data.replace(b"\r\n\r\n", b"\r\n\n\r\n") if len(data) == 7 else data)

    monkeypatch.setattr(form_parts.FormConsumer, "feed", feed)
    with pytest.raises(AssertionError):
        _feed("form", 0, _EACH)
