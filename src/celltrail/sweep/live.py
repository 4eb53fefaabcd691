"""A sweep is shown while it goes on, by whoever can show it: this floor knows nothing of panels."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager

from celltrail.sweep.found import Sweep

Show = Callable[[Sweep], Callable[[], None]]  # begins to show a sweep; what comes back is called at its end
_shows: list[Show] = []


def shown_by(show: Show) -> Callable[[], None]:
    """From now on sweeps are shown by this as well; call what comes back to end that."""
    _shows.append(show)
    return lambda: _shows.remove(show)


@contextmanager
def live(found: Sweep) -> Generator[bool]:
    """Show a sweep for as long as it goes on; whether somebody does."""
    ends = [show(found) for show in _shows]
    try:
        yield bool(ends)
    finally:
        for end in ends:
            end()
