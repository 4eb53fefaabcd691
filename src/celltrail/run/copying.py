"""The one background thread that copies files into trails; it lives while there are some to copy."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from celltrail.store.files import forks, pending
from celltrail.store.files.priority import lower_priority

PATIENCE_S = 60.0  # of whoever asks for files that are on their way
Job = Callable[[], None]  # never raises


class Copier:
    """Does one job after the other, behind whatever the process is there for."""

    def __init__(self) -> None:
        self._begin_anew()
        forks.in_child(self._begin_anew)

    def _begin_anew(self) -> None:
        self._jobs: deque[Job] = deque()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def put(self, job: Job) -> None:
        """Do this later."""
        with self._lock:
            self._jobs.append(job)
            if self._thread is not None:
                return
            thread = threading.Thread(target=self._work, name="celltrail-files", daemon=True)
            try:
                thread.start()
                self._thread = thread
                return
            except RuntimeError:  # since Python 3.12 there is no new thread once the main one has ended
                pass
        self._work()

    def wait(self, timeout_s: float) -> bool:
        """Wait until everything put so far is done; whether it is."""
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout_s)
        return self._thread is None

    def _work(self) -> None:
        if threading.current_thread().name == "celltrail-files":
            lower_priority()
        while True:
            with self._lock:
                if not self._jobs:
                    self._thread = None
                    return
                job = self._jobs.popleft()
            job()


copier = Copier()
pending.wait_with(lambda: copier.wait(PATIENCE_S), "files")
