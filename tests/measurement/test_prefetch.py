import threading
import time
from collections.abc import Iterator

import pytest

from fetal_monai.measurement.prefetch import prefetched


def test_the_same_items_in_the_same_order() -> None:
    assert list(prefetched(range(100), 3)) == list(range(100))


def test_it_reads_ahead_but_no_further_than_it_may() -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for number in range(20):
            taken.append(number)
            yield number

    reading = prefetched(items(), 3)
    assert next(reading) == 0
    time.sleep(0.3)
    assert len(taken) == 5  # the one given, three that wait, and one in the thread's hand
    reading.close()


def test_an_error_comes_after_the_items_before_it() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise OSError("disk gone")

    reading = prefetched(items(), 4)
    assert next(reading) == 1
    with pytest.raises(OSError, match="disk gone"):
        next(reading)


def test_no_thread_is_left_when_the_caller_stops_early() -> None:
    before = threading.active_count()
    reading = prefetched(iter(int, 1), 2)
    next(reading)
    reading.close()
    assert threading.active_count() == before
