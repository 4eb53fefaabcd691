"""Watched values on their way from the user's loop to the run.

On the main thread a value is stamped and put away, nothing else. A thread of the recorder takes whole lists of
them, numbers them, brings values of one iteration together and writes them, thousands in one step of array
arithmetic: a loop that binds a value every 10 us must not be slowed by its own record. One that binds several
millions a second never lets go of the interpreter, and would fill the memory: it waits while they are written.
"""

from __future__ import annotations

import threading
import time
from bisect import bisect_right
from collections import deque
from collections.abc import Callable
from functools import partial
from types import MemberDescriptorType
from typing import Any

from celltrail.capture.arguments import Every
from celltrail.capture.shield import shield
from celltrail.capture.values.fingerprint import kinds
from celltrail.capture.watch import FIELD_HOOK, FLOAT, HOOK, INT, KEEP, NOW, SINKS, TYPE, Plan, columns, is_axis_name
from celltrail.capture.watch.columns import Column
from celltrail.capture.watch.steps import Steps
from celltrail.run import Run, current
from celltrail.store.files import forks

MANY = 1_000_000  # values of a name that are written one by one
MOST_WAITING = 20_000  # values at a look; the loop that brings more waits until they are written
PATIENCE_S = 5.0  # and for no longer than that, once
_MOST_THINNED = 1 << 12
_stamp = time.perf_counter_ns
# of the process, not of a recorder: functions carry the numbers of their calls from one recorder to the next
_plan = Plan()
_open: dict[str, Points] = {}  # by the run's id


class Hook(partial[Any]):
    """What the inserted calls call. Sent to another process it becomes a function that does nothing."""

    __slots__ = ()

    def __reduce__(self) -> Any:
        return _deaf, ()


def _deaf() -> Callable[..., Any]:
    return pass_through


def pass_through(index: int, value: Any = None) -> Any:
    """The hook of a cell that is not recorded any more."""
    return value


class Watcher:
    """The watched values of a session: which execution inserted which call, and whose run is open."""

    def __init__(self) -> None:
        self.plan = _plan
        self.names: dict[str, Any] = {  # what the inserted code names, to be put where it runs
            SINKS: _plan.sinks,
            HOOK: Hook(_take, _plan),
            FIELD_HOOK: Hook(_take_field, _plan),
            KEEP: keep_or_none,
            NOW: _stamp,
            TYPE: type,
            FLOAT: float,
            INT: int,
        }

    def open(self, run: Run, every: Every | None = None) -> Points:
        """Where the values of an execution go; with ``every``, only some of them are written."""
        points = _open[run.id] = Points(run, self.plan, every)
        return points

    def close(self, points: Points) -> None:
        """The run ends: write what waits. Later values go to the run that is current then, if any."""
        if points.run is not None:
            _open.pop(points.run.id, None)
        points.close()

    def drain(self) -> None:
        """Write what waits in all open points."""
        for points in list(_open.values()):
            points.keep_up()


def watched(run: Run) -> set[str]:
    """The names whose values are being taken for this run."""
    points = _open.get(run.id)
    return points.names() if points is not None else set()


def watched_step(run: Run) -> int | None:
    """The step that the values being taken for this run are at; None where there are none."""
    points = _open.get(run.id)
    return points.step() if points is not None else None


class _Forward:
    """The sink of a call whose run has ended: a later cell calls its function, and has a run of its own."""

    def __init__(self, index: int) -> None:
        self._index = index

    def extend(self, item: tuple[Any, ...]) -> None:
        shield(self._forward, item)

    def _forward(self, item: tuple[Any, ...]) -> None:
        run = current()
        points = _open.get(run.id) if run is not None else None
        if points is not None:
            points.sink(self._index).extend(item)
        elif run is not None and isinstance(item[1], int | float):
            run.log({_plan.targets[self._index]: item[1]})  # a thread that outlives its cell


class _Brake:
    """The sink of a call while the run is asked to stop or to pause: the value is kept, then it does so."""

    def __init__(self, sink: list[Any], points: Points, run: Run) -> None:
        self._sink, self._points, self._run = sink, points, run

    def extend(self, item: tuple[Any, ...]) -> None:
        self._sink.extend(item)
        if self._run.steering.is_here:
            self._points.drain()  # so that the run knows its step
            self._run.steering.obey(self._run)


class _Full:
    """The sink of a call while more values wait than is good: what brings the next one waits, too."""

    def __init__(self, sink: list[Any], has_room: threading.Event) -> None:
        self._sink, self._has_room = sink, has_room

    def extend(self, item: tuple[Any, ...]) -> None:
        self._sink.extend(item)
        try:
            if not self._has_room.wait(PATIENCE_S):
                self._has_room.set()  # a disk that hangs must not hold up the loop
        except KeyboardInterrupt as error:  # meant for the loop, where it is raised again
            raise error.with_traceback(None)  # noqa: B904


class Points:
    """The values of one execution's watched names until they are written."""

    def __init__(self, run: Run, plan: Plan, every: Every | None = None) -> None:
        self.run: Run | None = run
        self._plan = plan
        self._every = every
        self._stretch: dict[str, int] = {}  # by name, the stretch of time that its last written value is in
        self._sinks: dict[int, list[Any]] = {}
        self._taken: dict[int, int] = {}  # by call, how many of its values were taken out of its sink
        self._counting = threading.Lock()  # while values are in neither
        self._held: dict[str, Column] = {}  # taken, and not written yet
        self._steps = Steps(is_axis_name)
        self._first = 0 if run.step is None else run.step + 1  # a run that goes on counts on
        self._turn: dict[str, int] = {}  # by name, how many of its values were handed on
        self.count = 0  # values taken, also those that are not written
        self.stride = 1  # of all names: to stay within the budget of the cell
        self._axis = ""  # what the metrics can be drawn over, once it has been written
        self._dressed: set[str] = set()
        self._clock = run.writer.clock() - time.perf_counter_ns() // 1000
        self._lock = threading.Lock()  # the recorder's thread drains now and then, the main thread at the end
        self._is_asked = False  # to stop or to pause
        self._has_room = threading.Event()
        self._has_room.set()
        run.steering.hear(self._brake)
        forks.in_child(self._fall_silent)

    def sink(self, index: int) -> list[Any]:
        """The list that the values of this call are put at the end of: time, value, time, value ..."""
        return self._sinks.setdefault(index, [])

    def pass_over(self, index: int) -> None:
        """Take no values of this call."""
        self._plan.sinks[index] = deque[Any](maxlen=0)
        self._sinks.pop(index, None)

    @property
    def arrived(self) -> int:
        """How many values there were so far, also those that nobody has taken yet."""
        return self.count + self._waiting

    @property
    def _waiting(self) -> int:
        return sum(len(sink) for sink in list(self._sinks.values())) // 2

    def step(self) -> int | None:
        """The step of the value that came last of the name whose values come most often; None before the first."""
        counts: dict[str, int] = {}
        with self._counting:
            for index, sink in tuple(self._sinks.items()):
                if not is_axis_name(name := self._plan.targets[index]):
                    counts[name] = counts.get(name, 0) + self._taken.get(index, 0) + len(sink) // 2
        most = max(counts.values(), default=0)
        return self._first + most - 1 if most else None

    def names(self) -> set[str]:
        """The variables that values may come for."""
        return {self._plan.targets[index].rpartition("/")[2] for index in tuple(self._sinks)}

    def close(self) -> None:
        """Write what waits and let go of the run."""
        for index, sink in self._sinks.items():
            known = self._plan.sinks[index]
            if known is sink or isinstance(known, _Brake | _Full):
                self._plan.sinks[index] = _Forward(index)
        self._write(is_last=True)
        self.run = None

    @property
    def is_thinnable(self) -> bool:
        """Whether `thin` would still change anything."""
        return self.stride < _MOST_THINNED

    def thin(self) -> None:
        """From now on write half as many."""
        self.stride *= 2

    def drain(self) -> None:
        """Write the waiting values to the run."""
        self._write(is_last=False)

    def keep_up(self) -> None:
        """`drain`, on a thread beside the loop; of a loop that brings more than that can write the next value waits."""
        if self._waiting <= MOST_WAITING:
            self.drain()
            return
        self._has_room.clear()
        try:
            self._place()
            self.drain()
        finally:
            self._has_room.set()
            self._place()

    def _brake(self, is_asked: bool) -> None:
        """Make every watched value a place where the run stops or pauses; or not any more, which costs nothing."""
        self._is_asked = is_asked
        self._place()

    def _place(self) -> None:
        """Put in the place of each sink what its next value is to do besides."""
        for index, sink in tuple(self._sinks.items()):
            known = self._plan.sinks[index]
            if known is not sink and not isinstance(known, _Brake | _Full):
                continue  # of a cell that is over, or passed over
            if self._is_asked and self.run is not None:
                self._plan.sinks[index] = _Brake(sink, self, self.run)
            else:
                self._plan.sinks[index] = sink if self._has_room.is_set() else _Full(sink, self._has_room)

    def _fall_silent(self) -> None:
        """In a forked child nobody takes the values away."""
        for index in self._sinks:
            self._plan.sinks[index] = deque[Any](maxlen=0)
        self._sinks.clear()  # so that a plug-in tells what nobody else does there
        self.run = None

    def _write(self, is_last: bool) -> None:
        with self._lock:
            if self.run is None or not (self._held or any(self._sinks.values())):
                return
            until = _stamp()
            self._take_up(until)
            for names, block in columns.rows(self._held, until, is_last):
                first = self._turn.get(names[0], 0)
                turns = columns.count(first, len(block[0]))
                for name in names:
                    self._turn[name] = first + len(turns)
                times = block[0].stamps // 1000 + self._clock
                values = columns.table(block)
                chosen = self._chosen(names[0], turns, block[0].stamps, values)
                self.run.log_block(names, block[0].steps[chosen], times[chosen], values[chosen])
                self._dress(self.run, names)
            self._held = {name: column for name, column in self._held.items() if len(column)}

    def _dress(self, run: Run, names: tuple[str, ...]) -> None:
        """Say once of each metric that it can be drawn over the epochs, unless somebody said something else."""
        self._axis = self._axis or next(filter(is_axis_name, names), "")
        new = {name for name in names if not is_axis_name(name)} - self._dressed if self._axis else set[str]()
        if new:
            self._dressed |= new
            known = run.record().metrics
            for name in sorted(new):
                if name in known and not known[name].axis:
                    run.define_metric(name, axis=self._axis)

    def _chosen(self, name: str, turns: columns.Integers, stamps: columns.Integers, values: columns.Floats) -> Any:
        """Which rows are written: all, each n-th step, or the first of each stretch of time; fewer of very many."""
        if self._every is None or self._every.steps:
            asked = self._every.steps if self._every else 1
            stride = max(asked, self.stride, columns.thinning(int(turns[-1]), asked * MANY))
            if stride == 1:
                return slice(None)
            chosen = turns % stride == 0
            return chosen if stride == asked else chosen | columns.telling(values)
        stretches = stamps // int(self._every.seconds * 1e9)
        chosen = columns.changes(stretches, self._stretch.get(name, -1))
        self._stretch[name] = int(stretches[-1])
        return chosen

    def _take_up(self, until: int) -> None:
        """What is in the sinks becomes columns by name; nothing later than that, so that the order stays right."""
        found: dict[str, list[Column]] = {}
        for index, sink in list(self._sinks.items()):
            stamps = sink[0::2]  # whole in one step: the user's loop goes on putting values at the end
            size = bisect_right(stamps, until)
            if size:
                with self._counting:
                    values = sink[1 : size * 2 : 2]
                    del sink[: size * 2]
                    self._taken[index] = self._taken.get(index, 0) + size
                self.count += size
                column = Column.of(stamps[:size], values)
                found.setdefault(self._plan.targets[index], []).append(column)
        taken = {name: columns.merged(parts) for name, parts in found.items()}
        steps = self._steps.of({name: column.stamps for name, column in taken.items()}) if taken else {}
        for name, column in taken.items():
            column.steps = steps[name] + self._first
            before = self._held.get(name)
            self._held[name] = columns.joined(before, column) if before else column


def _take(plan: Plan, index: int, value: Any = None) -> Any:
    kind = type(value)
    kept = value if kind is float or kind is int else shield(keep, value)
    plan.sinks[index].extend((_stamp(), kept))
    return value


def _take_field(plan: Plan, index: int, owner: Any = None) -> None:
    value = shield(_stored, owner, plan.targets[index].rsplit(".", 1)[-1])
    kind = type(value)
    kept = value if kind is float or kind is int else shield(keep, value)
    plan.sinks[index].extend((_stamp(), kept))


def keep_or_none(value: Any) -> Any:
    """`keep`, behind the shield: the inserted code calls it in the user's loop."""
    return shield(keep, value)


def _stored(owner: Any, field: str) -> Any:
    """An attribute as it lies in the object: a property is code of the user's, and not ours to run."""
    inside = getattr(owner, "__dict__", None)
    if inside is not None and field in inside:
        return inside[field]
    member = getattr(type(owner), field, None)
    return member.__get__(owner) if isinstance(member, MemberDescriptorType) else None


def keep(value: Any) -> Any:
    """A value as it is now, without the graph or memory it hangs on; None when it is no single number.

    A tensor on a device is copied there and read later, so that the loop need not wait for it.
    """
    kind = type(value)
    if issubclass(kind, float):
        return float.__float__(value)  # its own class may do anything when asked
    if issubclass(kind, int):
        return int.__float__(value)
    if not hasattr(kind, "item"):  # asked of its class: an object may do anything when asked for an attribute
        return None
    module = kinds.module(kind).split(".", 1)[0]
    size = getattr(value, "size", None)
    if module == "torch":
        if value.numel() != 1 or value.is_complex():
            return None
        return float(value.item()) if value.device.type == "cpu" else value.detach().clone()
    if module in ("jax", "jaxlib"):
        return value if size == 1 else None  # cannot change, and reading it now would wait for the device
    if size == 1 or getattr(value, "shape", None) == ():
        number = value.item()
        return float(number) if isinstance(number, int | float) else None
    return None
