"""The counters behind the screens."""

from __future__ import annotations

import json
from dataclasses import replace

from app.domain.connections import LOCAL_LAKE
from app.domain.ports import ItemCounts
from app.domain.queue_item import Assurance, ItemState, QueueItem
from app.domain.snapshots import ActiveTransfer, JobSnapshot
from app.domain.upload_job import UploadJob
from app.engine.progress_ledger import ProgressLedger
from app.infra.system_clock import SystemClock
from embedded_server.contract import SyncType

JOB = UploadJob(3, LOCAL_LAKE, "/data/x", SyncType.FULL, "nightly")


class HandClock:
    def __init__(self) -> None:
        self.now_s = 50.0

    def now_ms(self) -> int:
        return 0

    def monotonic_s(self) -> float:
        return self.now_s


def item(number: int, size_bytes: int) -> QueueItem:
    return QueueItem(number, 3, f"/{number}", "/data/x", str(number), size_bytes, 0)


def arrived(before: QueueItem) -> QueueItem:
    checking = before.moved_to(ItemState.UPLOADING).moved_to(ItemState.VERIFYING)
    return checking.arrived(Assurance.VERIFIED, "00")


def test_a_failed_try_takes_its_bytes_back() -> None:
    ledger = ProgressLedger(SystemClock())
    ledger.found(1, 10, 0)
    ticket = ledger.began([item(1, 10)])
    ledger.sent(ticket, 7)
    assert ledger.snapshot(JOB).bytes_sent == 7
    ledger.finished(ticket)
    assert ledger.snapshot(JOB).bytes_sent == 0


def test_bytes_that_arrived_are_not_counted_as_under_way_too() -> None:
    ledger = ProgressLedger(SystemClock())
    ledger.found(3, 60, 0)
    items = [item(1, 10), item(2, 20), item(3, 30)]
    ticket = ledger.began(items)
    ledger.sent(ticket, 60)
    seen = []
    for each in items:
        ledger.settled(arrived(each), ticket)
        seen.append(ledger.snapshot(JOB).bytes_sent)
    ledger.finished(ticket)
    assert seen == [60, 60, 60]
    done = ledger.snapshot(JOB)
    assert (done.bytes_sent, done.files_arrived, done.files_verified) == (60, 3, 3)
    assert done.active == ()


def test_a_file_that_grew_is_counted_with_the_size_it_is_sent_with() -> None:
    ledger = ProgressLedger(SystemClock())
    ledger.found(1, 10, 0)
    ticket = ledger.began([item(1, 10)])
    ledger.resized(5, ticket)
    ledger.sent(ticket, 15)
    assert ledger.snapshot(JOB).active == (
        ActiveTransfer("/data/x/1", 1, 15, 15, ((1, 1),), verifying=True),
    )
    ledger.settled(arrived(item(1, 15)), ticket)
    assert (ledger.snapshot(JOB).bytes, ledger.snapshot(JOB).bytes_sent) == (15, 15)


def test_every_change_has_a_version_of_its_own() -> None:
    ledger = ProgressLedger(SystemClock())
    versions = [ledger.version]

    def changed() -> None:
        versions.append(ledger.version)

    ledger.found(1, 10, 2)
    changed()
    ticket = ledger.began([item(1, 10)])
    changed()
    ledger.sent(ticket, 1)
    changed()
    ledger.waiting("busy")
    changed()
    ledger.settled(arrived(item(1, 10)), ticket)
    changed()
    ledger.touched()
    changed()
    assert versions == sorted(set(versions))


def test_the_reason_to_wait_goes_when_bytes_move_again() -> None:
    ledger = ProgressLedger(SystemClock())
    ticket = ledger.began([item(1, 10)])
    before_ms = SystemClock().now_ms()
    ledger.waiting("busy", 3_600)
    waits = ledger.snapshot(JOB)
    assert waits.waiting_reason == "busy"
    assert 3_600_000 <= waits.next_try_at_ms - before_ms < 7_200_000
    ledger.sent(ticket, 1)
    moves = ledger.snapshot(JOB)
    assert (moves.waiting_reason, moves.next_try_at_ms) == ("", 0)


def test_what_the_journal_knows_is_where_it_starts_from() -> None:
    ledger = ProgressLedger(SystemClock())
    states = (ItemState.UPLOADED, ItemState.QUEUED, ItemState.FAILED, ItemState.CANCELLED)
    files = dict(zip(states, (5, 4, 3, 2), strict=True))
    sizes = dict(zip(states, (50, 40, 30, 20), strict=True))
    ledger.load(ItemCounts(files, sizes, verified=4, left_out=1))
    now = ledger.snapshot(JOB)
    assert (now.files, now.bytes, now.bytes_sent) == (14, 140, 50)
    assert (now.files_arrived, now.files_verified) == (5, 4)
    assert (now.files_failed, now.files_cancelled, now.files_left_out) == (3, 2, 1)


def test_the_speed_is_of_the_last_seconds_and_falls_to_nothing() -> None:
    clock = HandClock()
    ledger = ProgressLedger(clock)
    ticket = ledger.began([item(1, 10_000)])
    for _ in range(40):
        clock.now_s += 0.5
        ledger.sent(ticket, 50)
    assert 90 <= ledger.snapshot(JOB).speed_bytes_s <= 110
    clock.now_s += 60
    assert ledger.snapshot(JOB).speed_bytes_s == 0


def test_a_request_names_its_items_until_each_settles() -> None:
    ledger = ProgressLedger(SystemClock())
    items = [item(number, 10) for number in (4, 5, 6, 9)]
    ticket = ledger.began(items)
    assert ledger.snapshot(JOB).active[0].item_ids == ((4, 6), (9, 9))
    ledger.sent(ticket, 39)
    assert not ledger.snapshot(JOB).active[0].verifying
    ledger.sent(ticket, 1)  # all is sent, the answer is not there yet
    assert ledger.snapshot(JOB).active[0].verifying
    ledger.settled(arrived(items[1]), ticket)
    [active] = ledger.snapshot(JOB).active
    assert (active.item_ids, active.files) == (((4, 4), (6, 6), (9, 9)), 3)
    assert (active.sent_bytes, active.size_bytes) == (30, 30)


def test_files_that_wait_are_told_with_the_reason_until_they_go_again() -> None:
    ledger = ProgressLedger(SystemClock())
    items = [item(number, 10) for number in range(1, 61)]
    for each in items:
        ledger.waits(each.moved_to(ItemState.UPLOADING).moved_to(ItemState.WAITING, "busy"))
    waiting = ledger.snapshot(JOB).waiting
    assert waiting == tuple((number, "busy") for number in range(1, 51))
    ticket = ledger.began(items[:20])
    ledger.finished(ticket)
    failed = items[20].moved_to(ItemState.UPLOADING).moved_to(ItemState.FAILED, "No.")
    ledger.settled(failed, None)
    assert ledger.snapshot(JOB).waiting[0] == (22, "busy")
    ledger.came_to_rest()
    assert ledger.snapshot(JOB).waiting == ()


def test_rows_that_went_or_changed_are_told_and_rows_that_came_are_not() -> None:
    ledger = ProgressLedger(SystemClock())
    ledger.found(3, 30, 0, failed=1)
    assert (ledger.snapshot(JOB).rows_version, ledger.snapshot(JOB).files_failed) == (0, 1)
    ledger.removed(
        ItemCounts({ItemState.QUEUED: 1, ItemState.FAILED: 1}, {ItemState.QUEUED: 9}, 0, 0)
    )
    now = ledger.snapshot(JOB)
    assert (now.files, now.bytes, now.files_failed, now.rows_version) == (1, 21, 0, 1)
    ledger.rows_changed()
    assert ledger.snapshot(JOB).rows_version == 2


def test_a_snapshot_survives_the_way_over_the_socket() -> None:
    ledger = ProgressLedger(SystemClock())
    ledger.found(2, 30, 1)
    odd = replace(item(1, 10), name="no-\udcff-utf8")
    ledger.sent(ledger.began([odd]), 4)
    ledger.waiting("busy")
    ledger.waits(item(2, 20))
    snapshot = ledger.snapshot(replace(JOB, sync_id=8, problem="LakeFull", message="voilà"))
    assert JobSnapshot.from_wire(json.loads(json.dumps(snapshot.to_wire()))) == snapshot
