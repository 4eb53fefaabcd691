"""The one background thread that keeps the live runs of this process: summaries, documents, heartbeat.

``log()`` itself only writes its record. Everything that can wait happens here, a few times a second.
"""

from __future__ import annotations

import os
import threading
import time
import weakref
from typing import Protocol

TICK_S = 0.25


class Kept(Protocol):
    """What the keeper does for a run at each tick."""

    def keep(self, now_s: float) -> None:
        """Fold, flush, sync or beat: whatever is due at this monotonic time."""


class Keeper:
    """A daemon thread that lives while there are runs to keep, one per process."""

    def __init__(self) -> None:
        self._runs: weakref.WeakSet[Kept] = weakref.WeakSet()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._pid = os.getpid()

    def add(self, run: Kept) -> None:
        """Keep this run from now on."""
        with self._lock:
            if self._pid != os.getpid():  # a forked child has the set but not the thread, nor the parent's runs
                self._runs, self._thread, self._pid = weakref.WeakSet(), None, os.getpid()
            self._runs.add(run)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="celltrail-keeper", daemon=True)
                self._thread.start()

    def drop(self, run: Kept) -> None:
        """This run is over."""
        with self._lock:
            self._runs.discard(run)

    def _work(self) -> None:
        while True:
            time.sleep(TICK_S)
            with self._lock:
                runs = list(self._runs)
                if not runs:
                    self._thread = None
                    return
            for run in runs:
                run.keep(time.monotonic())


keeper = Keeper()

if hasattr(os, "register_at_fork"):
    # the lock may be held by the parent's keeper at the moment of the fork
    os.register_at_fork(after_in_child=keeper.__init__)
