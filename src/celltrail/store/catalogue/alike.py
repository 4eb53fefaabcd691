"""Runs that ran the same before, found in a millisecond: asked before each tracked cell, whose user waits.

The index is read as it stands, by a connection that never writes, builds or waits. A run that it does not know
yet is not found, which costs a notice; bringing it up to date first would cost 5 ms at 10,000 runs.
"""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from celltrail.errors import Damaged
from celltrail.model import RunRecord
from celltrail.store.blobs import Blobs
from celltrail.store.folders import run_folder
from celltrail.store.index import database, schema
from celltrail.store.places import folders
from celltrail.store.runs import RunFiles

_PATIENCE_S = 0.01
_MOST = 1_000
ASK = (
    "select id from hot where recipe = ? and status = 'finished' and not coalesce(deleted, 0)"
    f" and not coalesce(archived, 0) order by created desc, id desc limit {_MOST}"
)


class Alike:
    """The finished runs of one trail by the `Execution.recipe` of what they ran."""

    def __init__(self, root: Path, trail: str) -> None:
        self._root = root
        self._places = [folder / "index.db" for folder in folders(trail, root)]
        self._blobs = Blobs(root)
        self._db: sqlite3.Connection | None = None
        self._file = 0  # the inode that is open: another process may have begun the index anew

    def ids(self, recipe: str) -> list[str]:
        """The runs the index knows, newest first, but those that were archived or deleted."""
        try:
            db = self._connected()
            return [run_id for (run_id,) in db.execute(ASK, (recipe,))] if db is not None else []
        except (sqlite3.Error, OSError):
            self.close()  # damaged or locked: whoever asks a question mends it
            return []

    def record(self, run_id: str) -> RunRecord | None:
        """The run as its files tell it now; None where it is gone or cannot be read."""
        try:
            return RunFiles(run_folder(self._root, run_id), self._blobs).refresh(None).record
        except (OSError, Damaged, KeyError, TypeError, ValueError, AttributeError):
            return None

    def close(self) -> None:
        """Let go of the index."""
        if self._db is not None:
            with contextlib.suppress(sqlite3.Error):
                self._db.close()
        self._db = None

    def _connected(self) -> sqlite3.Connection | None:
        for path in self._places:
            with contextlib.suppress(FileNotFoundError):
                file = path.stat().st_ino
                if self._db is None or file != self._file:
                    self.close()
                    self._db, self._file = _opened(path), file
                    if self._db is not None:
                        database.close_with(self, self._db)
                return self._db
        return None


def _opened(path: Path) -> sqlite3.Connection | None:
    place = f"{path.as_uri()}?mode=ro"
    db = sqlite3.connect(place, uri=True, timeout=_PATIENCE_S, check_same_thread=False, isolation_level=None)
    if schema.is_there(db):
        return db
    db.close()
    return None
