"""The queue on disk, without a network."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest

from fetal_monai.node.object_table import MAX_DELAY_S, Entry, State
from fetal_monai.node.spool import Spool

CONTENT = b"an object"


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    spool = Spool(tmp_path / "queue")
    yield spool
    spool.close()


def receive(spool: Spool, uid: str, content: bytes = CONTENT) -> int | None:
    return spool.receive(uid, len(content), lambda file: file.write(content))


def claimed(spool: Spool, state: State) -> Entry:
    entry = spool.table.claim(state)
    assert entry is not None
    return entry


def report(spool: Spool, name: str) -> Path:
    path = spool.reports / f"{name}_obgyn.dcm"
    path.write_bytes(b"a report")
    return path


def files(spool: Spool) -> set[str]:
    return {path.name for path in (*spool.objects.iterdir(), *spool.reports.iterdir())}


def test_an_object_goes_its_way_and_leaves_no_file(spool: Spool) -> None:
    assert receive(spool, "1.2.3") == 1
    entry = claimed(spool, State.RECEIVED)
    assert spool.object_path(entry.name).read_bytes() == CONTENT
    path = report(spool, entry.name)
    spool.move(entry, State.REPORTED, "")
    assert spool.report_paths(claimed(spool, State.REPORTED).name) == [path]
    spool.move(entry, State.SENT, "")
    assert files(spool) == set()
    assert spool.table.counts()[State.SENT] == 1


def test_no_file_is_named_by_an_identifier(spool: Spool) -> None:
    receive(spool, "1.2.840.4711")
    assert not any("4711" in name for name in files(spool))


def test_objects_are_taken_in_the_order_in_which_they_came(spool: Spool) -> None:
    numbers = [receive(spool, f"1.2.{number}") for number in range(5)]
    assert [claimed(spool, State.RECEIVED).number for _ in numbers] == numbers
    assert spool.table.claim(State.RECEIVED) is None


@pytest.mark.parametrize("state", [state for state in State if state is not State.FAILED])
def test_an_object_that_comes_again_is_not_taken_twice(spool: Spool, state: State) -> None:
    receive(spool, "1.2.3")
    spool.move(claimed(spool, State.RECEIVED), state, "")
    before = files(spool)
    assert receive(spool, "1.2.3") is None
    assert files(spool) == before


def test_an_object_that_has_failed_starts_again_when_it_comes_again(spool: Spool) -> None:
    number = receive(spool, "1.2.3")
    spool.move(claimed(spool, State.RECEIVED), State.FAILED, "damaged")
    assert receive(spool, "1.2.3", b"another") == number
    entry = claimed(spool, State.RECEIVED)
    assert (entry.reason, entry.tries, spool.object_path(entry.name).read_bytes()) == ("", 1, b"another")


class Clock:
    def __init__(self) -> None:
        self.now_s = 1e9

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("fetal_monai.node.object_table.time.time", clock)
    return clock


def test_a_step_that_does_not_end_is_tried_again_later_each_time(spool: Spool, clock: Clock) -> None:
    receive(spool, "1.2.3")
    for tries, delay_s in enumerate([1, 2, 4, 8, 16, 32, 64, 128, 256, MAX_DELAY_S, MAX_DELAY_S], start=1):
        assert claimed(spool, State.RECEIVED).tries == tries
        clock.now_s += delay_s - 0.1
        assert spool.table.claim(State.RECEIVED) is None
        clock.now_s += 0.1


def test_another_object_does_not_wait_for_one_that_is_tried_again(spool: Spool, clock: Clock) -> None:
    receive(spool, "1.2.3")
    claimed(spool, State.RECEIVED)
    second = receive(spool, "1.2.4")
    assert claimed(spool, State.RECEIVED).number == second


def test_a_clock_that_is_set_back_does_not_stop_the_queue(spool: Spool, clock: Clock) -> None:
    receive(spool, "1.2.3")
    claimed(spool, State.RECEIVED)
    clock.now_s -= 86400
    assert claimed(spool, State.RECEIVED).tries == 2


def test_what_was_begun_before_a_kill_is_begun_again(spool: Spool, clock: Clock) -> None:
    receive(spool, "1.2.3")
    entry = claimed(spool, State.RECEIVED)
    report(spool, entry.name)
    spool.close()  # a kill does no more than this
    again = Spool(spool.folder)
    clock.now_s += 1
    assert claimed(again, State.RECEIVED) == Entry(entry.number, entry.name, State.RECEIVED, "", 2)
    again.close()


def test_what_a_kill_left_is_removed_at_the_next_start(spool: Spool) -> None:
    for uid, state in (("1.2.1", State.RECEIVED), ("1.2.2", State.FAILED), ("1.2.3", State.SENT)):
        receive(spool, uid)
        spool.move(claimed(spool, State.RECEIVED), state, "")
    kept = files(spool)
    (spool.objects / ".0123abcd-half.dcm").touch()
    (spool.objects / f"{'0' * 32}.dcm").touch()  # not confirmed
    report(spool, "1" * 32)
    spool.close()
    again = Spool(spool.folder)
    assert files(again) == kept
    assert len(kept) == 2
    again.close()


def test_of_what_cannot_be_written_there_is_nothing(spool: Spool) -> None:
    def full(file: BinaryIO) -> None:
        file.write(CONTENT)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(OSError, match="No space left"):
        spool.receive("1.2.3", len(CONTENT), full)
    assert files(spool) == set()
    assert receive(spool, "1.2.3") == 1


def test_some_of_the_disk_is_kept_free(spool: Spool) -> None:
    with pytest.raises(OSError, match="No space left"):
        spool.receive("1.2.3", 1 << 60, lambda file: file.write(CONTENT))
    assert files(spool) == set()


def test_two_nodes_cannot_use_one_queue(spool: Spool) -> None:
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        Spool(spool.folder)
