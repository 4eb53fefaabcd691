"""Work on the index beside the user's, on a thread that nobody waits for."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Callable

from celltrail.errors import CelltrailError


def beside(work: Callable[[], None], name: str) -> threading.Thread | None:
    """Begin this on a daemon thread; None while Python ends, when none can begin any more.

    A disk, an index or a trail that fails under it ends the work without a word: the next question does it again,
    and says what is wrong to somebody who asked.

    >>> thread = beside(lambda: None, "nothing")
    >>> thread.join()
    """

    def guarded() -> None:
        with contextlib.suppress(OSError, sqlite3.Error, CelltrailError):
            work()

    thread = threading.Thread(target=guarded, name=name, daemon=True)
    try:
        thread.start()
    except RuntimeError:  # from Python 3.12 on, at its end; or no thread is to be had
        return None
    return thread
