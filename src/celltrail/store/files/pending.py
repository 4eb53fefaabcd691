"""What this process is still writing in the background: whoever reads the trail here waits for it, briefly."""

from __future__ import annotations

from collections.abc import Callable

Wait = Callable[[], object]
_waits: tuple[Wait, ...] = ()


def wait_with(wait: Wait) -> Callable[[], None]:
    """Call this before the trail is read; returns the way to stop.

    It returns once what its writer has under way is in the trail, or its patience is at an end.

    >>> stop = wait_with(lambda: print("written"))
    >>> settle()
    written
    >>> stop()
    """
    global _waits
    _waits = (*_waits, wait)

    def stop() -> None:
        global _waits
        _waits = tuple(other for other in _waits if other is not wait)

    return stop


def settle() -> None:
    """Wait for the writers of this process: a cell that asks about the run before it gets all of it."""
    for wait in _waits:
        wait()
