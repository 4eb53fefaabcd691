"""`Run`: one run while it happens, and which run the code at hand belongs to."""

from __future__ import annotations

import atexit
import getpass
import itertools
import os
import platform
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from dataclasses import replace
from operator import itemgetter
from types import TracebackType
from typing import TYPE_CHECKING, Any

from celltrail.errors import BadValue, CelltrailError, NoRun, StoreError
from celltrail.model import STATUSES, Failure, Goal, Json, Param, RunRecord, Status, new_id, now_us
from celltrail.run import events, joining
from celltrail.run.events import Ended, Logged, LoggedBlock, Started, tell
from celltrail.run.facts import Facts, Tags, plain
from celltrail.run.items import Items
from celltrail.run.keeper import keeper
from celltrail.run.seeding import set_seed
from celltrail.run.values import REAL, Read, are_plain, check_name, check_step
from celltrail.store import RunWriter, Store, locate
from celltrail.store.docs.records import tables_of
from celltrail.store.files import forks
from celltrail.store.log import unpacked, unpacked_few
from celltrail.store.log.summary import Said, Summaries

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# at most so many values are folded without NumPy: the 25 MB and the tenth of a second it takes to load would
# be most of what a short run costs
FEW_VALUES = 2048
FOLD_AT = 8192  # rows waiting for their summary; beyond that log() folds them itself, so memory stays bounded
MOST_KNOWN = 4096  # names made in a loop give a new set of names at every call
FLUSH_S, SYNC_S, BEAT_S = 1.0, 2.0, 10.0

_current: ContextVar[Run | None] = ContextVar("celltrail_run", default=None)
_carried: ContextVar[Run | None] = ContextVar("celltrail_carried_run", default=None)  # by a thread, maybe finished
_open: list[Run] = []  # unfinished runs of this process, oldest first


class Run(Items):
    """A run while it happens; made by `start`, never directly.

    Used as a context manager it finishes by itself: ``finished``, ``failed`` after an exception,
    ``interrupted`` after KeyboardInterrupt.

    >>> with start("demo", {"lr": 0.1}) as run:
    ...     run.log({"train/loss": 0.5})
    >>> run.status
    'finished'
    """

    def __init__(self, store: Store, record: RunRecord, rank: int = 0, joins: bool = False) -> None:
        self._store = store
        self.writer: RunWriter = store.join(record.id, rank) if joins else store.begin(record, rank)
        joining.take(record.id)
        self._record = record if self.writer.owns else _as_owned(store, record)
        self.tags = Tags(lambda: self._record.tags, self._tag)
        self.params = Facts("param", self._params, self._set_param)
        self.summary = Facts("summary", lambda: self._record.summary, self._set_summary)
        self.step: int | None = None
        self.kept = Counter()  # items by kind
        self._summaries = Summaries()
        self._known: dict[tuple[str, ...], tuple[str, ...]] = {}  # sets of names that were checked
        self._names: tuple[str, ...] = ()  # those of the last call
        self._rows: deque[tuple[tuple[str, ...], bytes]] = deque()  # names and packed row
        self._make_locks()
        self._started = self._flushed = self._synced = self._wrote = time.monotonic()
        self._before: Run | None = None
        self._is_closed = False
        self._owed = self._outliving = 0
        self._stored = tables_of(record)
        forks.in_child(self._make_locks)
        self.is_block = False  # whether runs begun meanwhile belong to it: a with block or a tracked cell

    def _make_locks(self) -> None:
        """Locks are taken in this order, then the writer's; a forked child makes them anew."""
        self._document_lock = threading.RLock()
        self._summaries_lock = threading.RLock()

    @property
    def store(self) -> Store:
        """The trail it is in; once that is gone, the one in which it goes on."""
        if self._store.root != self.writer.home:
            self._store = Store(self.writer.home)
        return self._store

    # facts

    @property
    def id(self) -> str:
        """The run's ULID."""
        return self._record.id

    @property
    def name(self) -> str:
        """The run's name; need not be unique."""
        return self._record.name

    @property
    def status(self) -> Status:
        """running, finished, failed or interrupted."""
        return self._record.status

    @property
    def is_running(self) -> bool:
        """Whether `finish` has not been called yet."""
        return self._record.status == "running"

    @property
    def seconds(self) -> float:
        """How long the run has taken, by a clock that is never set back."""
        done = self._record.duration_s
        return time.monotonic() - self._started if done is None else done

    def _params(self) -> dict[str, Json]:
        return {name: param.value for name, param in self._record.params.items()}

    def _set_param(self, name: str, value: Json) -> None:
        self.describe(params={name: Param(name, value)})
        self._say(f"param:{name}", value)

    def _set_summary(self, name: str, value: Json) -> None:
        self.describe(summary={name: value})
        self._say(f"summary:{name}", value)

    def _say(self, field: str, value: Json) -> None:
        """What a rank or worker says of the run is an edit, for the document is the owner's to write."""
        if not self.writer.owns and value is not None:
            self._edit(field, value)

    def _tag(self, tag: str, on: bool) -> None:
        """Tags are edits, as if a person had made them: two can add different tags at once."""
        self._edit(f"tag:{tag}", on)
        others = tuple(other for other in self._record.tags if other != tag)
        self._record = replace(self._record, tags=(*others, tag) if on else others)

    def _edit(self, field: str, value: Json) -> None:
        try:
            self.store.edit(self.id, field, value, by_run=self.is_running)
        except (NoRun, StoreError):
            before = self.writer.home
            self.writer.sync()
            if self.writer.home == before:
                raise
            self.store.edit(self.id, field, value, by_run=self.is_running)  # the trail is gone, and was left

    def record(self) -> RunRecord:
        """The run as it is now, metric summaries included."""
        if self._rows:
            self._fold()
        with self._summaries_lock, self.writer.lock:
            return replace(
                self._record,
                metrics=self._summaries.metrics(),
                params=dict(self._record.params),
                summary=dict(self._record.summary),
            )

    # recording

    def log(self, values: Mapping[str, Any] | None = None, step: int | None = None, **axes: Any) -> None:
        """Record numbers at a step. When this returns, they survive the death of the process.

        Args:
            values: metric name -> number; names are ``split/name`` by custom. NaN and infinity are kept,
                None means no value at this step, a whole number beyond 2**53 is kept exactly as well.
            step: any whole number; may repeat, go back or be left out, in which case it counts by itself.
            axes: further numbers of the same call: other places to stand on than the step, such as
                ``epoch=0.5`` or ``tokens=1e6`` (`define_metric` draws over them), or metrics whose names
                are Python words: ``run.log(loss=0.3)``.

        Raises:
            BadValue: a value is no number; the others of the call are recorded all the same.
            CelltrailError: the run has already finished.
        """
        if axes:
            values = {**values, **axes} if values else axes
        if not values:
            return
        read: Read | None = None
        names, floats = tuple(values), values.values()
        # the names of the call before are known by comparing, which is cheaper than hashing 50 of them
        known = self._names if names == self._names else self._known.get(names)
        if known is None or not (REAL.issuperset(map(type, floats)) or are_plain(floats)):
            read = Read.of(values)
            names, floats = read.names, read.floats
            if not names:
                read.complain()
                return
            known = self._known.setdefault(names, names)
            if len(self._known) > MOST_KNOWN:
                self._known.clear()
        self._names = known
        writer = self.writer
        with writer.lock:
            if self._record.status != "running":
                self._refuse()
            if step is None:
                step = 0 if self.step is None else self.step + 1
            elif type(step) is not int or not -(2**63) <= step < 2**63:
                step = check_step(step)
            t_us = writer.clock()
            body = writer.row(known, step, t_us, floats)
            self.step = step
            self._rows.append((known, body))
        if len(self._rows) >= FOLD_AT:
            self._fold()
        if events.hearing_points:
            tell(Logged(self, known, step, t_us, list(map(float, floats))))
        if read is not None:
            for name, number in read.exact.items():
                writer.item(name, step, number, type="integer")
            read.complain()

    def _refuse(self) -> None:
        if self._outliving:
            return
        raise CelltrailError(
            f"run {self.name!r} has already {self.status}; nothing more can be logged to it, "
            "ct.start() begins a new run"
        )

    def log_block(
        self, names: tuple[str, ...], steps: NDArray[np.int64], times: NDArray[np.int64], values: NDArray[np.float64]
    ) -> None:
        """Record many log calls of the same names at once, ``values[i]`` at ``steps[i]``.

        For watchers that take values where they come up and hand them over later; ``times`` are by
        `RunWriter.clock`. Once the run has ended there is nothing to add them to, and they are passed over.
        """
        if not self.is_running or not len(steps):
            return
        self.writer.rows(names, steps, times, values)
        self.step = int(steps[-1])
        self._fold()  # what was logged before comes first
        with self._summaries_lock:
            self._summaries.fold(names, steps, values)
        if events.hearing_points:
            tell(LoggedBlock(self, names, steps, times, values))

    def note(self, text: str, *, metric: str | None = None, step: int | None = None) -> None:
        """Add a note in plain text, to the run or to a metric and step; edits by people end up in the same place."""
        field, value = f"note:{new_id()}", str(text)
        if metric is not None or step is not None:
            field = field.replace("note", "mark")
            value = {"text": value, "metric": metric, "step": None if step is None else check_step(step)}
        self._edit(field, value)

    def rename(self, name: str) -> None:
        """Give the run another name, as people can also do later."""
        name = check_name(name, "run")
        self._edit("name", name)
        self._record = replace(self._record, name=name)

    def define_metric(
        self, name: str, *, goal: Goal | None = None, unit: str | None = None, axis: str | None = None
    ) -> None:
        """Say how a metric is to be read; what is left out stays as it is.

        Args:
            name: the metric, or a pattern for many, also such as come later: ``"val/*"``. What is said of
                one metric by its name counts more than what a pattern says, a later pattern more than an
                earlier one.
            goal: the direction it is better in: "min", "max" or "none".
            unit: what it is counted in.
            axis: the metric of the same log calls that it is drawn over, instead of the step: "epoch".

        >>> with start("demo") as run:
        ...     run.define_metric("val/*", goal="max", axis="epoch")
        ...     run.log({"val/acc": 0.9}, epoch=1.5)
        >>> run.record().metrics["val/acc"].axis
        'epoch'
        """
        if goal not in (None, "min", "max", "none"):
            raise BadValue(f"goal {goal!r} is not one of 'min', 'max', 'none'")
        said = Said(goal, unit, None if axis is None else check_name(axis))
        with self._summaries_lock:
            said = self._summaries.declare(check_name(name), said)
        self.writer.put("declared", check_name(name), said._asdict())

    def describe(self, **facts: Any) -> None:
        """Add facts about where the run came from, as `model.RunRecord` names them.

        For whoever watches the run from outside (a cell, a script, a launcher): ``cell_id``, ``notebook``,
        ``code`` (a blob digest), ``params``, ``environment``, ``executions``, ``problems``. Dictionaries are
        merged key by key, everything else is replaced.
        """
        with self.writer.lock:
            for name, value in facts.items():
                if isinstance(value, dict):
                    facts[name] = {**getattr(self._record, name), **value}
            self._record = replace(self._record, **facts)
        self._flush()

    def environment(self) -> dict[str, str]:
        """The variables with which another process joins this run, by its own ``ct.start()`` or ``ct.log()``.

        >>> with start("parent") as run:
        ...     sorted(run.environment())
        ['CELLTRAIL_RUN_ID', 'CELLTRAIL_STORE']
        """
        return {"CELLTRAIL_RUN_ID": self.id, "CELLTRAIL_STORE": str(self.store.root)}

    def finish(self, status: Status | None = None, error: BaseException | Failure | None = None) -> None:
        """End the run. A second call changes nothing.

        Args:
            status: "finished" unless given, or unless there is an error.
            error: what ended it; KeyboardInterrupt makes it ``interrupted``, anything else ``failed``.
        """
        if status is not None and status not in STATUSES:
            raise BadValue(f"status {status!r} is not one of {', '.join(STATUSES)}")
        with self.writer.lock:
            if not self.is_running:
                return
            failure = _failure(error)
            self._record = replace(
                self._record,
                status=status or _status_after(error),
                ended_us=self.writer.clock(),
                duration_s=time.monotonic() - self._started,
                error=failure,
            )
            if self._owed:
                self.writer.leave_open()
        self._flush()
        self._close()
        keeper.drop(self)
        if self in _open:
            _open.remove(self)
        if _current.get() is self:
            _current.set(self._before)
        tell(Ended(self))

    def owe(self) -> Callable[[], None]:
        """Say that facts are still being gathered for this run; call what comes back once they are in.

        Until then the run's files stay open, also when it has finished meanwhile.
        """
        with self.writer.lock:
            self._owed += 1

        def settle() -> None:
            with self.writer.lock:
                self._owed -= 1
            self._close()

        return settle

    def outlive(self) -> Callable[[], None]:
        """Accept what is logged even after `finish`, until what comes back is called: a thread is still at work."""
        settle = self.owe()
        with self.writer.lock:
            self._outliving += 1

        def leave() -> None:
            with self.writer.lock:
                self._outliving -= 1
            settle()

        return leave

    def _close(self) -> None:
        """Let go of the files of a run that has finished, as soon as nothing is owed to it any more."""
        with self._document_lock:
            if not self.is_running and not self._is_closed and not self._owed:
                self._is_closed = True
                self.writer.close(self.record())

    # for the keeper

    def keep(self, now_s: float) -> None:
        """What is due now: summaries into the document, bytes onto the platter, a sign of life."""
        if not self.is_running:
            return
        if self._rows:
            self._wrote = now_s
            self._fold()
        # the disk is waited for without the lock that log() needs
        if now_s - self._flushed >= FLUSH_S:
            self._flush()
        if now_s - self._synced >= SYNC_S:
            self._synced = now_s
            self.writer.sync()
        if now_s - self._wrote >= BEAT_S:
            self._wrote = now_s
            self.writer.beat()

    def _flush(self) -> None:
        """Bring the document up to what is known now."""
        with self._document_lock:
            if self._is_closed:
                return
            began = time.monotonic()
            tables = tables_of(self.record())
            for table, entries in tables.items():
                for key, fields in entries.items():
                    if self._stored[table].get(key) != fields:
                        self.writer.put(table, key, fields)
            self._stored = tables
            self.writer.flush()
            now = time.monotonic()
            # a slow disk gets fewer writes: at most 1 % of the time goes into documents
            self._flushed = now + max(0.0, 100 * (now - began) - FLUSH_S)

    def _fold(self) -> None:
        """Rows into summaries, one block for each stretch of the same names."""
        with self._summaries_lock:
            with self.writer.lock:
                rows, self._rows = self._rows, deque()
            # what takes long is done without the lock that log() needs
            for names, block in itertools.groupby(rows, key=itemgetter(0)):
                bodies = [row[1] for row in block]
                if len(bodies) * len(names) <= FEW_VALUES and "numpy" not in sys.modules:
                    steps, rows_of_few = unpacked_few(len(names), bodies)
                    self._summaries.fold_few(names, steps, rows_of_few)
                else:
                    _, numbers, _, values = unpacked(len(names), bodies)
                    self._summaries.fold(names, numbers, values)

    # context manager

    def take_over(self) -> None:
        """Become the current run; the one that was current becomes it again at the end."""
        self._before = _current.get()
        _current.set(self)

    def __enter__(self) -> Run:
        self.is_block = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.finish(error=error)

    def __repr__(self) -> str:
        kept = "".join(f", {count} {kind}" for kind, count in self.kept.items())
        return f"<Run {self.name!r} {self.status}, step {self.step}{kept}, {self.id}>"


def start(
    name: str | None = None,
    params: Mapping[str, Any] | None = None,
    *,
    tags: Iterable[str] = (),
    notes: str = "",
    group: str | None = None,
    project: str | None = None,
    seed: int | None = None,
    store: Store | None = None,
    **facts: Any,
) -> Run:
    """Begin a run; it is in the trail when this returns, and the current run until it ends.

    Where ``CELLTRAIL_RUN_ID`` names a run that another process writes, this process joins it instead: a
    rank or worker has a log of its own, and name, params and the rest are those of the process that owns
    the run.

    Args:
        name: how you speak of it; need not be unique. Without one, the run is named by its time.
        params: name -> value; numbers, text, booleans, None, and lists or dicts of them.
        tags: short labels to find it by.
        notes: plain text.
        group: runs that belong together, such as the seeds of one setting.
        project: "default" unless given or in ``CELLTRAIL_PROJECT``.
        seed: seed random, NumPy and PyTorch with this number first. Without it no generator is touched.
        store: the trail to write to; found by `celltrail.store.locate` unless given.
        facts: what is known of where the run comes from, as in `Run.describe`.

    >>> run = start("demo", {"lr": 0.1}, tags=["first"])
    >>> run.params["lr"], current() is run
    (0.1, True)
    >>> run.finish()
    """
    if seed is not None:
        facts["environment"] = {**facts.get("environment", {}), "seeds": dict(set_seed(seed))}
    now = now_us()
    run_id, rank = joining.named() or (new_id(), 0)
    record = RunRecord(
        id=run_id,
        name=check_name(name, "run") if name else time.strftime("run %Y-%m-%d %H:%M:%S", time.localtime(now / 1e6)),
        status="running",
        project=project or os.environ.get("CELLTRAIL_PROJECT") or "default",
        created_us=now,
        started_us=now,
        group=group,
        user=_user(),
        host=platform.node(),
        tags=tuple(check_name(tag, "tag") for tag in tags),
        notes=(notes,) if notes else (),
        params={**as_params(params or {}), **facts.pop("params", {})},
        parent=_parent(),
    )
    run = Run(store or Store(locate()), replace(record, **facts), rank, joins=rank > 0)
    run.take_over()
    _open.append(run)
    keeper.add(run)
    _finish_with_worker()
    tell(Started(run))
    return run


def current() -> Run | None:
    """The run this code belongs to, or None.

    That is the run of the cell or ``with`` block; outside of both, the newest one begun by a bare
    ``ct.start()`` and not finished yet.
    """
    run = _current.get()
    if run is not None and run.is_running:
        return run
    return _carried.get() or (_open[-1] if _open else None)


def current_block() -> Run | None:
    """The run of the ``with`` block or cell that this code is in, or None."""
    run = _current.get()
    return run if run is not None and run.is_running and run.is_block else None


def attributed() -> Run | None:
    """The run that this code belongs to: of the ``with`` block or cell around it, or the one its thread carries."""
    return _current.get() or _carried.get()  # looked at on every open: whether it still runs is for the caller


def set_current(run: Run | None) -> None:
    """Make this the run of the code that follows in this context; runs begun there become its children."""
    if run is not None:
        run.is_block = True
    _current.set(run)


def carry(run: Run | None) -> None:
    """Make this the run that the code of this thread logs to, even once it has finished: see `Run.outlive`."""
    _carried.set(run)


def log(values: Mapping[str, Any] | None = None, step: int | None = None, **more: Any) -> None:
    """`Run.log` on the current run."""
    run = current()
    if run is None and joining.named():
        run = start()
    if run is None:
        raise CelltrailError("no run is active: put %%track on the cell, or begin one with ct.start()")
    run.log(values, step, **more)


def as_params(params: Mapping[str, Any]) -> dict[str, Param]:
    """Plain values as `Param` records given by the user."""
    return {check_name(name, "param"): Param(name, plain(value)) for name, value in params.items()}


def _parent() -> str | None:
    run = current_block()
    return run.id if run is not None else None


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container's numeric user has no entry
        return ""


def _failure(error: BaseException | Failure | None) -> Failure | None:
    if error is None or isinstance(error, Failure):
        return error
    return Failure(type(error).__name__, str(error)[:2000])


def _status_after(error: BaseException | Failure | None) -> Status:
    if error is None:
        return "finished"
    name = error.ename if isinstance(error, Failure) else type(error).__name__
    return "interrupted" if name in ("KeyboardInterrupt", "CancelledError") else "failed"


def _as_owned(store: Store, record: RunRecord) -> RunRecord:
    """The run a process joined, as its owner describes it; what this process was told while there is no owner."""
    try:
        return replace(store.record(record.id), status="running", metrics={})
    except NoRun:
        return record


def _finish_with_worker() -> None:
    """A process of multiprocessing leaves without running atexit, but runs what is registered there."""
    util = sys.modules.get("multiprocessing.util")
    process = sys.modules.get("multiprocessing.process")
    if util and process and process.parent_process() is not None:
        util.Finalize(None, _finish_all, exitpriority=0)


@atexit.register
def _finish_all() -> None:
    """End what the program left open: a script that ran through has finished, a kernel was interrupted."""
    in_kernel = "ipykernel" in sys.modules or hasattr(sys, "ps1")
    error: BaseException | None = getattr(sys, "last_value", None)
    for run in _open.copy():  # finishing takes it out
        if in_kernel:
            run.finish("interrupted")
        else:
            run.finish(error=error)


def _forget_parents_runs() -> None:
    _open.clear()
    _current.set(None)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_parents_runs)
