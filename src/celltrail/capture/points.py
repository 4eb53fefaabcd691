"""Watched values on their way from the user's loop to the run.

On the main thread a value is stamped and put away, nothing else. The recorder's thread numbers it,
brings values of one iteration together and writes them.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from types import MemberDescriptorType
from typing import Any

from celltrail.capture.shield import shield
from celltrail.capture.watch import Plan
from celltrail.run import Run, current

Item = tuple[int, int, Any, tuple[Any, ...]]  # number of the call, time stamp, value, loop variables
Put = Callable[[Item], None]
Row = tuple[tuple[str, ...], int, int, list[float]]
_stamp = time.perf_counter_ns
_MOST = 4096  # rows written at a time, so that the run's lock is free in between


class Hook(partial[Any]):
    """What the inserted calls call. Sent to another process it becomes a function that does nothing."""

    __slots__ = ()

    def __reduce__(self) -> Any:
        return _deaf, ()


def _deaf() -> Callable[..., Any]:
    return pass_through


def pass_through(index: int, value: Any = None, *context: Any) -> Any:
    """The hook of a cell that is not recorded any more."""
    return value


class Watcher:
    """The watched values of a session: which execution inserted which call, and whose run is open."""

    def __init__(self) -> None:
        self.plan = Plan()
        self._open: dict[str, Points] = {}  # by the run's id

    def hooks(self) -> tuple[Hook, Hook]:
        """The two functions that the inserted calls name: for plain names and for attributes."""
        return Hook(_take, self.plan.puts), Hook(_take_field, self.plan)

    def open(self, run: Run) -> Points:
        """Where the values of an execution go."""
        points = self._open[run.id] = Points(run, self.plan, self._forward)
        return points

    def close(self, points: Points) -> None:
        """The run ends: write what waits. Later values go to the run that is current then, if any."""
        if points.run is not None:
            self._open.pop(points.run.id, None)
        points.close()

    def drain(self) -> None:
        """Write what waits in all open points."""
        for points in list(self._open.values()):
            points.drain()

    def _forward(self, item: Item) -> None:
        # a function of a cell that has ended, called by a later one
        run = current()
        points = self._open.get(run.id) if run is not None else None
        if points is not None:
            points.put(item)


class Points:
    """The values of one execution's watched names until they are written."""

    def __init__(self, run: Run, plan: Plan, forward: Put) -> None:
        self.run: Run | None = run
        self._plan, self._forward = plan, forward
        self._waiting: deque[Item] = deque()
        self.put: Put = self._waiting.append
        self._steps: dict[str, int] = {}
        self._context: dict[str, dict[str, _Segments]] = {}
        self._clock = run.writer.clock() - time.perf_counter_ns() // 1000
        self._lock = threading.Lock()  # the recorder's thread drains now and then, the main thread at the end

    def close(self) -> None:
        """Write what waits and let go of the run."""
        puts = self._plan.puts
        for index, put in enumerate(puts):
            if put == self.put:
                puts[index] = self._forward
        self.drain()
        self.run = None

    def drain(self) -> None:
        """Write all waiting values to the run."""
        with self._lock:
            while self._waiting and self.run is not None:
                self.run.log_rows(self._rows())

    def _rows(self) -> list[Row]:
        """Some of what waits, values of one iteration together."""
        rows: list[Row] = []
        last: tuple[Any, ...] | None = None
        while self._waiting and len(rows) < _MOST:
            index, stamp, value, around = self._waiting.popleft()
            number = _number(value)
            if number is None:
                continue
            name = self._plan.targets[index]
            step = self._steps[name] = self._steps.get(name, -1) + 1
            self._note_context(name, step, self._plan.context[index], around)
            if rows and rows[-1][1] == step and last == around and name not in rows[-1][0]:
                names, _, stamp_us, values = rows[-1]
                rows[-1] = ((*names, name), step, stamp_us, [*values, number])
            else:
                rows.append(((name,), step, self._clock + stamp // 1000, [number]))
            last = around
        return rows

    @property
    def names(self) -> list[str]:
        """The names that values have come from."""
        return list(self._steps)

    def context(self) -> dict[str, dict[str, list[list[float]]]]:
        """For each name and loop variable around it: ``[first step, value, increment, count]`` per stretch."""
        return {
            name: {loop: segments.stretches for loop, segments in loops.items()}
            for name, loops in self._context.items()
        }

    def _note_context(self, name: str, step: int, loops: tuple[str, ...], values: tuple[Any, ...]) -> None:
        for loop, value in zip(loops, values, strict=False):
            if type(value) is int or type(value) is float:
                self._context.setdefault(name, {}).setdefault(loop, _Segments()).add(step, value)


class _Segments:
    """A loop variable over the steps, as stretches in which it grows evenly."""

    _MOST = 10_000

    def __init__(self) -> None:
        self.stretches: list[list[float]] = []

    def add(self, step: int, value: float) -> None:
        if self.stretches:
            last = self.stretches[-1]
            first, start, increment, count = last
            if step == first + count:
                if count == 1:
                    last[2:] = [value - start, 2]
                    return
                if value == start + increment * count:
                    last[3] += 1
                    return
        if len(self.stretches) < self._MOST:
            self.stretches.append([step, value, 0, 1])


# This is what a watched loop pays for: every look-up counts.
def _take(puts: list[Put], index: int, value: Any = None, *context: Any) -> Any:
    kind = type(value)
    if kind is float or kind is int:
        puts[index]((index, _stamp(), value, context))
    else:
        shield(_take_other, puts, index, value, context)
    return value


def _take_field(plan: Plan, index: int, owner: Any = None, *context: Any) -> None:
    shield(_take_other, plan.puts, index, owner, context, plan.targets[index].rsplit(".", 1)[-1])


def _take_other(puts: list[Put], index: int, value: Any, context: tuple[Any, ...], field: str = "") -> None:
    if field:
        value = _stored(value, field)
    kept = keep(value)
    if kept is not None:
        puts[index]((index, _stamp(), kept, context))


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
    if isinstance(value, int | float):
        return float(value)
    module = type(value).__module__.split(".", 1)[0]
    size = getattr(value, "size", None)
    if module == "torch":
        if value.numel() != 1 or value.is_complex():
            return None
        return float(value.item()) if value.device.type == "cpu" else value.detach().clone()
    if module in ("jax", "jaxlib"):
        return value if size == 1 else None  # cannot change, and reading it now would wait for the device
    if hasattr(value, "item") and (size == 1 or getattr(value, "shape", None) == ()):
        number = value.item()
        return float(number) if isinstance(number, int | float) else None
    return None


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (OverflowError, TypeError, ValueError, RuntimeError):
        return None
