"""`lakedrop jobs` and `lakedrop history`."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.domain.errors import ConnectionNotUsable, InvalidApiKey
from tests.support.fake_engine import FakeEngine
from tests.unit.cli.conftest import CommandLine

LONG = "/data/" + "đơn hàng rất dài/" * 20 + "cuối"

JOB = {
    "org_id": 0,
    "sync_id": 4,
    "name": "hello",
    "path": LONG,
    "sync_type": "FullSync",
    "sync_status": "Finished",
    "start_time": 1638728596890,
    "end_time": 1638728599390,
    "total_files": 4,
    "num_failed": 2,
}
UPLOAD = {
    "org_id": 0,
    "history_id": 3,
    "sync_id": 2,
    "file_name": "random_data.parquet",
    "start_time": 1638787907031,
    "end_time": 0,
    "sync_status": "Syncing",
    "message": "",
}


@pytest.fixture(autouse=True)
def rows(engine: FakeEngine) -> None:
    engine.answers |= {
        "sync_jobs": lambda _: {"jobs": [JOB, JOB | {"sync_id": 3, "end_time": 0}]},
        "history": lambda _: {"uploads": [UPLOAD]},
        "connections": lambda _: {"connections": []},
    }


def test_jobs_are_a_table_whose_rows_are_never_cut_or_broken(
    engine: FakeEngine, lakedrop: CommandLine
) -> None:
    assert lakedrop.run("jobs", "--limit", "7") == 0

    head, first, second = lakedrop.out.splitlines()
    assert head.split() == [
        "Id", "Name", "Path", "Mode", "Status", "Started", "Took", "Files", "Failed",
    ]  # fmt: skip
    assert LONG in first
    assert "full" in first
    assert "2.5 s" in first
    assert second.split()[0] == "3"
    assert "\x1b" not in lakedrop.out
    assert engine.args_of("sync_jobs") == {
        "connection": {"name": "local"},
        "key": None,
        "newest": 7,
    }


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        ("abc", "'abc' is not a whole number from 1 on"),
        ("0", "'0' is not a whole number from 1 on"),
        ("100001", "at most 100,000 rows"),
    ],
)
def test_a_limit_that_cannot_be_is_refused_in_words(
    limit: str, words: str, lakedrop: CommandLine, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        lakedrop.run("jobs", "--limit", limit)
    assert words in capsys.readouterr().err
    assert lakedrop.attached == 0
    assert lakedrop.run("jobs", "--limit", "100000") == 0


def test_jobs_as_json_are_the_contracts_fields_and_readable_times(lakedrop: CommandLine) -> None:
    assert lakedrop.run("jobs", "--json") == 0

    first, second = (json.loads(line) for line in lakedrop.out.splitlines())
    assert first == JOB | {
        "start_time_iso": "2021-12-05T18:23:16.890+00:00",
        "end_time_iso": "2021-12-05T18:23:19.390+00:00",
    }
    assert second["end_time_iso"] is None


def test_history_can_be_narrowed_to_one_sync(engine: FakeEngine, lakedrop: CommandLine) -> None:
    assert lakedrop.run("history", "--job", "2") == 0

    assert "random_data.parquet" in lakedrop.out
    assert engine.args_of("history")["sync_id"] == 2
    assert lakedrop.run("history", "--json") == 0
    assert json.loads(lakedrop.out)["history_id"] == 3
    assert engine.args_of("history")["sync_id"] is None


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["jobs"], "No sync jobs yet on the local lake."),
        (["history"], "No uploads yet on the local lake."),
        (["history", "--job", "9"], "No uploads of sync 9 on the local lake."),
    ],
)
def test_nothing_to_show_is_said_in_a_sentence(
    arguments: list[str], sentence: str, engine: FakeEngine, lakedrop: CommandLine
) -> None:
    engine.answers |= {"sync_jobs": lambda _: {"jobs": []}, "history": lambda _: {"uploads": []}}

    assert lakedrop.run(*arguments) == 0
    assert lakedrop.out.strip() == sentence
    assert lakedrop.run(*arguments, "--json") == 0
    assert lakedrop.out == ""


def test_a_server_that_asks_for_no_key_is_read_without_one(
    engine: FakeEngine, lakedrop: CommandLine
) -> None:
    lakedrop.on_terminal = True

    assert lakedrop.run("jobs", "--server", "https://lake.example") == 0
    assert engine.args_of("sync_jobs")["key"] is None


@pytest.mark.parametrize("refusal", [ConnectionNotUsable("no key"), InvalidApiKey("no key")])
def test_a_server_that_insists_on_a_key_has_it_asked_for(
    refusal: ConnectionNotUsable, engine: FakeEngine, lakedrop: CommandLine
) -> None:
    def insist(args: dict[str, Any]) -> dict[str, Any]:
        if args["key"] != "canary-key":
            raise refusal
        return {"jobs": [JOB]}

    engine.answers["sync_jobs"] = insist
    with pytest.raises(ConnectionNotUsable, match="LAKEDROP_API_KEY"):
        lakedrop.run("jobs", "--server", "https://lake.example")
    lakedrop.on_terminal, lakedrop.typed_secret = True, "canary-key"
    assert lakedrop.run("jobs", "--server", "https://lake.example") == 0
    assert "canary-key" not in lakedrop.out + lakedrop.err
