"""What the recording of one cell costs: each run knows how much of the user's time it took.

The hooks are timed. What is too quick to be timed each time, a watched value or a message on its way to the
client, is counted, and the count multiplied by what one costs on this machine.
"""

from __future__ import annotations

import functools
import importlib
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import CodeType
from typing import Literal, NamedTuple

from celltrail.capture.environment import hardware
from celltrail.model import Json

Part = Literal["pre", "examine", "post"]
_TRIALS, _VALUES = 5, 4000
_LOOP = f"for number in range({_VALUES}):\n    value = number * 0.5\n"
_PUT = "sinks[0].extend((now(), value if kind(value) is real or kind(value) is whole else None, number))"
_PLAIN = compile(_LOOP, "<meter>", "exec")
_WATCHED = compile(f"{_LOOP}    {_PUT}\n", "<meter>", "exec")


class Stamp(NamedTuple):
    """A moment of this thread: by the clock, and by the processor time it has used."""

    clock: int
    processor: int


def stamp() -> Stamp:
    """This moment."""
    return Stamp(time.perf_counter_ns(), time.thread_time_ns())


@dataclass(slots=True)
class Meter:
    """The cost of one execution, in nanoseconds; ``background`` is processor time of the recorder's thread."""

    spent: dict[str, int] = field(default_factory=dict)
    cpu_ns: int = 0  # what of the timed parts was processor time, and not waiting on a busy machine
    messages: int = 0

    @contextmanager
    def timing(self, part: Part) -> Generator[None]:
        """Add the time inside to a part.

        >>> meter = Meter()
        >>> with meter.timing("pre"):
        ...     sum(range(1000)) and None
        >>> list(meter.spent), meter.spent["pre"] > 0
        (['pre'], True)
        """
        begun = stamp()
        try:
            yield
        finally:
            self.add_since(part, begun)

    @contextmanager
    def working(self) -> Generator[None]:
        """Add the processor time of this thread inside to ``background``."""
        begun = time.thread_time_ns()
        try:
            yield
        finally:
            self.add("background", time.thread_time_ns() - begun)

    def add_since(self, part: Part, begun: Stamp) -> None:
        """Add the time since a stamp to a part."""
        now = stamp()
        self.add(part, now.clock - begun.clock)
        self.cpu_ns += now.processor - begun.processor

    def add(self, part: str, spent_ns: int) -> None:
        """Add time that was measured elsewhere."""
        self.spent[part] = self.spent.get(part, 0) + spent_ns

    def move(self, part: str, spent_ns: int, within: Part) -> None:
        """Add time to a part that is measured within another one."""
        self.add(part, spent_ns)
        self.add(within, -spent_ns)

    def cpu(self, values: int, message_ns: float) -> int:
        """Processor time of the main thread so far."""
        return self.cpu_ns + watching_ns(values) + round(self.messages * message_ns)

    def told(self, values: int, message_ns: float, written: int, degraded: list[str]) -> dict[str, Json]:
        """The cost as the run keeps it.

        Args:
            values: how many values were watched.
            message_ns: what taking along one message cost, on the average of the session.
            written: bytes in files that this run added to the trail.
            degraded: what was given up to stay within the budget.
        """
        parts = {part: max(0, spent) for part, spent in self.spent.items()}
        if values:
            parts["watch"] = watching_ns(values)
        if self.messages:
            parts["tee"] = round(self.messages * message_ns)
        background = parts.pop("background", 0)
        return {
            **{f"{part}_ns": spent for part, spent in parts.items()},
            "main_ns": sum(parts.values()),
            "main_cpu_ns": self.cpu(values, message_ns),
            "background_ns": background,
            "values": values,
            "messages": self.messages,
            "bytes": written,
            "degraded": degraded,
        }


def watching_ns(values: int) -> int:
    """What so many watched values cost."""
    return round(values * value_ns()) if values else 0


@functools.cache
def value_ns() -> float:
    """What it costs here to put one watched value away: the quickest of several trials, as others run too.

    >>> 5 < value_ns() < 100_000
    True
    """
    plain, watched = (min(_trial(code) for _ in range(_TRIALS)) for code in (_PLAIN, _WATCHED))
    return max(1.0, (watched - plain) / _VALUES)


def _trial(code: CodeType) -> int:
    """A loop with or without the statement that `watch` inserts, as a cell runs it: at the top, names in a dict."""
    names = {"sinks": [[]], "now": time.perf_counter_ns, "kind": type, "real": float, "whole": int}
    begun = time.perf_counter_ns()
    exec(code, names)
    return time.perf_counter_ns() - begun


def warm() -> None:
    """Do early what the first tracked cell would wait for: load modules of celltrail's own, ask, and measure."""
    importlib.import_module("celltrail.store.docs.documents")
    hardware()
    value_ns()
