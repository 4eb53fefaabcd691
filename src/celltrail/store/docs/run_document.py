"""``run.json``: how much of a run stands in it, and how the process that owns the run writes it."""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from celltrail.model import Json
from celltrail.store.files import disk
from celltrail.store.files.encoding import encode

if TYPE_CHECKING:
    from celltrail.store.blobs import Blobs

MOST_METRICS = 500
MOST_EXECUTIONS = 50
Entries = dict[str, dict[str, Json]]
Tables = dict[str, Entries]


def shortened(tables: Tables, run: str) -> Tables:
    """These tables as they stand in the file: the first metrics, and how many there are; the newest executions."""
    metrics, executions = tables["metrics"], tables["executions"]
    short = {**tables, "executions": dict(list(executions.items())[-MOST_EXECUTIONS:])}
    if len(metrics) > MOST_METRICS:
        short["metrics"] = dict(itertools.islice(metrics.items(), MOST_METRICS))
        short["run"] = {**tables["run"], run: {**tables["run"][run], "metric_count": len(metrics)}}
    return short


def beyond(metrics: Entries) -> Entries:
    """The metrics that do not stand in the file, but in a blob of their own."""
    return dict(itertools.islice(metrics.items(), MOST_METRICS, None))


class RunDocument:
    """The ``run.json`` of a run this process owns: changes are staged and written together.

    Making it raises FileExistsError when another process has made it. With ``is_over`` it is made by the first `flush`.
    """

    def __init__(self, path: Path, run: str, tables: Tables, blobs: Blobs, *, is_over: bool = False) -> None:
        self._run = run
        self._blobs = blobs
        self._tables = tables
        self._staged = threading.Lock()
        self._writing = threading.Lock()
        self._changes = 1
        self._written = self._rev = 0
        self._path = path
        if not is_over:
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
        if rest := beyond(self._tables.get("metrics", {})):
            with contextlib.suppress(OSError):
                self.put("run", self._run, {"more_metrics": self._blobs.put(encode(rest))})

    def move(self, folder: Path, blobs: Blobs) -> None:
        """From the next `flush` on, keep the whole document in another place."""
        with self._writing:
            self._path, self._blobs = folder / self._path.name, blobs
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
            tables["run"][self._run] |= {"rev": self._rev + 1, "changes": changes}
            self._write(shortened(tables, self._run))
            self._rev, self._written = self._rev + 1, changes

    def _write(self, tables: Tables) -> None:
        if self._rev == 0:
            # two processes may be told to begin the same run: one of them makes it
            if not disk.create_whole(self._path, encode(tables)):
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), self._path.name)
            return
        disk.replace_whole(self._path, encode(tables))  # as TinyDB's `AtomicStorage` does, which no run waits for
