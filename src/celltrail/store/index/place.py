"""Where the index is, and a connection to it: the file is made anew whenever it is not what it should be."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
import sys
import warnings
from pathlib import Path

from celltrail.store.index import schema

# another process may be taking in thousands of new runs, a few hundred at a time
_PATIENCE_S = 5.0
_told: set[str] = set()


def connect(path: Path) -> sqlite3.Connection:
    """Open the file, made anew when it is damaged or of another version."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    about = path.parent.stat()
    if hasattr(os, "getuid") and (about.st_uid != os.getuid() or about.st_mode & (stat.S_IWGRP | stat.S_IWOTH)):
        raise PermissionError(f"{path.parent} is not this user's alone")
    with contextlib.suppress(FileNotFoundError):
        if not path.stat().st_size and path.with_name("index.db-wal").exists():
            remove(path)  # emptied under somebody's hands: it would stay locked as long as they live
    db = _opened(path)
    if db is None:
        tell(path, "is damaged or of another version")
        remove(path)
        db = _opened(path)
    if db is None:
        raise sqlite3.DatabaseError(f"{path.name} cannot be replaced")
    return db


def in_memory() -> sqlite3.Connection:
    """An index that is gone with the process: where no disk of this machine takes one."""
    db = _connection(":memory:")
    schema.create(db)
    return db


def remove(path: Path) -> None:
    """Delete the file and what SQLite keeps beside it."""
    for suffix in ("", "-wal", "-shm"):
        with contextlib.suppress(OSError):
            path.with_name(path.name + suffix).unlink()


def tell(path: Path, what: str) -> None:
    """Say once in a process that an index is built again."""
    if str(path) in _told:
        return
    _told.add(str(path))
    text = f"celltrail: the index of this trail {what}; it is built again from the trail, nothing is lost"
    try:
        warnings.warn(text, RuntimeWarning, stacklevel=2)
    except RuntimeWarning:
        # warnings are errors here, but a question must be answered
        sys.stderr.write(text + "\n")


def _opened(path: Path) -> sqlite3.Connection | None:
    """The file as an index of this version, or None when it is something else."""
    db = None
    try:
        db = _connection(path)
        db.execute("pragma journal_mode = wal")
        db.execute("pragma synchronous = normal")
        if schema.is_there(db) or schema.is_empty(db):
            schema.create(db)
            return db
    except sqlite3.OperationalError:
        # locked, full or not writable: the file may be fine
        if db is not None:
            db.close()
        raise
    except sqlite3.DatabaseError:
        pass
    if db is not None:
        db.close()
    return None


def _connection(path: Path | str) -> sqlite3.Connection:
    # transactions are begun and ended by hand: the module's own would begin one before a statement that reads
    return sqlite3.connect(path, timeout=_PATIENCE_S, check_same_thread=False, isolation_level=None)
