"""The writing side of one run: its log, its document, and what happens when the disk fails."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from struct import error as StructError  # noqa: N812
from typing import TYPE_CHECKING

from celltrail.errors import BadValue, StoreError
from celltrail.model import Json, RunRecord, changed
from celltrail.store.docs import records
from celltrail.store.docs.generations import name_of
from celltrail.store.files import alive, disk, forks
from celltrail.store.files.encoding import encode
from celltrail.store.log import BEAT, BEAT_KIND, EVENT_KIND, ITEM_KIND, Log, fallback, frame, writer_of
from celltrail.store.log.opening import Clock
from celltrail.store.log.ranks import rank_here
from celltrail.store.log.trouble import Troubles
from celltrail.store.log.waiting import Waiting

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from celltrail.store.blobs import Blobs
    from celltrail.store.docs.run_document import RunDocument, Tables

# so that others get at the lock in between; beside a busy loop each block waits for the interpreter a dozen times
_ROWS_AT_ONCE = 65536
# what the log has anyway, as points
_NOT_LOGGED = {"metrics"}
Change = tuple[str, str, dict[str, Json]]  # a table, the key of an entry, and the fields of it that change


class RunWriter:
    """Writes one run; made by `Store.begin` or `Store.join`, owned by one process, usable from all its threads.

    Once begun, a disk that fails never raises into the caller: records wait in memory, one warning is
    shown, the trouble is kept in ``problems``, and what waited is written when the disk takes it again.
    """

    def __init__(self, folder: Path, trail: str, run: str, rank: int = 0) -> None:
        self.id = run
        self.rank = rank
        self.home = folder.parents[2]  # the trail that is written: another one once the first is gone
        self._origin = self.home
        self._folder = folder
        self._trail = trail
        self._document: RunDocument | None = None
        self._known: set[str] = set()  # writers from before this process went on with the run
        self._troubles = Troubles(run, self._keep_problem)
        self._leaving = threading.RLock()
        self._bring_down: Callable[[], None] = lambda: None  # to the disk, what was written without waiting for it
        self.begun_in_child: Callable[[], None] = lambda: None  # is told that a forked child writes, too
        self.lock = threading.RLock()  # reentrant: a signal handler may log in the middle of a log
        self._open()
        forks.in_child(self._become_child)

    @property
    def problems(self) -> list[str]:
        """What went wrong while it was recorded."""
        return self._troubles.problems

    @property
    def owns(self) -> bool:
        """Whether the run's document is this process's to write; that of ranks, workers and forks is not."""
        return self._document is not None

    @property
    def is_shared(self) -> bool:
        """Whether other processes write logs of this run too."""
        try:
            logs = os.listdir(self._folder / "m")
        except OSError:
            return False
        return bool({writer_of(log) for log in logs if log.endswith(".ctl")} - self._known - {self.writer})

    def own(
        self,
        record: RunRecord,
        blobs: Blobs,
        before: Tables | None = None,
        known: Collection[str] = (),
        *,
        is_over: bool = False,
    ) -> bool:
        """Make the run's document, unless another process has; whether it is this one's now.

        Of a run that is resumed ``before`` is the document it had, and ``known`` are the logs it has.
        """
        from celltrail.store.docs.run_document import RunDocument

        self._troubles.know(record.name, record.problems)
        self._known = {writer_of(log) for log in known}
        tables = {**(before or {}), **records.tables_of(changed(record, writer=self._log.writer))}
        tables["writers"] = {self._log.writer: {**alive.told(), "rank": self.rank}}
        # the first facts of all; with those that follow, a lost document can be written again
        known = {name: entries for name, entries in tables.items() if entries and name not in _NOT_LOGGED}
        try:
            with disk.later() as self._bring_down:
                path = self._folder / name_of(record.generation)
                self._document = RunDocument(path, record.id, tables, blobs, is_over=is_over)
        except FileExistsError:
            return False
        self.event("begun", n=1, tables=known)
        return True

    def _open(self, *, forked: bool = False) -> None:
        self._clock = Clock()
        self.clock = self._clock.now  # in microseconds since the epoch, never going back; one for each log
        if forked:
            self.rank = rank_here() or self.rank  # a launcher told the child which it is
        head = {**self._clock.head(self._trail, self.rank), "run": self.id}
        if forked:
            head["forked"] = True
        self._closed = self._in_child = self._is_left_open = self._is_resting = False
        self._synced_size = self._rows = self._beat_size = 0
        self._log = Log(self._folder / "m", alive.writer_name(self.rank), head)
        self._waiting = Waiting(self._log, self._tell_dropped)

    @property
    def writer(self) -> str:
        """The name of the log this process writes."""
        return self._log.writer

    def row(self, names: tuple[str, ...], step: int, t_us: int, values: Collection[float]) -> bytes:
        """Append one `log` call: when this returns, the points survive the death of the process.

        Returns the row in its packed form, which `log.unpacked` reads.
        """
        failure: OSError | None = None
        with self.lock:
            if self._closed or self._in_child:
                self._check_open()
            try:
                if not self._waiting.is_needed:
                    body = self._log.row(names, step, t_us, values)
                    self._rows += 1
                    return body
            except OSError as error:
                failure = self._waiting.failure = error
            except StructError as error:
                raise _unpackable(names, step, error) from None
            try:
                data, body, schema = self._log.record(names, step, t_us, values)
            except StructError as error:
                raise _unpackable(names, step, error) from None
            if self._waiting.hold(data):
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
                if schema is not None and not self._waiting.is_needed:
                    inside = slice(start + 1, end)
                    data = packed(schema[1], schema[3], steps[inside], times[inside], values[inside])
                    failure = self._waiting.append(data)
                    self._rows += end - start - 1
                else:
                    for at in range(start + 1, end):
                        self.row(names, int(steps[at]), int(times[at]), values[at].tolist())
            self._say(failure)

    def item(self, name: str, step: int | None, value: Json, **extra: Json) -> None:
        """Append something that is not a float: text, a big integer, a histogram, a reference to media."""
        self._append(ITEM_KIND, {"step": step, "t": self.clock(), "name": name, "value": value, **extra})

    def alert(self, **fields: Json) -> None:
        """Append that something is to be looked at: an event that code asks for, so also in a forked child."""
        self._append(EVENT_KIND, {"t": self.clock(), "kind": "alert", **fields})

    def event(self, kind: str, **fields: Json) -> None:
        """Append something that happened; nothing in a forked child that has not logged by itself."""
        if self._in_child:
            return
        self._append(EVENT_KIND, {"t": self.clock(), "kind": kind, **fields})

    def put(self, table: str, key: str, fields: dict[str, Json]) -> None:
        """Stage a change of the run's document: these fields of this entry; `flush` writes it."""
        self.put_all([(table, key, fields)])

    def put_all(self, changes: Iterable[Change]) -> None:
        """`put` many at once: one write of the log for all of them."""
        document = self._document
        if document is None:
            return
        facts = [
            {"t": self.clock(), "kind": "fact", "n": number, "table": table, "key": key, "fields": fields}
            for number, (table, key, fields) in [(document.put(*change), change) for change in changes]
            if table not in _NOT_LOGGED
        ]
        if facts and not self._in_child:
            self._append(EVENT_KIND, *facts)

    def flush(self, *, waits: bool = True) -> None:
        """Write the document if anything changed; after a failure the change stays staged.

        Without ``waits`` it survives the death of the process, and by the next `sync` or `close` that of the machine.
        """
        if self._document is None:
            return
        try:
            if waits:
                self._document.flush()
            else:
                with disk.later() as self._bring_down:
                    self._document.flush()
        except OSError as error:
            if not self._leave(error):
                self._say(error, "its document", is_final=True)

    def leave_open(self) -> None:
        """Say in the document that more is to come although it tells an end; `close` takes that back."""
        if self._document is not None:
            self._document.put("run", self.id, {"open": True})
            self._is_left_open = True
            self._tell_of_others(self._document)

    def sync(self) -> None:
        """Bring to the disk what was written since, and try again what waits in memory."""
        failure: OSError | None = None
        self._leave()
        with self.lock:
            if self._closed or self._in_child:
                return
            self._waiting.retry()
            size = self._log.size
            fd = self._log.duplicate() if size != self._synced_size and self._log.is_open else -1
            drift = self._clock.drift()
        if drift is not None:
            self.event("clock", drift_us=drift)
        bring_down, self._bring_down = self._bring_down, lambda: None
        bring_down()
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
                self._waiting.append(frame(BEAT_KIND, BEAT.pack(self.clock()), self._log.salt))
            self._beat_size = self._log.size

    def rest(self, record: RunRecord) -> None:
        """Close, but go on in a new part of the log as soon as more is written."""
        self.close(record)
        with self.lock:
            self._is_resting = not self._in_child

    def _wake(self) -> None:
        self._closed = self._is_resting = False
        with contextlib.suppress(OSError):  # then it waits in memory, as for any disk that fails
            self._log.next_part()
        self.leave_open()
        self.flush()

    def close(self, record: RunRecord) -> None:
        """Write the final document and the last record of the log; nothing can be written afterwards."""
        with self.lock:
            if self._is_resting:
                self._wake()  # more was told while it was being closed
            if self._closed or self._in_child:
                self._closed = True
                return
        self._leave()
        with self.lock:
            self._waiting.retry(now=True)
            is_waiting = self._waiting.lost > 0
        if is_waiting:
            self._leave(is_last=True)  # memory ends with the process: another disk may take what this one did not
        if lost := self._waiting.lost:
            problem = f"{lost:,} record{'s' * (lost > 1)} could not be written to the trail"
            self._troubles.tell(problem, "what was in them is lost: the disk has to have room before the next run")
        failure: OSError | None = None
        if self._document is not None:
            self._tell_of_others(self._document)
            if self._is_left_open:
                self._document.put("run", self.id, {"open": False})
            self._document.finish(records.tables_of(changed(record, writer=self.writer)))
            self.flush()
        with self.lock:
            try:
                if not self._waiting.lost:
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

    def _tell_of_others(self, document: RunDocument) -> None:
        if self.is_shared:
            document.put("run", self.id, {"shared": True})  # others log too: look for them

    def _append(self, kind: int, *bodies: dict[str, Json]) -> None:
        with self.lock:
            self._check_open()
            salt = self._log.salt
            failure = self._waiting.append(b"".join(frame(kind, encode(body), salt) for body in bodies))
        self._say(failure)

    def _check_open(self) -> None:
        if self._is_resting and not self._in_child:
            self._wake()
        if self._closed:
            raise StoreError(f"run {self.id} has ended; start a new one to record more")
        if self._in_child:
            # an explicit write in a forked child gets a file of its own
            try:
                self._open(forked=True)
            except OSError:
                self._go_to(fallback.prepare(self._origin, self._trail, self.id))
                self._open(forked=True)
            self.begun_in_child()

    def _leave(self, failure: OSError | None = None, *, is_last: bool = False) -> bool:
        """Go on in a fallback trail if this one is gone, or if it is the last moment to write; whether that was done.

        What the log holds is copied there while others go on logging; they wait only for the rest of it.
        """
        with self._leaving:
            with self.lock:
                failure = failure or self._waiting.failure
                is_lost = self._log.is_lost()
                if self._closed or self._in_child or not (is_lost or is_last or fallback.is_gone(failure)):
                    return False
                parts = self._log.holding()
            try:
                is_whole = self._move(parts, is_lost)
            except OSError as error:
                is_whole = None
                failure = failure or error
            finally:
                fallback.close(parts)
        if is_whole is None:
            self._say(failure, is_final=True)
            return False
        self._tell_of_leaving(is_whole)
        return True

    def _move(self, parts: fallback.Parts, is_lost: bool) -> bool | None:
        """Make the fallback trail the one that is written; whether all could be read back, None if it is already."""
        folder = fallback.prepare(self._origin, self._trail, self.id)
        if folder == self._folder and not is_lost:
            return None
        is_whole = fallback.copy(parts, folder)
        with self.lock:
            is_whole = fallback.carry_over(self._log, parts, folder) and is_whole
            self._go_to(folder)
            self._waiting.failure, self._synced_size = None, 0
            self._waiting.retry(now=True)
        return is_whole

    def _go_to(self, folder: Path) -> None:
        self._folder, self.home = folder, folder.parents[2]

    def _tell_of_leaving(self, is_whole: bool) -> None:
        problem = "its trail was deleted, moved or cannot be written any more; the run was recorded outside of it"
        if not is_whole:
            problem += ", without what had been logged before, which could not be read back"
        is_new = self._troubles.note(problem)
        if self._document is not None:
            from celltrail.store.blobs import Blobs

            self._document.move(self._folder, Blobs(self.home))
            with contextlib.suppress(OSError):
                self._document.flush()
        self.event("problem", text=problem)
        if is_new:
            self._troubles.warn(problem, "bring it back with: celltrail import --fallback")

    def _tell_dropped(self, count: int) -> None:
        problem = f"{count} records did not fit into memory while the disk was failing"
        self._troubles.note(problem)
        self.event("problem", text=problem)

    def _become_child(self) -> None:
        self._leaving = threading.RLock()
        self.lock = threading.RLock()  # the parent's may have been held at the moment of the fork
        self._log.close()
        self._document = None
        self._in_child = not self._closed

    def _keep_problem(self, number: int, problem: str) -> None:
        if self._document is not None:
            self._document.put("problems", str(number), {"text": problem, "t": self.clock()})

    def _say(self, failure: OSError | None, what: str = "its log", *, is_final: bool = False) -> None:
        """Keep a trouble and warn of it once; that a trail is gone is for `sync` to tell, which leaves it."""
        if failure is not None and (is_final or not fallback.is_gone(failure)):
            self._troubles.fail(what, failure)

    def note(self, problem: str) -> None:
        """Keep a trouble with the run, without a word to anybody else."""
        self._troubles.note(problem)

    def trouble(self, problem: str) -> None:
        """Keep a trouble with the run and warn of it, the first time only."""
        self._troubles.tell(problem, "recording goes on without it")


def _unpackable(names: tuple[str, ...], step: int, error: StructError) -> BadValue:
    return BadValue(f"a row of {len(names)} names at step {step!r} cannot be kept: {error}")
