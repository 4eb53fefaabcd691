"""What this process and the processes below it have used, in counters that only grow."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from celltrail.resources.own import Used, of_process, own

if TYPE_CHECKING:
    import psutil


@dataclass(slots=True)
class _Child:
    process: psutil.Process
    before: Used  # it was looked at: what it had used by then is no use of this time
    now: Used


class Family:
    """This process and its children, of which new ones are only seen by `scan`.

    What a child had used before it was first seen counts where it began later than `since`. A child that has ended
    stays in the counters; one that came and went between two scans is known by its processor time alone.
    """

    def __init__(self) -> None:
        self._children: dict[int, _Child] = {}
        self._gone = Used()
        self._waited_s = _waited_s()
        self._owed_s = 0.0  # of ended children that nobody has waited for yet
        self.since = time.time()

    def read(self) -> Used:
        """All counters now: about 70 us and as much for each child."""
        waited_s = _waited_s()
        self._credit(waited_s - self._waited_s)
        self._waited_s = waited_s
        total = own().plus(self._gone)
        for pid, child in list(self._children.items()):
            used = _of_child(child)
            if used is None:
                del self._children[pid]
                self._owed_s += child.now.cpu_s
                ended = child.now.plus(child.before, -1).counters
                self._gone = self._gone.plus(ended)
                total = total.plus(ended)
            else:
                child.now = used
                total = total.plus(used.plus(child.before.counters, -1))
        return total

    def scan(self) -> None:
        """Look for new children: 1 to 3 ms."""
        import psutil

        with contextlib.suppress(psutil.Error, OSError):
            for process in psutil.Process().children(recursive=True):
                if process.pid not in self._children:
                    self._meet(process)

    def _meet(self, process: psutil.Process) -> None:
        with _may_be_gone():
            used = of_process(process)
            is_new = process.create_time() >= self.since - 0.01  # both in hundredths of a second
            self._children[process.pid] = _Child(process, Used() if is_new else used.counters, used)

    def _credit(self, waited_s: float) -> None:
        """Processor time of children that were waited for: what is known of them is counted already."""
        known = min(waited_s, self._owed_s)
        self._owed_s -= known
        self._gone = self._gone._replace(cpu_s=self._gone.cpu_s + waited_s - known)


def _waited_s() -> float:
    """Processor time of the children that have ended and were waited for."""
    times = os.times()
    return times.children_user + times.children_system


@contextmanager
def _may_be_gone() -> Generator[None]:
    import psutil

    with contextlib.suppress(psutil.Error, OSError):
        yield


def _of_child(child: _Child) -> Used | None:
    with _may_be_gone():
        if child.process.is_running() and child.process.status() != "zombie":
            return of_process(child.process)
    return None
