"""The rows of a run in the index: the one place where they are written and removed.

A `Part` keeps something of every run in tables of its own. It is told of each change of a run within the same
transaction, so that a reader never sees a run of which one part knows and another does not.
"""

from __future__ import annotations

import itertools
import os
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import attrgetter
from typing import Any, NamedTuple, Protocol

from celltrail.model import RunRecord
from celltrail.store.catalogue import parts
from celltrail.store.catalogue.entries import FACTS, Entry, names_of
from celltrail.store.catalogue.facts import Key, fact_of, reader
from celltrail.store.catalogue.parts import PARTS, Parts
from celltrail.store.catalogue.seen import Seen, record_of, said_in
from celltrail.store.catalogue.unread import Fresh
from celltrail.store.index.cells import Column, to_cell
from celltrail.store.index.reading import BODIES, WITH_PARTS, joined

_IN_ENTRIES: dict[Key, Callable[[Entry], Any]] = {
    **{(name,): attrgetter(name) for name in FACTS},
    ("id",): attrgetter("run"),
    ("tags",): lambda entry: list(entry.all_tags),
}
_turns = itertools.count(int.from_bytes(os.urandom(6), "big"))


class Told(NamedTuple):
    """What the parts keep of a run."""

    tags: Sequence[str]
    names: Sequence[tuple[str, str, str]]  # kind, name and goal of its params, metrics and summary entries

    @classmethod
    def of(cls, record: RunRecord) -> Told:
        """That of this run."""
        return cls([tag for tag in record.tags if isinstance(tag, str)], names_of(record))


class Part(Protocol):
    """Something the index knows of runs."""

    def put(self, rid: int, told: Told) -> None:
        """Keep what a run is now in place of what it was."""
        ...

    def remove(self, rid: int, told: Told) -> None:
        """Forget what a run was."""
        ...

    def settle(self) -> None:
        """Write what was held back: called before the transaction ends."""
        ...


class Rows:
    """Writes runs, between the begin and the commit of a transaction."""

    def __init__(self, db: sqlite3.Connection, columns: Sequence[Column], kept: Iterable[Part]) -> None:
        self._db = db
        self._columns = columns
        self._parts = tuple(kept)
        self._has = [column.has for column in columns]
        self._getters = [_IN_ENTRIES.get(column.key) for column in columns]
        self._readers = [reader(column.key) for column in columns]
        self._is_opened = any(get is None for get in self._getters)
        self._cells: dict[int, list[Any]] = {}  # rows of hot, written together: a fifth less work for SQLite
        marks = ", ".join("?" * (1 + len(columns)))
        names = ", ".join(column.sql for column in columns)
        self._hot = f"insert or replace into hot (rid, {names}) values ({marks})"

    def put(self, seen: Seen, watch: bool) -> None:
        """Write a run as it is now; nothing when it is what is there."""
        document, more = seen.encode()
        cut, run_id = parts.cut(document), seen.record.id
        ask = f"select rid, watch, more, {BODIES} from {WITH_PARTS} where id = ?"
        old = self._db.execute(ask, (run_id,)).fetchone()
        if old is None:
            add = "insert into run (id, turn, stamp, watch, more) values (?, ?, ?, ?, ?)"
            rid = self._db.execute(add, (run_id, next(_turns), seen.stamp, watch, more)).lastrowid or 0
        elif (watch, more, *cut) == old[1:]:
            return
        else:
            rid = old[0]
            self._forget(rid, old[2], old[3:])
            change = "update run set turn = ?, stamp = ?, watch = ?, more = ? where rid = ?"
            self._db.execute(change, (next(_turns), seen.stamp, watch, more, rid))
        self._put_parts([(rid, cut)])
        self._put_hot(rid, [_fact(seen.record, column) for column in self._columns])
        told = Told.of(seen.record)
        for part in self._parts:
            part.put(rid, told)

    def put_new(self, found: Iterable[Fresh]) -> set[str]:
        """Write runs that are over and not there yet; their ids. Of those that are read meanwhile none is kept."""
        ((last,),) = self._db.execute("select coalesce(max(rid), 0) from run")
        lines: list[tuple[Any, ...]] = []
        cuts: list[tuple[int, Parts]] = []
        for rid, fresh in enumerate(found, last + 1):
            lines.append((rid, fresh.run, next(_turns), fresh.stamp, 0, fresh.more))
            cuts.append((rid, fresh.parts))
            self._put_hot(rid, self._facts(fresh))
            told = Told(fresh.tags, fresh.names)
            for part in self._parts:
                part.put(rid, told)
        add = "insert into run (rid, id, turn, stamp, watch, more) values (?, ?, ?, ?, ?, ?)"
        self._db.executemany(add, lines)
        self._put_parts(cuts)
        return {line[1] for line in lines}

    def remove(self, run_id: str) -> None:
        """Forget a run."""
        ask = f"select rid, more, {BODIES} from {WITH_PARTS} where id = ?"
        found = self._db.execute(ask, (run_id,)).fetchone()
        if found is None:
            return
        rid, more, *cut = found
        self._forget(rid, more, cut)
        self._cells.pop(rid, None)
        for table in ("hot", "run", *PARTS):
            self._db.execute(f"delete from {table} where rid = ?", (rid,))

    def settle(self) -> None:
        """Write what was held back; to be called before the commit."""
        self._db.executemany(self._hot, self._cells.values())
        self._cells.clear()
        for part in self._parts:
            part.settle()
        news = [(has, column.sql) for has, column in zip(self._has, self._columns, strict=True) if has & ~column.has]
        self._db.executemany("update field set has = has | ? where col = ?", news)

    def _put_parts(self, cuts: Sequence[tuple[int, Parts]]) -> None:
        for place, table in enumerate(PARTS):
            lines = [(rid, cut[place]) for rid, cut in cuts]
            self._db.executemany(f"insert or replace into {table} values (?, ?)", lines)

    def _forget(self, rid: int, more: bytes, cut: Sequence[bytes | None]) -> None:
        record = record_of(joined(cut), more)
        if record is None:
            raise sqlite3.DatabaseError(f"row {rid} does not verify")  # and so nothing in this file counts
        told = Told.of(record)
        for part in self._parts:
            part.remove(rid, told)

    def _put_hot(self, rid: int, found: Iterable[Any]) -> None:
        cells: list[Any] = [rid]
        for place, fact in enumerate(found):
            cell, kind = to_cell(fact)
            cells.append(cell)
            self._has[place] |= kind
        self._cells[rid] = cells

    def _facts(self, fresh: Fresh) -> Iterator[Any]:
        """For each column; the document is opened only for what the catalogue does not have."""
        entry, document = fresh.entry, fresh.document
        if document is None and self._is_opened:
            document = parts.opened(PARTS, fresh.parts, said_in(fresh.more))
        for get, read in zip(self._getters, self._readers, strict=True):
            yield get(entry) if entry and get else read(document) if document else None


class Tags:
    """Which runs have a tag."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._new: list[tuple[str, int]] = []

    def put(self, rid: int, told: Told) -> None:
        """Keep the tags of a run."""
        self._new += [(tag, rid) for tag in told.tags]

    def remove(self, rid: int, told: Told) -> None:
        """Forget the tags of a run."""
        self.settle()
        self._db.execute("delete from tag where rid = ?", (rid,))

    def settle(self) -> None:
        """Write the tags: those of a thousand runs at once are half the work."""
        self._db.executemany("insert or ignore into tag values (?, ?)", self._new)
        self._new.clear()


class Names:
    """How many runs have a param, a metric (by its goal), a summary entry or a tag of a name."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._counts: Counter[tuple[str, str, str]] = Counter()

    def put(self, rid: int, told: Told) -> None:
        """Count the names of a run."""
        self._counts.update(told.names)
        self._counts.update(("tag", tag, "") for tag in told.tags)

    def remove(self, rid: int, told: Told) -> None:
        """Count them no longer."""
        self._counts.subtract(told.names)
        self._counts.subtract(("tag", tag, "") for tag in told.tags)

    def settle(self) -> None:
        """Write the counts: one row for a name, however many runs of this transaction have it."""
        rows = [(*name, runs) for name, runs in self._counts.items() if runs]
        add = "insert into name values (?, ?, ?, ?) on conflict do update set runs = runs + excluded.runs"
        self._db.executemany(add, rows)
        self._db.executemany("delete from name where kind = ? and name = ? and goal = ? and runs <= 0", self._counts)
        self._counts.clear()


def _fact(record: RunRecord, column: Column) -> Any:
    try:
        return fact_of(record, column.key)
    except (TypeError, ValueError, AttributeError, KeyError, OverflowError):
        return None  # a document that holds something else there, by another hand than celltrail's
