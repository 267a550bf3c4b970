"""Read ahead in a second thread."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from queue import Full, Queue
from threading import Event, Thread
from typing import TypeVar

Item = TypeVar("Item")
_POLL_S = 0.1


def prefetched(items: Iterable[Item], depth: int) -> Generator[Item, None, None]:
    """Yield the same items; a second thread takes up to `depth` of them in advance.

    Decoders and engines release Python's global lock, so one frame is decoded while the network sees another. The
    thread ends with the iteration, also when the caller stops early.

    Args:
        items: What to iterate over, in the second thread.
        depth: Largest number of items that wait in memory.

    Raises:
        BaseException: What `items` raises, after the items before it.
    """
    waiting: Queue[tuple[bool, Item | BaseException | None]] = Queue(depth)
    stopped = Event()

    def put(is_item: bool, value: Item | BaseException | None) -> None:
        while not stopped.is_set():
            try:
                return waiting.put((is_item, value), timeout=_POLL_S)
            except Full:
                continue

    def read() -> None:
        try:
            for item in items:
                put(True, item)
                if stopped.is_set():
                    return
        except BaseException as error:
            put(False, error)
        else:
            put(False, None)

    thread = Thread(target=read, name="prefetch", daemon=True)
    thread.start()
    try:
        while True:
            is_item, value = waiting.get()
            if is_item:
                yield value  # type: ignore[misc]
            elif isinstance(value, BaseException):
                raise value
            else:
                return
    finally:
        stopped.set()
        thread.join()
