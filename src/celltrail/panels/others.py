"""The thread that looks at what other processes do for the cells of this kernel."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from celltrail.capture.shield import shield

LOOK_S = 0.5
REST = 20  # times as long as the processor was busy with a look


class Others:
    """Looks twice a second while a cell is at work, or a run that it shows goes on; asleep otherwise.

    Args:
        look: looks once; whether it is to look again.
    """

    def __init__(self, look: Callable[[], bool]) -> None:
        self._look = look
        self._is_wanted = threading.Event()
        self._thread: threading.Thread | None = None

    def wake(self) -> None:
        """Look from now on."""
        if not self._is_wanted.is_set():
            self._is_wanted.set()
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="celltrail-others", daemon=True)
            self._thread.start()

    def _work(self) -> None:
        while True:
            self._is_wanted.wait()
            time.sleep(LOOK_S)
            self._is_wanted.clear()  # before the look: who wakes meanwhile is heard
            began = time.thread_time()
            if shield(self._look) is not False:  # after a fault too: what could not be read then can be soon
                self._is_wanted.set()
            time.sleep(REST * (time.thread_time() - began))
