"""The index: what was read of each run, kept outside the trail so that listing need not read it again.

It is a SQLite file on a disk of this machine and can be deleted at any time. Where it cannot be written,
is of another version or does not verify, the same answers come from the files.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path

from celltrail.store import forks
from celltrail.store.network import is_network

VERSION = 1
_SCHEMA = "create table if not exists run (place text, id text, row blob, primary key (place, id)) without rowid"


class Index:
    """Rows of bytes by run id, for one trail in one place; a copy of the trail elsewhere has rows of its own.

    Never raises for its file: without one it forgets.
    """

    def __init__(self, trail: str, root: Path) -> None:
        self._trail = trail
        self._place = str(root.resolve())
        self._lock = threading.Lock()
        self._db: sqlite3.Connection | None = None
        self._pid = 0
        forks.in_child(self._become_child)

    def _become_child(self) -> None:
        self._lock = threading.Lock()

    def load(self) -> dict[str, bytes]:
        """All rows."""
        with self._lock:
            try:
                found = self._open().execute("select id, row from run where place = ?", (self._place,)).fetchall()
            except sqlite3.Error as error:
                self._give_up(error)
                return {}
            return dict(found)

    def get(self, run_id: str) -> bytes | None:
        """The row of one run."""
        with self._lock:
            try:
                ask = "select row from run where place = ? and id = ?"
                row = self._open().execute(ask, (self._place, run_id)).fetchone()
            except sqlite3.Error as error:
                self._give_up(error)
                return None
            return row[0] if row else None

    def store(self, rows: Mapping[str, bytes | None]) -> None:
        """Keep these rows; None forgets one."""
        if not rows:
            return
        kept = [(self._place, id_, row) for id_, row in rows.items() if row is not None]
        gone = [(self._place, id_) for id_, row in rows.items() if row is None]
        with self._lock:
            try:
                with self._open() as db:
                    db.executemany("insert or replace into run values (?, ?, ?)", kept)
                    db.executemany("delete from run where place = ? and id = ?", gone)
            except sqlite3.Error as error:
                self._give_up(error)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            if self._db is not None and self._pid == os.getpid():
                self._db.close()
            self._db = None

    def _open(self) -> sqlite3.Connection:
        if self._db is not None and self._pid == os.getpid():
            return self._db
        # a connection must not be used, not even closed, in a forked child
        self._pid = os.getpid()
        for folder in _folders(self._trail):
            with contextlib.suppress(OSError, sqlite3.Error):
                self._db = _connect(folder / "index.db")
                return self._db
        self._db = _connect(Path(":memory:"))
        return self._db

    def _give_up(self, error: sqlite3.Error) -> None:
        """Remove a file that is damaged; otherwise go on without one."""
        if self._db is not None:
            with contextlib.suppress(sqlite3.Error):
                self._db.close()
        self._db = None
        if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError):
            for folder in _folders(self._trail):
                _remove(folder / "index.db")
        else:
            self._pid = os.getpid()
            self._db = _connect(Path(":memory:"))


def _connect(path: Path) -> sqlite3.Connection:
    """Open the file, made anew when it is damaged or of another version."""
    in_memory = str(path) == ":memory:"
    if not in_memory:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        about = path.parent.stat()
        if hasattr(os, "getuid") and (about.st_uid != os.getuid() or about.st_mode & (stat.S_IWGRP | stat.S_IWOTH)):
            raise PermissionError(f"{path.parent} is not this user's alone")
        with contextlib.suppress(FileNotFoundError):
            if not path.stat().st_size and path.with_name("index.db-wal").exists():
                _remove(path)  # emptied under somebody's hands: it would stay locked as long as they live
    for attempt in (1, 2):
        db = sqlite3.connect(path, timeout=1, check_same_thread=False)
        try:
            version = db.execute("pragma user_version").fetchone()[0]
            if version == VERSION or (version == 0 and not db.execute("select 1 from sqlite_master").fetchone()):
                db.execute("pragma journal_mode = wal")
                db.execute("pragma synchronous = normal")
                db.execute(_SCHEMA)
                db.execute(f"pragma user_version = {VERSION}")
                db.execute("select count(*) from run").fetchone()
                db.commit()
                return db
        except sqlite3.OperationalError:
            # locked, full or not writable: the file may be fine
            db.close()
            raise
        except sqlite3.DatabaseError:
            if attempt == 2:
                db.close()
                raise
        db.close()
        _remove(path)
    raise sqlite3.DatabaseError(f"{path.name} is of another version and cannot be replaced")


def _remove(path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        with contextlib.suppress(OSError):
            path.with_name(path.name + suffix).unlink()


def _folders(trail: str) -> list[Path]:
    """Where the index may live, best first: local disks only, for SQLite's log needs one host."""
    cache = os.environ.get("XDG_CACHE_HOME")
    places: list[Path] = []
    with contextlib.suppress(RuntimeError):  # no home
        places.append((Path(cache) if cache else Path.home() / ".cache") / "celltrail")
    user = os.getuid() if hasattr(os, "getuid") else 0
    places.append(Path(tempfile.gettempdir()) / f"celltrail-{user}")
    return [place / trail for place in places if not is_network(place)]
