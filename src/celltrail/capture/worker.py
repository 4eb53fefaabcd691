"""The recorder's own thread: everything that can wait is done here, in the order it was put."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

from celltrail.capture.shield import shield

Job = Callable[[], None]
TICK_S = 0.05


class Worker:
    """A daemon thread that does jobs one after the other, and a tick now and then while asked to.

    Args:
        tick: what to do now and then.
        name: of the thread.
        nap_s: how long to let the main thread go on before the first of some jobs. A thread that wakes up at once
            takes the interpreter from whoever woke it, as soon as that one sends a message.
    """

    def __init__(self, tick: Job, name: str = "celltrail-recorder", nap_s: float = 0.0) -> None:
        self._nap_s = nap_s
        self._urgent = threading.Event()
        self._name = name
        self._jobs: deque[Job] = deque()
        self._wake = threading.Event()
        self._tick = tick
        self._stopping = self._is_working = False
        self._thread: threading.Thread | None = None
        self.ticking = False  # whether values are coming in that nobody announces

    def put(self, job: Job) -> None:
        """Do this later; costs about a microsecond."""
        self._jobs.append(job)
        self._wake.set()

    def start(self) -> None:
        """Begin, unless it runs already."""
        if self._thread is None or not self._thread.is_alive():
            self._stopping = False
            self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
            self._thread.start()

    def is_idle(self) -> bool:
        """Whether everything put so far is done."""
        return not self._jobs and not self._is_working

    def wait(self, timeout_s: float) -> bool:
        """Wait until everything put so far is done; whether it is."""
        if self._thread is None or not self._thread.is_alive() or threading.current_thread() is self._thread:
            return not self._jobs
        done = threading.Event()
        self._urgent.set()
        self.put(done.set)
        return done.wait(timeout_s)

    def stop(self, timeout_s: float = 5.0) -> None:
        """Do what is left, then end the thread."""
        thread, self._thread = self._thread, None
        self._stopping = True
        self._urgent.set()
        self._wake.set()
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout_s)

    def _work(self) -> None:
        ticked = time.monotonic()
        while True:
            self._wake.wait(TICK_S if self.ticking else None)
            if self._nap_s and self._jobs:
                self._urgent.wait(self._nap_s)
                self._urgent.clear()
            self._wake.clear()
            while self._jobs:
                self._is_working = True  # before the job leaves the queue, so that one of both always tells
                shield(self._jobs.popleft())
                self._is_working = False
            if self.ticking and time.monotonic() - ticked >= TICK_S:
                ticked = time.monotonic()
                shield(self._tick)
            if self._stopping and not self._jobs:
                return
