"""`Run`: one run while it happens."""

from __future__ import annotations

import time
import weakref
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any

from celltrail.errors import BadValue, CelltrailError, StopTraining
from celltrail.model import STATUSES, Failure, RunRecord, changed
from celltrail.run import events
from celltrail.run.artifacts import KeepsFiles
from celltrail.run.data import LogsData
from celltrail.run.described import FLUSH_S
from celltrail.run.evaluating import Evaluates
from celltrail.run.events import Ended, Logged, LoggedBlock, Results, Started, tell
from celltrail.run.folding import FOLD_AT
from celltrail.run.items import Items
from celltrail.run.keeper import keeper
from celltrail.run.modelling import LogsModels
from celltrail.run.steered import Steered
from celltrail.run.trials import Tries
from celltrail.run.values import REAL, Read, are_plain, check_name, check_step, not_by_name
from celltrail.run.watching import watch_model
from celltrail.store import Store

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from celltrail.contract import Status
    from celltrail.store.onward import Onward

MOST_KNOWN = 4096  # names made in a loop give a new set of names at every call
SYNC_S, BEAT_S, QUIET_S = 2.0, 10.0, 60.0


here: weakref.WeakValueDictionary[str, Run] = weakref.WeakValueDictionary()  # the runs of this process by id


class Run(Steered, Items, Evaluates, LogsData, LogsModels, KeepsFiles, Tries):
    """A run while it happens; made by `start`, never directly.

    Used as a context manager it finishes by itself: ``finished``, ``failed`` after an exception,
    ``interrupted`` after KeyboardInterrupt.

    >>> from celltrail.run import start
    >>> with start("demo", {"lr": 0.1}) as run:
    ...     run.log({"train/loss": 0.5})
    >>> run.status
    'finished'
    """

    def __init__(
        self,
        store: Store,
        record: RunRecord,
        rank: int = 0,
        joins: bool = False,
        before: Onward | None = None,
        *,
        is_over: bool = False,
    ) -> None:
        super().__init__(store, record, rank, joins, before, is_over=is_over)
        here[self.id] = self
        self.step: int | None = before.step if before else None
        self.kept = Counter()  # items by kind
        self.is_block = False  # whether runs begun meanwhile belong to it: a with block or a tracked cell
        self._known: dict[tuple[str, ...], tuple[str, ...]] = {}  # sets of names that were checked
        self._names: tuple[str, ...] = ()  # those of the last call
        self._rows = self._folding.rows
        self._synced = self._wrote = self._flushed
        self._owed = self._outliving = 0
        self._heard = self._flushed  # when a thread that outlives the run told something
        self._leave_keeper: Callable[[], None] = lambda: None
        self._leave: list[Callable[[], None]] = []
        self._last_words: list[Callable[[], None]] = []
        self._trials: dict[str, Run] = {}  # below this one, that nobody has ended yet
        self._afterwards: list[Callable[[], None]] = []

    def log(self, values: Mapping[str, Any] | None = None, step: int | None = None, **axes: Any) -> None:
        """Record numbers at a step. When this returns, they survive the death of the process.

        Args:
            values: metric name -> number; names are ``split/name`` by custom. NaN and infinity are kept,
                None means no value at this step, integers beyond 2**53 are exact.
            step: any whole number; may repeat or go back, and is counted when left out.
            axes: further numbers of the same call: axes to draw over besides the step, such as ``epoch=0.5``
                or ``tokens=1e6`` (see `define_metric`), or metrics whose names are Python words:
                ``run.log(loss=0.3)``.

        Raises:
            BadValue: a value is not a number; the others of the call are recorded all the same.
            CelltrailError: the run has already finished.
            StopTraining: somebody pressed stop; the point is recorded.

        >>> from celltrail.run import start
        >>> with start("demo") as run:
        ...     run.log({"train/loss": 0.5}, step=3, epoch=0.1)
        >>> run.summary["train/loss"]
        0.5
        """
        if axes:
            values = {**values, **axes} if values else axes
        if not values:
            return
        read: Read | None = None
        try:
            names, floats = tuple(values), values.values()
        except (AttributeError, TypeError):  # two arguments, as other trackers take them, or a bare number
            raise BadValue(not_by_name(values)) from None
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
            self._folding.fold()
        if events.hearing_points:
            tell(Logged(self, known, step, t_us, list(map(float, floats))))
        if read is not None:
            for name, number in read.exact.items():
                writer.item(name, step, number, type="integer")
            read.complain()
        if self.steering.is_asked:
            self.steering.obey(self)

    def _refuse(self) -> None:
        if self._outliving:
            self._heard = time.monotonic()
            if self._is_closed:
                self._is_closed = False
                self._leave_keeper = keeper.add(self)
            return
        raise CelltrailError(
            f"run {self.name!r} has already {self.status}; nothing more can be logged to it, "
            "ct.start() begins a new run"
        )

    def log_results(self, values: Mapping[str, float]) -> None:
        """Record numbers that stand for the whole run, at the step of the last `log` call; no chart draws them."""
        names, floats = tuple(check_name(name) for name in values), list(map(float, values.values()))
        writer = self.writer
        with writer.lock:
            if self._record.status != "running":
                self._refuse()
            step, t_us = self.step or 0, writer.clock()
            self._rows.append((names, writer.row(names, step, t_us, floats)))
        if events.hearing_points:
            tell(Results(self, names, step, t_us, floats))

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
        self._folding.add(names, steps, values)
        if events.hearing_points:
            tell(LoggedBlock(self, names, steps, times, values))

    def log_beside(self, values: Mapping[str, float]) -> None:
        """Record what was measured of the machine meanwhile, at the step the run has come to: it counts none itself.

        Once the run has ended it is passed over.
        """
        names, floats = tuple(values), tuple(values.values())
        with self.writer.lock:
            if not self.is_running:
                return
            step, t_us = self.step or 0, self.writer.clock()
            self._rows.append((names, self.writer.row(names, step, t_us, floats)))
        if events.hearing_points:
            tell(Logged(self, names, step, t_us, floats))

    def finish(self, status: Status | None = None, error: BaseException | Failure | None = None) -> None:
        """End the run. A second call changes nothing.

        Args:
            status: "finished" unless given, or unless there is an error.
            error: what ended it; a KeyboardInterrupt makes the run ``interrupted``, anything else ``failed``.

        >>> from celltrail.run import start
        >>> run = start("demo")
        >>> run.finish()
        >>> run.status
        'finished'
        """
        if status is not None and status not in STATUSES:
            raise BadValue(f"status {status!r} is not one of {', '.join(STATUSES)}")
        if isinstance(error, StopTraining) and self.is_running:
            self.summary.setdefault("stopped_by", error.by)  # a run around the one that was stopped
        self._before_end()
        with self.writer.lock:
            if not self.is_running:
                return
            failure = _failure(error)
            self._record = changed(
                self._record,
                status=status or _status_after(error),
                ended_us=self.writer.clock(),
                duration_s=self.seconds,  # what was said of one that is written down after it was done, else measured
                error=failure,
            )
            if self._owed:
                self.writer.leave_open()
        if not self._close():
            self._flush(waits=False)
        leave, self._leave = self._leave, []
        for call in leave:
            call()
        if not self._is_closed:  # what is owed may take its time
            self._heard, self._leave_keeper = time.monotonic(), keeper.add(self)
        tell(Ended(self))

    def _begin_below(self, record: RunRecord) -> Run:
        """A run that is over; what waits for the disk of it waits with this one's."""
        trial = Run(self.store, record, is_over=True)
        trial._unsynced = self._unsynced
        self._trials[trial.id] = trial
        trial.at_end(keeper.add(trial), partial(self._trials.__delitem__, trial.id))
        tell(Started(trial))
        return trial

    def watch(self, model: Any, every: int = 50) -> None:
        """Record the layers of a model while it trains, until the run ends.

        Every ``every`` steps of its optimizer, for each parameter: the norms of weight and gradient, how far the step
        moved it relative to its size, and histograms of both. At every step: whether the gradients are finite; the
        first time they are not, an alert names the layer in which it began.

        Args:
            model: a ``torch.nn.Module``.
            every: record every so many steps, the first one included.

        Raises:
            BadValue: it is not a model of a known library, or ``every`` is not a number of steps.

        >>> from celltrail.run import start
        >>> with start("demo") as run:
        ...     run.watch("resnet")
        Traceback (most recent call last):
        celltrail.errors.BadValue: a builtins.str cannot be watched; models of torch can
        """
        watch_model(self, model, every)

    def at_end(self, *calls: Callable[[], None]) -> None:
        """Call these once the run has ended, before listeners hear of it."""
        self._leave += calls

    def before_end(self, call: Callable[[], None]) -> None:
        """Call this when the run is about to end: the last moment to `learn` something, or to log it."""
        self._last_words.append(call)

    def afterwards(self, call: Callable[[], None]) -> None:
        """Call this with whatever else is still gathered for the run, on the thread that gathers it; else at once.

        What it learns is in the trail as soon as all of the run is.
        """
        with self.writer.lock:
            if self._owed > self._outliving:
                self._afterwards.append(call)
                return
        self._safely([call])

    def _before_end(self) -> None:
        calls, self._last_words = self._last_words, []
        self._safely([*calls, *(trial.finish for trial in list(self._trials.values()))])

    def _safely(self, calls: Iterable[Callable[[], None]]) -> None:
        for call in calls:
            try:
                call()
            except Exception as error:  # noqa: BLE001  a run ends, whatever becomes of what is told of it
                self.stumble(error)

    def owe(self) -> Callable[[], None]:
        """Say that facts are still being gathered for this run; call what comes back once they are in.

        Until then the run's files stay open, also when it has finished meanwhile.
        """
        with self.writer.lock:
            self._owed += 1

        def settle() -> None:
            calls: list[Callable[[], None]] = []
            with self.writer.lock:
                self._owed -= 1
                if self._owed <= self._outliving:
                    calls, self._afterwards = self._afterwards, calls
            self._safely(calls)
            if not self._close():
                self._flush()

        return settle

    def outlive(self) -> Callable[[], None]:
        """Accept what is logged even after `finish`, until what comes back is called: a thread is still at work.

        The files of a run that has finished are let go of while such threads are quiet, for they may never end.
        """
        settle = self.owe()
        with self.writer.lock:
            self._outliving += 1

        def leave() -> None:
            with self.writer.lock:
                self._outliving -= 1
            settle()

        return leave

    @property
    def is_open(self) -> bool:
        """Whether it accepts what is logged: it has not ended, or a thread or a task that outlives it is at work."""
        return self._record.status == "running" or self._outliving > 0

    def _close(self) -> bool:
        """Write a run that has finished to its end, once nothing is owed to it any more; whether that is done."""
        with self._document_lock:
            if not self.is_running and not self._is_closed and not self._owed:
                self._stage()
                self._is_closed = True
                with self._unsynced.writing() if self.is_over else nullcontext():
                    self.writer.close(self.record())
                if not self.is_over:
                    self._unsynced.sync()
            return self._is_closed

    def _rest(self, now_s: float) -> None:
        """Close the files of a run that has finished when the threads that outlive it have been quiet for a while."""
        with self._document_lock:
            if not self._is_closed:
                if self._owed > self._outliving or now_s - self._heard < QUIET_S:
                    return
                self._is_closed = True
                self.writer.rest(self.record())
            with self.writer.lock:
                if self._is_closed:  # else more was told just now
                    self._leave_keeper()

    def keep(self, now_s: float) -> None:
        """What is due now: summaries into the document, bytes onto the platter, a sign of life."""
        if not self.is_running:
            if self._rows and now_s - self._flushed >= FLUSH_S:
                self._flush()  # what threads and tasks that outlive it logged
            self._sync(now_s)
            self._rest(now_s)
            return
        self._heed()
        if self._filing is not None:
            self._filing.tick(now_s)
        if self._rows:
            self._wrote = now_s
            self._folding.fold()
        # the disk is waited for without the lock that log() needs
        if now_s - self._flushed >= FLUSH_S:
            self._flush()
        self._sync(now_s)
        if now_s - self._wrote >= BEAT_S:
            self._wrote = now_s
            self.writer.beat()

    def _sync(self, now_s: float) -> None:
        if now_s - self._synced >= SYNC_S:
            self._synced = now_s
            self.writer.sync()
            self._unsynced.sync()

    def stumble(self, error: Exception) -> None:
        """A fault of celltrail's own while it kept this run: said on the run, and recording goes on."""
        self.writer.note(f"the run could not be kept up for a moment ({type(error).__name__}: {error})")

    def __reduce__(self) -> tuple[Any, ...]:
        """Handed to a worker process, it is the same run there, with a log of its own."""
        from celltrail.run.workers import handed

        return handed, (self.store.root, self.id)

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


def _failure(error: BaseException | Failure | None) -> Failure | None:
    if error is None or isinstance(error, Failure):
        return error
    if isinstance(error, StopTraining):
        return None
    return Failure(type(error).__name__, str(error)[:2000])


def _status_after(error: BaseException | Failure | None) -> Status:
    if error is None or isinstance(error, StopTraining):
        return "finished"
    name = error.ename if isinstance(error, Failure) else type(error).__name__
    return "interrupted" if name in ("KeyboardInterrupt", "CancelledError") else "failed"
