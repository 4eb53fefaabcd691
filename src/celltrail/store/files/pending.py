"""What this process is still writing in the background: whoever reads the trail here waits for it, briefly."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

Wait = Callable[[], object]
What = Literal["records", "files"]
_waits: tuple[tuple[What, Wait], ...] = ()


def wait_with(wait: Wait, what: What = "records") -> Callable[[], None]:
    """Call this before the trail is read, or only before files of runs are; returns the way to stop.

    It returns once what its writer has under way is in the trail, or its patience is at an end.

    >>> stop = wait_with(lambda: print("written"))
    >>> settle()
    written
    >>> stop()
    """
    global _waits
    _waits = (*_waits, (what, wait))

    def stop() -> None:
        global _waits
        _waits = tuple(other for other in _waits if other[1] is not wait)

    return stop


def settle(what: What = "records") -> None:
    """Wait for the writers of this process: a cell that asks about the run before it gets all of it."""
    for kind, wait in _waits:
        if kind == what:
            wait()
