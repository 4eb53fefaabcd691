"""The writing side of one run: its log, its document, and what happens when the disk fails."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import os
import sys
import threading
import time
import warnings
from collections import deque
from collections.abc import Collection
from pathlib import Path
from struct import error as StructError  # noqa: N812
from typing import TYPE_CHECKING

from celltrail.errors import BadValue, StoreError
from celltrail.model import Json, RunRecord
from celltrail.store.docs import records
from celltrail.store.files import alive, forks
from celltrail.store.files.encoding import encode
from celltrail.store.log import BEAT, BEAT_KIND, EVENT_KIND, ITEM_KIND, Log, copied, fallback, frame

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from celltrail.store.blobs import Blobs
    from celltrail.store.docs.documents import RunDocument

RING_BYTES = 64 << 20
RETRY_S = 1.0
DRIFT_US = 1_000_000
# the trail cannot be written, and waiting alone does not help
_GONE = {
    errno.ENOENT, errno.ENOTDIR, errno.ESTALE, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.ENODEV,
    errno.ENXIO, errno.ENOTCONN,
}  # fmt: skip
_ROWS_AT_ONCE = 8192  # so that others get at the lock in between
# what the log has anyway, as points
_NOT_LOGGED = {"metrics"}


class RunWriter:
    """Writes one run; made by `Store.begin` or `Store.join`, owned by one process, usable from all its threads.

    Once begun, a disk that fails never raises into the caller: records wait in memory, one warning is
    shown, the trouble is kept in ``problems``, and what waited is written when the disk takes it again.
    """

    def __init__(self, folder: Path, trail: str, run: str, rank: int = 0) -> None:
        self.id = run
        self.rank = rank
        self.problems: list[str] = []
        self.home = folder.parents[2]  # the trail that is written: another one once the first is gone
        self._origin = self.home
        self._folder = folder
        self._trail = trail
        self._leaving = threading.RLock()
        self.lock = threading.RLock()  # reentrant: a signal handler may log in the middle of a log
        self._start_clock()
        self._log = self._open_log()
        self._document: RunDocument | None = None
        forks.in_child(self._become_child)

    @property
    def owns(self) -> bool:
        """Whether the run's document is this process's to write; that of ranks, workers and forks is not."""
        return self._document is not None

    def own(self, record: RunRecord, blobs: Blobs) -> bool:
        """Make the run's document, unless another process has; whether it is this one's now."""
        from celltrail.store.docs.documents import RunDocument

        self.problems = list(record.problems)
        tables = records.tables_of(dataclasses.replace(record, writer=self._log.writer))
        tables["writers"] = {self._log.writer: {**dataclasses.asdict(alive.myself()), "rank": self.rank}}
        # the first facts of all; with those that follow, a lost document can be written again
        known = {name: entries for name, entries in tables.items() if entries and name not in _NOT_LOGGED}
        try:
            self._document = RunDocument(self._folder / "run.json", record.id, tables, blobs)
        except FileExistsError:
            return False
        self.event("begun", n=1, tables=known)
        return True

    def _start_clock(self) -> None:
        self._wall_us = time.time_ns() // 1000
        self._mono_ns = time.monotonic_ns()
        self._drift_us = 0

    def _open_log(self, forked: bool = False) -> Log:
        process = alive.myself()
        head: dict[str, Json] = {
            "format": 1,
            "trail": self._trail,
            "run": self.id,
            "rank": self.rank,
            "pid": process.pid,
            "start": process.start,
            "boot": process.boot,
            "host": process.host,
            "wall_us": self._wall_us,
            "mono_us": self._mono_ns // 1000,
        }
        if forked:
            head["forked"] = True
        self._closed = self._in_child = self._is_left_open = False
        self._synced_size = 0
        self._rows = 0
        self._beat_size = 0
        self._ring: deque[bytes] = deque()
        self._ring_bytes = 0
        self._dropped = 0
        self._tried = 0.0
        self._struggling = False
        self._failure: OSError | None = None  # of the log, the last one
        return Log(self._folder / "m", alive.writer_name(self.rank), head)

    @property
    def writer(self) -> str:
        """The name of the log this process writes."""
        return self._log.writer

    def clock(self) -> int:
        """Now in microseconds since the epoch, never going back: wall clock at open plus monotonic since."""
        return self._wall_us + (time.monotonic_ns() - self._mono_ns) // 1000

    def row(self, names: tuple[str, ...], step: int, t_us: int, values: Collection[float]) -> bytes:
        """Append one `log` call: when this returns, the points survive the death of the process.

        Returns the row in its packed form, which `log.unpacked` reads.
        """
        failure: OSError | None = None
        with self.lock:
            if self._closed or self._in_child:
                self._check_open()
            try:
                if not self._struggling:
                    body = self._log.row(names, step, t_us, values)
                    self._rows += 1
                    return body
            except OSError as error:
                failure = self._failure = error
            except StructError as error:
                raise _unpackable(names, step, error) from None
            try:
                data, body, schema = self._log.record(names, step, t_us, values)
            except StructError as error:
                raise _unpackable(names, step, error) from None
            if self._wait(data):
                self._log.learn(names, schema)
                self._rows += 1
        self._say(failure)
        return body

    def rows(
        self, names: tuple[str, ...], steps: NDArray[np.int64], times: NDArray[np.int64], values: NDArray[np.float64]
    ) -> None:
        """Append many `log` calls of the same names, thousands in one write."""
        from celltrail.store.log.rows import packed

        for start in range(0, len(steps), _ROWS_AT_ONCE):
            end = min(start + _ROWS_AT_ONCE, len(steps))
            failure: OSError | None = None
            with self.lock:
                # the first one by itself: it brings the schema, and whatever else is due in the log
                self.row(names, int(steps[start]), int(times[start]), values[start].tolist())
                schema = self._log.schema(names)
                if schema is not None and not self._struggling:
                    inside = slice(start + 1, end)
                    data = packed(schema[1], schema[3], steps[inside], times[inside], values[inside])
                    failure = self._append_frame(data)
                    self._rows += end - start - 1
                else:
                    for at in range(start + 1, end):
                        self.row(names, int(steps[at]), int(times[at]), values[at].tolist())
            self._say(failure)

    def item(self, name: str, step: int | None, value: Json, **extra: Json) -> None:
        """Append something that is not a float: text, a big integer, a histogram, a reference to media."""
        self._append(ITEM_KIND, {"step": step, "t": self.clock(), "name": name, "value": value, **extra})

    def event(self, kind: str, **fields: Json) -> None:
        """Append something that happened; nothing in a forked child that has not logged by itself."""
        if self._in_child:
            return
        self._append(EVENT_KIND, {"t": self.clock(), "kind": kind, **fields})

    def put(self, table: str, key: str, fields: dict[str, Json]) -> None:
        """Stage a change of the run's document: these fields of this entry; `flush` writes it."""
        if self._document is None:
            return
        number = self._document.put(table, key, fields)
        if table not in _NOT_LOGGED:
            self.event("fact", n=number, table=table, key=key, fields=fields)

    def flush(self) -> None:
        """Write the document if anything changed; after a failure the change stays staged."""
        if self._document is None:
            return
        try:
            self._document.flush()
        except OSError as error:
            if not self._leave(error):
                self._say(error, "its document", is_final=True)

    def leave_open(self) -> None:
        """Say in the document that more is to come although it tells an end; `close` takes that back."""
        if self._document is not None:
            self._document.put("run", self.id, {"open": True})
            self._is_left_open = True

    def sync(self) -> None:
        """Bring the log to the disk if anything was appended, and try again what waits in memory."""
        failure: OSError | None = None
        self._leave()
        with self.lock:
            if self._closed or self._in_child:
                return
            self._retry()
            size = self._log.size
            fd = self._log.duplicate() if size != self._synced_size and self._log.is_open else -1
            drift = time.time_ns() // 1000 - self.clock() - self._drift_us
        if abs(drift) > DRIFT_US:
            self._drift_us += drift
            self.event("clock", drift_us=self._drift_us)
        if fd >= 0:
            try:
                os.fdatasync(fd)  # outside the lock: rows go on meanwhile
                self._synced_size = size
            except OSError as error:
                failure = error
            finally:
                os.close(fd)
        self._say(failure)

    def beat(self) -> None:
        """Show life when nothing else was written since the last beat."""
        with self.lock:
            if self._closed or self._in_child:
                return
            if self._log.size == self._beat_size:
                self._append_frame(frame(BEAT_KIND, BEAT.pack(self.clock()), self._log.salt))
            self._beat_size = self._log.size

    def close(self, record: RunRecord) -> None:
        """Write the final document and the last record of the log; nothing can be written afterwards."""
        with self.lock:
            if self._closed or self._in_child:
                self._closed = True
                return
        self._leave()
        with self.lock:
            self._tried = 0.0
            self._retry()
            lost = self._dropped + len(self._ring)
        if lost:
            self._note(f"{lost} records could not be written to the trail")
        failure: OSError | None = None
        if self._document is not None:
            if any(not path.name.startswith(f"{self.writer}.") for path in (self._folder / "m").glob("*.ctl")):
                self._document.put("run", self.id, {"shared": True})  # others log too: look for them
            if self._is_left_open:
                self._document.put("run", self.id, {"open": False})
            self._document.finish(records.tables_of(dataclasses.replace(record, writer=self.writer)))
            self.flush()
        with self.lock:
            try:
                if not self._ring:
                    self._log.end(
                        {
                            "t": self.clock(),
                            "status": record.status,
                            "rows": self._rows,
                            "metrics": records.metric_fields(record.metrics),
                        }
                    )
            except OSError as error:
                failure = error
            self._log.close()
            self._closed = True
        self._say(failure)

    def _append(self, kind: int, body: dict[str, Json]) -> None:
        with self.lock:
            self._check_open()
            failure = self._append_frame(frame(kind, encode(body), self._log.salt))
        self._say(failure)

    def _append_frame(self, data: bytes) -> OSError | None:
        failure = None
        if not self._struggling:
            try:
                self._log.append(data)
                return None
            except OSError as error:
                failure = self._failure = error
        self._wait(data)
        return failure

    def _check_open(self) -> None:
        if self._closed:
            raise StoreError(f"run {self.id} has ended; start a new one to record more")
        if self._in_child:
            # an explicit write in a forked child gets a file of its own
            self._in_child = False
            self._start_clock()
            try:
                self._log = self._open_log(forked=True)
            except OSError:
                self._folder = fallback.prepare(self._origin, self._trail, self.id)
                self.home = self._folder.parents[2]
                self._log = self._open_log(forked=True)

    def _leave(self, failure: OSError | None = None) -> bool:
        """Go on in a fallback trail if this one is gone; whether it was.

        What the log holds is copied there while others go on logging; they wait only for the rest of it.
        """
        with self._leaving:
            with self.lock:
                failure = failure or self._failure
                is_lost = self._log.is_lost()
                if self._closed or self._in_child or not (is_lost or _is_gone(failure)):
                    return False
                parts = self._log.holding()
            try:
                is_whole = self._move(parts, is_lost)
            except OSError as error:
                is_whole = None
                failure = failure or error
            finally:
                _close(parts)
        if is_whole is None:
            self._say(failure, is_final=True)
            return False
        self._tell_of_leaving(is_whole)
        return True

    def _move(self, parts: list[tuple[str, int, int]], is_lost: bool) -> bool | None:
        """Make the fallback trail the one that is written; whether all could be read back, None if it is already."""
        folder = fallback.prepare(self._origin, self._trail, self.id)
        if folder == self._folder and not is_lost:
            return None
        is_whole = _copy(parts, folder)
        with self.lock:
            _close(parts)
            parts += self._log.holding()
            is_whole = _copy(parts, folder) and is_whole
            self._log.go_on_in(folder / "m")
            self._folder, self.home = folder, folder.parents[2]
            self._failure, self._synced_size, self._tried = None, 0, 0.0
            self._retry()
        return is_whole

    def _tell_of_leaving(self, is_whole: bool) -> None:
        problem = "its trail was deleted, moved or cannot be written any more; the run was recorded outside of it"
        if not is_whole:
            problem += ", without what had been logged before, which could not be read back"
        is_new = problem not in self.problems
        self._note(problem)
        if self._document is not None:
            from celltrail.store.blobs import Blobs

            self._document.move(self._folder / "run.json", Blobs(self.home))
            with contextlib.suppress(OSError):
                self._document.flush()
        self.event("problem", text=problem)
        if is_new:
            _warn(f"celltrail: run {self.id}: {problem}; bring it back with: celltrail import --fallback")

    def _wait(self, data: bytes) -> bool:
        """Keep records in memory until the disk takes them; whether there was room."""
        self._struggling = True
        if self._ring_bytes + len(data) > RING_BYTES:
            self._retry()
        if self._ring_bytes + len(data) > RING_BYTES:
            self._dropped += 1
            return False
        self._struggling = True
        self._ring.append(data)
        self._ring_bytes += len(data)
        self._retry()
        return True

    def _retry(self) -> None:
        if not self._struggling or time.monotonic() - self._tried < RETRY_S:
            return
        self._tried = time.monotonic()
        with contextlib.suppress(OSError):
            if not self._log.is_open:
                self._log.next_part()
            while self._ring:
                self._log.append(self._ring[0])
                self._ring_bytes -= len(self._ring.popleft())
            self._struggling, self._failure = False, None
            if self._dropped:
                lost, self._dropped = self._dropped, 0
                self._note(f"{lost} records did not fit into memory while the disk was failing")
                self.event("problem", text=self.problems[-1])

    def _become_child(self) -> None:
        self._leaving = threading.RLock()
        self.lock = threading.RLock()  # the parent's may have been held at the moment of the fork
        self._log.close()
        self._document = None
        self._in_child = not self._closed

    def _note(self, problem: str) -> None:
        if problem not in self.problems:
            self.problems.append(problem)
            if self._document is not None:
                self._document.put("problems", str(len(self.problems)), {"text": problem, "t": self.clock()})

    def _say(self, failure: OSError | None, what: str = "its log", *, is_final: bool = False) -> None:
        """Keep the trouble with the run and warn of it once. Called without locks: a warning runs foreign code."""
        if failure is None or (_is_gone(failure) and not is_final):
            return  # the next `sync` leaves a trail that is gone and says so
        reason = failure.strerror or os.strerror(failure.errno or errno.EIO)
        problem = f"{what} could not be written: {reason}"
        if problem in self.problems:
            return
        self._note(problem)
        text = f"celltrail: run {self.id}: {problem}; recording goes on in memory and is written when the disk allows"
        _warn(text)

    def trouble(self, problem: str) -> None:
        """Keep a trouble with the run and warn of it, the first time only."""
        if problem not in self.problems:
            self._note(problem)
            _warn(f"celltrail: run {self.id}: {problem}; recording goes on without it")


def _is_gone(failure: OSError | None) -> bool:
    return failure is not None and failure.errno in _GONE


def _warn(text: str) -> None:
    try:
        warnings.warn(text, RuntimeWarning, stacklevel=5)
    except RuntimeWarning:
        # warnings are errors here, but the cell of a user is not ours to break
        sys.stderr.write(text + "\n")


def _copy(parts: list[tuple[str, int, int]], folder: Path) -> bool:
    """Bring the parts of a log, open here, into another folder; whether all of it could be read."""
    is_whole = True
    for name, fd, size in parts:
        try:
            os.pread(fd, 1, 0)
        except OSError:
            is_whole = False
            continue
        copied(fd, size, folder / "m" / name)
    return is_whole


def _close(parts: list[tuple[str, int, int]]) -> None:
    for _, fd, _ in parts:
        os.close(fd)
    parts.clear()


def _unpackable(names: tuple[str, ...], step: int, error: StructError) -> BadValue:
    return BadValue(f"a row of {len(names)} names at step {step!r} cannot be kept: {error}")
