"""Run tables that follow what happens in their trail: one thread for all tables of a kernel.

It looks once a second, and soon after a run of this kernel began or ended; it rests longer where looks take long.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from typing import Protocol

from celltrail.capture.shield import shield
from celltrail.run import Ended, Event, Started, listen

TICK_S = 1.0
SOON_S = 0.2
REST = 50  # times as long as the processor was busy with a look; a wait for a lock is no work
MOST_TABLES = 6  # those displayed last; a cell that is run again leaves its old table behind


class Watched(Protocol):
    """A panel that can tell its front end what is new."""

    def tick(self) -> bool:
        """Tell it; whether there will be more to tell."""
        ...


class Watching:
    """The tables of one kernel. While one of them shows a run that goes on, they are told what became of it."""

    def __init__(self) -> None:
        self._tables: deque[Watched] = deque(maxlen=MOST_TABLES)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stopped = threading.Event()
        self._turned = threading.Event()  # a run of this kernel began or ended
        self._unlisten = lambda: None
        self._pid = os.getpid()

    def on(self) -> None:
        """Begin to listen for runs that start in this kernel."""
        self._unlisten = listen(self._hear)

    def off(self) -> None:
        """Tell no table anything any more."""
        self._unlisten()
        self._stopped.set()
        self._turned.set()

    def add(self, table: Watched) -> None:
        """Follow for this table too."""
        self._tables.append(table)
        self._wake()

    def _hear(self, event: Event) -> None:
        if isinstance(event, Started | Ended) and len(self._tables) and os.getpid() == self._pid:
            self._turned.set()
            self._wake()

    def _wake(self) -> None:
        with self._lock:
            if self._thread is None and not self._stopped.is_set():
                self._thread = threading.Thread(target=self._follow, name="celltrail-tables", daemon=True)
                self._thread.start()

    def _follow(self) -> None:
        took = 0.0
        while not self._rested(REST * took):
            began = time.thread_time()
            more = [shield(table.tick) for table in list(self._tables)]
            took = time.thread_time() - began
            with self._lock:
                if not any(more) and not self._turned.is_set():
                    self._thread = None
                    return

    def _rested(self, least: float) -> bool:
        """Wait for the next look, so many seconds at least; whether there is none."""
        soon = max(SOON_S, least)
        if self._stopped.wait(soon):
            return True
        self._turned.wait(max(0.0, TICK_S - soon))
        self._turned.clear()
        return self._stopped.is_set()
