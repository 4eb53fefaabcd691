"""Calling a function again and again: one after the other, side by side, or as requests come in."""

from __future__ import annotations

import itertools
import queue
import threading
import time
from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

MOST_CALLS = 1_000_000
_AHEAD_S = 0.001  # a sleep that is shorter comes too late


@dataclass(slots=True)
class Calls:
    """What happened: times in seconds, ends counted from the beginning."""

    latency: array[float] = field(default_factory=lambda: array("d"))
    ended: array[float] = field(default_factory=lambda: array("d"))
    rows: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    def add(self, other: Calls) -> None:
        """Those of another thread too."""
        self.latency.extend(other.latency)
        self.ended.extend(other.ended)
        self.rows += other.rows
        self.errors.update(other.errors)


def closed(fn: Callable[[Any], Any], inputs: Sequence[Any], seconds: float, most: int, threads: int) -> Calls:
    """Each thread calls again as soon as it has an answer: what waits in line is not seen."""
    numbers, lock = itertools.count(), threading.Lock()
    begin = time.perf_counter()

    def turns() -> Iterator[tuple[int, float]]:
        while time.perf_counter() - begin < seconds:
            with lock:
                number = next(numbers)
            if number >= most:
                return
            yield number, time.perf_counter()

    return _threads(threads, lambda own: _work(fn, inputs, turns(), begin, own), begin)


def opened(
    fn: Callable[[Any], Any], inputs: Sequence[Any], seconds: float, most: int, threads: int, rate: float, seed: int
) -> Calls:
    """Requests come by chance, so many a second (Poisson), and wait where all threads are busy: waiting counts."""
    import numpy as np

    rng = np.random.default_rng(seed)  # of its own: nobody's random numbers change
    count = min(most, max(1, round(rate * seconds)))
    due = np.cumsum(rng.exponential(1 / rate, count)).tolist()
    waiting: queue.SimpleQueue[tuple[int, float] | None] = queue.SimpleQueue()
    begin = time.perf_counter()

    def arrive() -> None:
        for number, moment in enumerate(due):
            if (left := begin + moment - time.perf_counter()) > _AHEAD_S:
                time.sleep(left)
            waiting.put((number, begin + moment))
        for _ in range(threads):
            waiting.put(None)

    arriving = threading.Thread(target=arrive, name="celltrail-bench", daemon=True)
    arriving.start()
    found = _threads(threads, lambda own: _work(fn, inputs, iter(waiting.get, None), begin, own), begin)
    arriving.join()
    return found


def _threads(count: int, work: Callable[[Calls], None], begin: float) -> Calls:
    """In the calling thread where one is enough."""
    every = [Calls() for _ in range(count)]
    others = [threading.Thread(target=work, args=(own,), name="celltrail-bench") for own in every[1:]]
    for thread in others:
        thread.start()
    work(every[0])
    for thread in others:
        thread.join()
    found = Calls(seconds=time.perf_counter() - begin)
    for own in every:
        found.add(own)
    return found


def _work(
    fn: Callable[[Any], Any], inputs: Sequence[Any], turns: Iterator[tuple[int, float]], begin: float, own: Calls
) -> None:
    clock, sizes = time.perf_counter, [rows_of(each) for each in inputs]
    for number, since in turns:
        place = number % len(inputs)
        try:
            fn(inputs[place])
        except Exception as error:  # noqa: BLE001  an answer too, counted apart
            own.errors[type(error).__name__] += 1
            continue
        now = clock()
        own.latency.append(now - since)
        own.ended.append(now - begin)
        own.rows += sizes[place]


def rows_of(value: Any) -> int:
    """How many rows an input has: of an array or frame its length, else one."""
    shape = getattr(value, "shape", None)
    return int(shape[0]) if isinstance(shape, tuple) and len(shape) > 1 else 1
