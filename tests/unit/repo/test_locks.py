"""The locks pin everything pyproject.toml asks for, by hash, and name no place to fetch it from."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.unit.repo.tree import ROOT, project_table

RUNTIME, DEV = "requirements.lock", "requirements-dev.lock"
PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>\S+?)(?: ; (?P<marker>[^\\]+?))? \\$")
HASH = re.compile(r"^    --hash=sha256:[0-9a-f]{64}(?: \\)?$")


class Lock:
    """A lock as pip reads it: versions and hashes by canonical name, and who asked for them."""

    def __init__(self, name: str) -> None:
        self.text = (ROOT / name).read_text(encoding="utf-8")
        self.versions: dict[str, str] = {}
        self.hashes: dict[str, int] = {}
        self.asked_for: set[str] = set()
        self.strange_lines: list[str] = []
        current = ""
        for line in self.text.splitlines():
            if pin := PIN.match(line):
                current = canonicalize_name(pin["name"])
                self.versions[current] = pin["version"]
                if pin["marker"]:
                    Marker(pin["marker"])
            elif HASH.match(line):
                self.hashes[current] = self.hashes.get(current, 0) + 1
            elif line.lstrip().startswith("#"):
                if "lakedrop" in line:
                    self.asked_for.add(current)
            elif line:
                self.strange_lines.append(line)


def project_requirements(*extras: str) -> list[Requirement]:
    project = project_table()["project"]
    texts: Iterable[str] = project["dependencies"]
    for extra in extras:
        texts = [*texts, *project["optional-dependencies"][extra]]
    return [Requirement(text) for text in texts]


@pytest.mark.parametrize(("name", "extras"), [(RUNTIME, ("build",)), (DEV, ("build", "dev"))])
def test_a_lock_pins_exactly_what_the_project_asks_for(name: str, extras: tuple[str, ...]) -> None:
    lock = Lock(name)
    wanted = {canonicalize_name(need.name): need for need in project_requirements(*extras)}
    assert lock.asked_for == set(wanted), "run `make lock`"
    wrong = {n: lock.versions[n] for n, r in wanted.items() if lock.versions[n] not in r.specifier}
    assert wrong == {}, "run `make lock`"


@pytest.mark.parametrize("name", [RUNTIME, DEV])
def test_every_pin_has_its_hashes(name: str) -> None:
    lock = Lock(name)
    assert lock.strange_lines == []
    assert len(lock.versions) > 20
    assert set(lock.hashes) == set(lock.versions)


def test_the_tests_run_on_the_very_versions_that_people_get() -> None:
    runtime, dev = Lock(RUNTIME), Lock(DEV)
    differing = {n: v for n, v in runtime.versions.items() if dev.versions.get(n) != v}
    assert differing == {}


@pytest.mark.parametrize("name", [RUNTIME, DEV])
def test_a_lock_names_no_place_to_fetch_from(name: str) -> None:
    assert re.findall(r"index-url|find-links|://|file:|(?<!\w)/\w+/", Lock(name).text) == []


def test_what_builds_the_project_is_locked_too() -> None:
    lock = Lock(RUNTIME)
    for text in project_table()["build-system"]["requires"]:
        need = Requirement(text)
        assert lock.versions[canonicalize_name(need.name)] in need.specifier
