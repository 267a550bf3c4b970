"""The table of the objects that a node has received, in SQLite."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from threading import Lock
from typing import Any

MAX_DELAY_S = 300.0
"""Longest time between two tries."""

_CREATE = """
CREATE TABLE IF NOT EXISTS objects (
    number INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL,
    reason TEXT NOT NULL DEFAULT '',
    tries INTEGER NOT NULL DEFAULT 0,
    next_try_s REAL NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS by_state ON objects (state, number);
"""
_COLUMNS = "number, name, state, reason, tries"


class State(str, Enum):
    """Where an object is on its way."""

    RECEIVED = "received"
    """On disk, to be measured."""
    REPORTED = "reported"
    """Its reports are on disk, to be sent."""
    SENT = "sent"
    """The PACS has confirmed its reports."""
    UNREPORTED = "unreported"
    """Its measurement is not one to report."""
    FAILED = "failed"
    """It cannot be read, or the PACS refuses its reports."""


@dataclass(frozen=True)
class Entry:
    """A row of the table.

    Attributes:
        number: Counts the objects in the order in which they came; it is what the log names.
        name: Name of the object's files.
        state: Where it is.
        reason: Why it is there, or why the last try did not succeed; empty if all is well.
        tries: How often the next step was begun.
    """

    number: int
    name: str
    state: State
    reason: str
    tries: int


class ObjectTable:
    """One row for each object. Every change is on the disk when the method returns.

    Args:
        path: The file of the database; it is created if it does not exist.

    Raises:
        sqlite3.Error: Another process has the file open, it is damaged, or the disk is full; so for all methods.
    """

    def __init__(self, path: Path) -> None:
        self._lock = Lock()
        self._connection = sqlite3.connect(path, timeout=1.0, isolation_level=None, check_same_thread=False)
        try:
            # Two nodes in one folder would send the same twice.
            self._connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = FULL")
            self._connection.executescript(f"BEGIN IMMEDIATE; {_CREATE} COMMIT;")
        except sqlite3.Error:
            self._connection.close()
            raise

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def holds(self, name: str) -> bool:
        """Tell whether an object is there and has not failed."""
        return bool(self._rows("SELECT 1 FROM objects WHERE name = ? AND state != ?", name, State.FAILED.value))

    def add(self, name: str) -> int:
        """Add an object that was received, or start again with one that has failed.

        Returns:
            Its number.
        """
        ((number,),) = self._rows(
            "INSERT INTO objects (name, state) VALUES (?, ?) ON CONFLICT (name) DO UPDATE "
            "SET state = excluded.state, reason = '', tries = 0, next_try_s = 0 RETURNING number",
            *(name, State.RECEIVED.value),
        )
        return int(number)

    def claim(self, state: State) -> Entry | None:
        """Begin the next step of the oldest object in a state that is due.

        The time of the next try is set before this one begins: whatever ends it, even a kill of the process, the object
        is tried again, later each time (after 1, 2, 4, ... seconds, at most `MAX_DELAY_S`), and the others go on.

        Returns:
            The object; None if none is due.
        """
        now = time.time()
        rows = self._rows(
            "UPDATE objects SET tries = tries + 1, next_try_s = :now + min(:longest, 1 << min(tries, 30)) "
            "WHERE number = (SELECT number FROM objects WHERE state = :state "
            # A time that is too far away was set before the clock was set back.
            "AND (next_try_s <= :now OR next_try_s > :now + :longest) ORDER BY number LIMIT 1) "
            f"RETURNING {_COLUMNS}",
            state=state.value,
            now=now,
            longest=MAX_DELAY_S,
        )
        return next(map(_entry, rows), None)

    def move(self, number: int, state: State, reason: str = "") -> None:
        """Put an object into its next state."""
        self._rows(
            "UPDATE objects SET state = ?, reason = ?, tries = 0, next_try_s = 0 WHERE number = ?",
            *(state.value, reason, number),
        )

    def note(self, number: int, reason: str) -> None:
        """Note why a try did not succeed."""
        self._rows("UPDATE objects SET reason = ? WHERE number = ?", reason, number)

    def counts(self) -> dict[State, int]:
        """Count the objects in each state."""
        counted = dict(self._rows("SELECT state, count(*) FROM objects GROUP BY state"))
        return {state: int(counted.get(state.value, 0)) for state in State}

    def with_reason(self, limit: int) -> list[Entry]:
        """Return the last objects that have a reason."""
        rows = self._rows(f"SELECT {_COLUMNS} FROM objects WHERE reason != '' ORDER BY number DESC LIMIT ?", limit)
        return list(map(_entry, rows))

    def names(self, states: Iterable[State]) -> set[str]:
        """Return the names of all objects in some states."""
        wanted = [state.value for state in states]
        marks = ", ".join("?" * len(wanted))
        return {name for (name,) in self._rows(f"SELECT name FROM objects WHERE state IN ({marks})", *wanted)}

    def _rows(self, statement: str, *values: Any, **named: Any) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._connection.execute(statement, named or values).fetchall()


def _entry(row: tuple[Any, ...]) -> Entry:
    number, name, state, reason, tries = row
    return Entry(number, name, State(state), reason, tries)
