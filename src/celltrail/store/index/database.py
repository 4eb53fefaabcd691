"""The index of one trail as this process has it open."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TypeVar

from celltrail.store.catalogue.seen import Seen
from celltrail.store.files import forks
from celltrail.store.index import columns, place, schema
from celltrail.store.index.look import Kept
from celltrail.store.index.rows import Names, Rows, Tags
from celltrail.store.places import folders

_T = TypeVar("_T")
_ATTEMPTS = 3


class Session:
    """One connection; what is remembered of its content goes when it goes."""

    def __init__(self, db: sqlite3.Connection, path: Path | None) -> None:
        self.db = db
        self.path = path
        close_with(self, db)
        self.folders: dict[str, str] = {}  # of the trail, by which changes are noticed: the state they were seen in
        self.watched: dict[str, tuple[int, Seen | None]] = {}
        self.kept: Kept = OrderedDict()
        self.passed = 0  # up to which run

    def recall(self) -> None:
        """What the file knows of the trail's folders, where this process does not remember it or it was emptied."""
        born = self.db.execute("select seen from file where path = ?", (schema.BORN,)).fetchone()
        if born is None or self.folders.get(schema.BORN) != born[0]:
            self.folders = dict(self.db.execute("select path, seen from file"))
            self.watched.clear()
            self.kept.clear()
            self.passed = 0

    def forget(self) -> None:
        """Forget every run, for all processes."""
        with self.writing():
            schema.empty(self.db)

    @contextlib.contextmanager
    def reading(self) -> Generator[sqlite3.Connection]:
        """A transaction in which nothing changes, whatever other processes write."""
        self.db.execute("begin")
        try:
            yield self.db
        finally:
            if self.db.in_transaction:
                self.db.execute("commit")

    @contextlib.contextmanager
    def writing(self) -> Generator[Rows]:
        """A transaction in which no other process writes: all of it is kept, or nothing."""
        self.db.execute("begin immediate")
        try:
            rows = Rows(self.db, columns.present(self.db), (Tags(self.db), Names(self.db)))
            yield rows
            rows.settle()
            self.db.execute("commit")
        except BaseException:
            if self.db.in_transaction:
                self.db.execute("rollback")
            raise


def close_with(owner: object, db: sqlite3.Connection) -> None:
    """Close a connection once its owner is gone, but not in a forked child, where it must not even be closed."""
    weakref.finalize(owner, _close, db, os.getpid()).atexit = False


def _close(db: sqlite3.Connection, pid: int) -> None:
    if os.getpid() == pid:
        with contextlib.suppress(sqlite3.Error):
            db.close()


class Index:
    """The index of one trail in one place; a copy of the trail elsewhere has an index of its own."""

    def __init__(self, trail: str, root: Path) -> None:
        self._folders = folders(trail, root)
        self._lock = threading.RLock()
        self._session: Session | None = None
        self._pid = 0
        self.was_damaged = False  # since this process uses it
        forks.in_child(self._become_child)

    def work(self, task: Callable[[Session], _T]) -> _T:
        """Do something with the index, one thread at a time.

        When the file fails it is removed, or left alone where it may be fine, and the task is done again.
        """
        with self._lock:
            for _ in range(_ATTEMPTS - 1):
                session = self._open()
                try:
                    return task(session)
                except sqlite3.DatabaseError as error:
                    if type(error) not in {sqlite3.DatabaseError, sqlite3.OperationalError}:
                        raise  # the statement is wrong, not the file
                    self._give_up(session, error)
            return task(self._open())

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            if self._session is not None and self._pid == os.getpid():
                self._session.db.close()
            self._session = None

    def _open(self) -> Session:
        if self._session is not None and self._pid == os.getpid():
            return self._session
        # a connection must not be used, not even closed, in a forked child
        self._pid = os.getpid()
        for folder in self._folders:
            with contextlib.suppress(OSError, sqlite3.Error):
                self._session = Session(place.connect(folder / "index.db"), folder / "index.db")
                return self._session
        self._session = Session(place.in_memory(), None)
        return self._session

    def _give_up(self, session: Session, error: sqlite3.Error) -> None:
        """Remove a file that is damaged; go on in memory where it cannot be written."""
        with contextlib.suppress(sqlite3.Error):
            session.db.close()
        self._session = None
        if session.path is None:
            return
        if _is_damage(error):
            self.was_damaged = True
            place.tell(session.path, "is damaged")
            place.remove(session.path)
        else:
            self._session = Session(place.in_memory(), None)

    def _become_child(self) -> None:
        self._lock = threading.RLock()


def _is_damage(error: sqlite3.Error) -> bool:
    """Whether the file is to blame: not when it is locked, full or not to be written."""
    if isinstance(error, sqlite3.OperationalError):
        # tables that another program dropped or changed
        return "no such" in str(error) or "has no column" in str(error)
    return isinstance(error, sqlite3.DatabaseError)
