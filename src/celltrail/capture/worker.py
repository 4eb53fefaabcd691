"""The recorder's own thread: everything that can wait is done here, in the order it was put."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

from celltrail.capture.shield import shield

Job = Callable[[], None]
TICK_S = 0.05
HELD_S = 0.05
NAP_S = 0.02


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
        self._free = threading.Event()
        self._free.set()
        self._tick = tick
        self._stopping = self._is_working = False
        self._is_awake = False  # and looks at the jobs once more before it sleeps
        self._thread: threading.Thread | None = None
        self._due: tuple[float, Job] | None = None  # what is done at a time, unless it is asked for again until then
        self._is_ticking = False

    @property
    def ticking(self) -> bool:
        """Whether something is coming in that nobody announces: then there is a tick now and then."""
        return self._is_ticking

    @ticking.setter
    def ticking(self, is_wanted: bool) -> None:
        self._is_ticking = is_wanted
        if is_wanted and not self._is_awake:
            self._wake.set()

    def put(self, job: Job) -> None:
        """Do this later; costs about a microsecond."""
        self._jobs.append(job)
        if not self._is_awake:
            self._wake.set()

    def by(self, job: Job, within_s: float) -> None:
        """Do this once, within so many seconds, however often it is asked for until then."""
        if self._due is None:
            self._due = time.monotonic() + within_s, job
            self._wake.set()

    def start(self) -> None:
        """Begin, unless it runs already."""
        if self._thread is None or not self._thread.is_alive():
            self._stopping = False
            self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
            self._thread.start()

    def hold(self) -> None:
        """Begin no job until `release`, or until that has taken `HELD_S`.

        Two threads at once take the interpreter from each other at every file that one of them opens, which costs the
        user's cell more than both would take one after the other.
        """
        self._free.clear()

    def release(self) -> None:
        """Go on."""
        if not self._free.is_set():
            self._free.set()

    def hurry(self) -> None:
        """Somebody waits for what is to be done."""
        self._urgent.set()
        self._free.set()

    def is_idle(self) -> bool:
        """Whether everything put so far is done."""
        return not self._jobs and not self._is_working

    def wait(self, timeout_s: float) -> bool:
        """Wait until everything put so far is done; whether it is."""
        if self._thread is None or not self._thread.is_alive() or threading.current_thread() is self._thread:
            return not self._jobs
        done = threading.Event()
        self.hurry()
        self.put(done.set)
        return done.wait(timeout_s)

    def stop(self, timeout_s: float = 5.0) -> None:
        """Do what is left, then end the thread."""
        thread, self._thread = self._thread, None
        self._stopping = True
        self.hurry()
        self._wake.set()
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout_s)

    def _work(self) -> None:
        ticked = time.monotonic()
        while True:
            self._is_awake = False
            if not self._jobs:
                self._wake.wait(self._rest_s())
            self._is_awake = True
            if self._nap_s and self._jobs:
                self._urgent.wait(self._nap_s)
            self._wake.clear()
            while self._jobs:
                if not self._free.wait(HELD_S):
                    self._free.set()
                self._is_working = True  # before the job leaves the queue, so that one of both always tells
                shield(self._jobs.popleft())
                self._is_working = False
            self._urgent.clear()
            if self.ticking and time.monotonic() - ticked >= TICK_S:
                ticked = time.monotonic()
                shield(self._tick)
            if (due := self._due) is not None and (self._stopping or time.monotonic() >= due[0]):
                self._due = None
                shield(due[1])
            if self._stopping and not self._jobs:
                return

    def _rest_s(self) -> float | None:
        """How long there is nothing to do unless somebody says so."""
        if self.ticking:
            return TICK_S
        return None if self._due is None else max(0.0, self._due[0] - time.monotonic())
