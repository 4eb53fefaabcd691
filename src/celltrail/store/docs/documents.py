"""Documents: small TinyDB files that a reader never sees half written."""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from tinydb import TinyDB
from tinydb.storages import Storage
from tinydb.table import Table

from celltrail.model import Json
from celltrail.store.files import disk
from celltrail.store.files.encoding import decode, encode
from celltrail.store.files.network import retried

if TYPE_CHECKING:
    from celltrail.store.blobs import Blobs

MOST_METRICS = 500
MOST_EXECUTIONS = 50
Tables = dict[str, dict[str, dict[str, Json]]]


class AtomicStorage(Storage):
    """TinyDB's view of one file: each read a fresh decode, each write all or nothing.

    No decoded copy is kept, because TinyDB changes the tables it was given before it writes them: after
    a failed write the copy would disagree with the file.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        self.is_synced = True  # False: whole at any time, but what was written last may go with the machine

    @retried
    def read(self) -> Tables | None:
        """The tables in the file, or None while there is no file."""
        try:
            return decode(self._path.read_bytes(), self._path.name)
        except FileNotFoundError:
            return None

    def write(self, data: Tables) -> None:
        """Replace the file by these tables."""
        disk.replace_whole(self._path, encode(data), is_synced=self.is_synced)


class TextTable(Table):
    """A table whose document ids are text, read from the file each time."""

    document_id_class = str  # pyright: ignore[reportAssignmentType]

    def __init__(self, storage: Storage, name: str, persist_empty: bool = False) -> None:
        # the query cache would answer from before another process wrote; the class attribute that is
        # meant to size it is bound as a default before a subclass can change it
        super().__init__(storage, name, cache_size=0, persist_empty=persist_empty)


class Documents(TinyDB):
    """A TinyDB whose file is always whole and whose ids are text."""

    table_class = TextTable
    default_storage_class = AtomicStorage

    @property
    def is_synced(self) -> bool:
        """Whether a write has reached the disk when it returns."""
        return cast(AtomicStorage, self.storage).is_synced

    @is_synced.setter
    def is_synced(self, value: bool) -> None:
        cast(AtomicStorage, self.storage).is_synced = value

    def change(self, table: str, put: Callable[[dict[Any, Any]], None]) -> None:
        """Change the entries of a table, id -> fields, in place and in one write; TinyDB's upsert writes twice."""
        self.table(table)._update_table(put)


class RunDocument:
    """The ``run.json`` of a run this process owns: changes are staged and written together.

    Making it raises FileExistsError when another process has made it.
    """

    def __init__(self, path: Path, run: str, tables: Tables, blobs: Blobs) -> None:
        self._run = run
        self._blobs = blobs
        self._tables = tables
        self._staged = threading.Lock()
        self._writing = threading.Lock()
        self._changes = 1
        self._written = self._rev = 0
        self._path = path
        self._documents = Documents(path)
        self.flush()

    def put(self, table: str, key: str, fields: dict[str, Json]) -> int:
        """Stage these fields of one entry; the number of this change."""
        with self._staged:
            entries = self._tables.setdefault(table, {})
            # replaced, never changed in place: a flush may be reading the old one
            entries[key] = {**entries.get(key, {}), **fields}
            self._changes += 1
            return self._changes

    def finish(self, tables: Tables) -> None:
        """Stage the final state; entries the record does not speak of stay."""
        for table, entries in tables.items():
            for key, fields in entries.items():
                self.put(table, key, fields)
        metrics = self._tables.get("metrics", {})
        if len(metrics) > MOST_METRICS:
            rest = dict(list(metrics.items())[MOST_METRICS:])
            with contextlib.suppress(OSError):
                self.put("run", self._run, {"more_metrics": self._blobs.put(encode(rest))})

    def move(self, path: Path, blobs: Blobs) -> None:
        """From the next `flush` on, keep the whole document in another place."""
        with self._writing:
            self._path, self._blobs, self._documents = path, blobs, Documents(path)
            self._written = 0

    def flush(self) -> None:
        """Write the file if anything is staged; raises OSError and keeps it staged when that fails."""
        with self._writing:
            with self._staged:
                if self._changes == self._written:
                    return
                changes = self._changes
                tables = {table: dict(entries) for table, entries in self._tables.items()}
                tables["run"][self._run] = dict(tables["run"][self._run])
            run = tables["run"][self._run]
            run["rev"], run["changes"] = self._rev + 1, changes
            if len(metrics := tables["metrics"]) > MOST_METRICS:
                tables["metrics"] = dict(itertools.islice(metrics.items(), MOST_METRICS))
                run["metric_count"] = len(metrics)
            tables["executions"] = dict(list(tables["executions"].items())[-MOST_EXECUTIONS:])
            if self._rev == 0:
                # two processes may be told to begin the same run: one of them makes it
                if not disk.create_whole(self._path, encode(tables)):
                    raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), self._path.name)
            else:
                self._documents.storage.write(tables)
            self._rev, self._written = self._rev + 1, changes
