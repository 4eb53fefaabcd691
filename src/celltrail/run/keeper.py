"""The one background thread that keeps the live runs of this process: summaries, documents, heartbeat.

``log()`` itself only writes its record. Everything that can wait happens here, a few times a second. And once
nothing runs any more, it has the trail tidied up, by another process.
"""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from celltrail.store import Store

TICK_S = 0.25
IDLE_S = 60.0


class Kept(Protocol):
    """What the keeper does for a run at each tick."""

    @property
    def store(self) -> Store:
        """The trail it is in."""
        ...

    def keep(self, now_s: float) -> None:
        """Fold, flush, sync or beat: whatever is due at this monotonic time."""
        ...

    def stumble(self, error: Exception) -> None:
        """That failed, by a fault of celltrail's own."""


class Keeper:
    """A daemon thread that lives while there are runs to keep, one per process."""

    def __init__(self) -> None:
        self._runs: weakref.WeakSet[Kept] = weakref.WeakSet()
        self._trails: set[Path] = set()  # that runs of this process ended in
        self._lock = threading.Condition(threading.Lock())
        self._thread: threading.Thread | None = None
        self._pid = os.getpid()

    def add(self, run: Kept) -> Callable[[], None]:
        """Keep this run from now on, until what comes back is called."""
        with self._lock:
            if self._pid != os.getpid():  # a forked child has the set but not the thread, nor the parent's runs
                self._runs, self._thread, self._pid = weakref.WeakSet(), None, os.getpid()
            self._runs.add(run)
            self._lock.notify_all()
            if self._thread is None:
                self._begin()

        def drop() -> None:
            with self._lock:
                self._runs.discard(run)
                self._trails.add(run.store.root)

        return drop

    def _begin(self) -> None:
        thread = threading.Thread(target=self._work, name="celltrail-keeper", daemon=True)
        try:
            thread.start()
            self._thread = thread
        except RuntimeError:
            # since Python 3.12 there is no new thread once the main one has ended; what a run logs then is kept
            # by its own calls, and its end writes the rest
            self._thread = None

    def _work(self) -> None:
        while True:
            time.sleep(TICK_S)
            with self._lock:
                if not self._runs and self._trails:
                    self._lock.wait_for(lambda: self._runs, IDLE_S)
                runs = list(self._runs)
                if not runs:
                    self._thread = None
                    trails, self._trails = self._trails, set()
                    break
            for run in runs:
                try:
                    run.keep(time.monotonic())
                except Exception as error:  # noqa: BLE001  the shield around one run: the thread keeps the others too
                    run.stumble(error)
        from celltrail.store.seal import compaction

        for trail in trails:
            if compaction.is_worth_it(trail) and (process := compaction.begin(trail)):
                process.wait()  # asleep: only so that no remains of it are left


keeper = Keeper()

if hasattr(os, "register_at_fork"):
    # the lock may be held by the parent's keeper at the moment of the fork
    os.register_at_fork(after_in_child=keeper.__init__)
