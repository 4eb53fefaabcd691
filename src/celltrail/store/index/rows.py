"""The rows of a run in the index: the one place where they are written and removed.

A `Part` keeps something of every run in tables of its own. It is told of each change of a run within the same
transaction, so that a reader never sees a run of which one part knows and another does not.
"""

from __future__ import annotations

import itertools
import os
import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from celltrail.model import RunRecord
from celltrail.store.catalogue.facts import fact_of
from celltrail.store.catalogue.seen import Seen, record_of
from celltrail.store.index.cells import Column, to_cell

_turns = itertools.count(int.from_bytes(os.urandom(6), "big"))


class Part(Protocol):
    """Something the index knows of runs."""

    def put(self, rid: int, record: RunRecord) -> None:
        """Keep what a run is now in place of what it was."""
        ...

    def remove(self, rid: int, record: RunRecord) -> None:
        """Forget what a run was."""
        ...

    def settle(self) -> None:
        """Write what was held back: called before the transaction ends."""
        ...


class Rows:
    """Writes runs, between the begin and the commit of a transaction."""

    def __init__(self, db: sqlite3.Connection, columns: Sequence[Column], parts: Iterable[Part]) -> None:
        self._db = db
        self._columns = columns
        self._parts = tuple(parts)
        self._has = [column.has for column in columns]
        self._cells: dict[int, list[Any]] = {}  # rows of hot, written together: a fifth less work for SQLite
        marks = ", ".join("?" * (1 + len(columns)))
        names = ", ".join(column.sql for column in columns)
        self._hot = f"insert or replace into hot (rid, {names}) values ({marks})"

    def put(self, seen: Seen, watch: bool) -> None:
        """Write a run as it is now; nothing when it is what is there."""
        document, more = seen.encode()
        run_id = seen.record.id
        ask = "select rid, document, more, watch from run where id = ?"
        old = self._db.execute(ask, (run_id,)).fetchone()
        if old is None:
            add = "insert into run (id, turn, stamp, watch, document, more) values (?, ?, ?, ?, ?, ?)"
            done = self._db.execute(add, (run_id, next(_turns), seen.stamp, watch, document, more))
            rid = done.lastrowid or 0
        elif (document, more, watch) == old[1:]:
            return
        else:
            rid = old[0]
            self._remove(rid, old[1], old[2])
            change = "update run set turn = ?, stamp = ?, watch = ?, document = ?, more = ? where rid = ?"
            self._db.execute(change, (next(_turns), seen.stamp, watch, document, more, rid))
        self._put_hot(rid, seen.record)
        for part in self._parts:
            part.put(rid, seen.record)

    def remove(self, run_id: str) -> None:
        """Forget a run."""
        found = self._db.execute("select rid, document, more from run where id = ?", (run_id,)).fetchone()
        if found is None:
            return
        rid = found[0]
        self._remove(*found)
        self._cells.pop(rid, None)
        self._db.execute("delete from hot where rid = ?", (rid,))
        self._db.execute("delete from run where rid = ?", (rid,))

    def settle(self) -> None:
        """Write what was held back; to be called before the commit."""
        self._db.executemany(self._hot, self._cells.values())
        self._cells.clear()
        for part in self._parts:
            part.settle()
        news = [(has, column.sql) for has, column in zip(self._has, self._columns, strict=True) if has & ~column.has]
        self._db.executemany("update field set has = has | ? where col = ?", news)

    def _remove(self, rid: int, document: bytes, more: bytes) -> None:
        record = record_of(document, more)
        if record is None:
            raise sqlite3.DatabaseError(f"row {rid} does not verify")  # and so nothing in this file counts
        for part in self._parts:
            part.remove(rid, record)

    def _put_hot(self, rid: int, record: RunRecord) -> None:
        cells: list[Any] = [rid]
        for place, column in enumerate(self._columns):
            cell, kind = to_cell(_fact(record, column))
            cells.append(cell)
            self._has[place] |= kind
        self._cells[rid] = cells


class Tags:
    """Which runs have a tag."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def put(self, rid: int, record: RunRecord) -> None:
        """Keep the tags of a run."""
        rows = [(tag, rid) for tag in record.tags if isinstance(tag, str)]
        self._db.executemany("insert or ignore into tag values (?, ?)", rows)

    def remove(self, rid: int, record: RunRecord) -> None:
        """Forget the tags of a run."""
        self._db.execute("delete from tag where rid = ?", (rid,))

    def settle(self) -> None:
        """Nothing is held back."""


class Names:
    """How many runs have a param, a metric (by its goal), a summary entry or a tag of a name."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._counts: Counter[tuple[str, str, str]] = Counter()

    def put(self, rid: int, record: RunRecord) -> None:
        """Count the names of a run."""
        self._counts.update(_names(record))

    def remove(self, rid: int, record: RunRecord) -> None:
        """Count them no longer."""
        self._counts.subtract(_names(record))

    def settle(self) -> None:
        """Write the counts: one row for a name, however many runs of this transaction have it."""
        rows = [(*name, runs) for name, runs in self._counts.items() if runs]
        add = "insert into name values (?, ?, ?, ?) on conflict do update set runs = runs + excluded.runs"
        self._db.executemany(add, rows)
        self._db.executemany("delete from name where kind = ? and name = ? and goal = ? and runs <= 0", self._counts)
        self._counts.clear()


def _names(record: RunRecord) -> list[tuple[str, str, str]]:
    found = [("param", name, "") for name in record.params]
    found += [("metric", name, str(metric.goal)) for name, metric in record.metrics.items()]
    found += [("summary", name, "") for name in record.summary]
    found += [("tag", tag, "") for tag in record.tags if isinstance(tag, str)]
    return found


def _fact(record: RunRecord, column: Column) -> Any:
    try:
        return fact_of(record, column.key)
    except (TypeError, ValueError, AttributeError, KeyError, OverflowError):
        return None  # a document that holds something else there, by another hand than celltrail's
