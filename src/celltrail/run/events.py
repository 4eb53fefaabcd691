"""What a run tells to whoever listens: it started, it logged, it ended."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from celltrail.model import Intervention, Level

# `recording.Run`, which imports this file: naming it here would tie the two into a knot
Run: TypeAlias = Any


@dataclass(frozen=True, slots=True)
class Started:
    """The run exists in the trail."""

    run: Run


class Logged(NamedTuple):
    """One ``log()`` call, already on disk: ``values[i]`` belongs to ``names[i]``."""

    # a named tuple is made in a third of the time of a frozen dataclass, and this is made on every call
    run: Run
    names: tuple[str, ...]
    step: int
    t_us: int
    values: Sequence[float]


class Results(Logged):
    """Numbers that stand for the whole run and for no step of it: rules hear them, charts leave them out."""

    __slots__ = ()


class LoggedBlock(NamedTuple):
    """Many ``log()`` calls of the same names, as arrays: ``values[i]`` belongs to ``steps[i]``."""

    run: Run
    names: tuple[str, ...]
    steps: NDArray[np.int64]
    t_us: NDArray[np.int64]
    values: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Alerted:
    """Something happened that somebody should look at: the fields of `Run.log_alert`."""

    run: Run
    title: str
    text: str
    level: Level
    metric: str | None
    step: int | None
    value: float | None = None
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Kept:
    """The run keeps something beside numbers: a text, a picture, a table ..., by its name and kind."""

    run: Run
    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class Intervened:
    """Somebody stopped or paused the run or turned a knob of it."""

    run: Run
    deed: Intervention


@dataclass(frozen=True, slots=True)
class Ended:
    """The run has its final status."""

    run: Run


Event = Started | Logged | LoggedBlock | Kept | Alerted | Intervened | Ended
Listener = Callable[[Event], None]

# tuples, replaced whole: `tell` walks them without a lock, and `log()` says nothing while nobody hears points
_listeners: tuple[Listener, ...] = ()
hearing_points: tuple[Listener, ...] = ()


def listen(callback: Listener, points: bool = True) -> Callable[[], None]:
    """Call this with the events of every run of this process; returns the way to stop.

    It is called inside ``log()``, on the thread that logs: put the event away and return. A callback
    that raises is dropped with one warning, so that it can never break a training loop twice.

    Args:
        callback: takes the event.
        points: whether to hear of every ``log()`` too, or only of starts and ends.

    >>> heard = []
    >>> stop = listen(heard.append)
    >>> stop()
    """
    global _listeners, hearing_points
    _listeners = (*_listeners, callback)
    if points:
        hearing_points = (*hearing_points, callback)
    return lambda: _leave(callback)


class Shared:
    """A listener for several who ask for it: it hears from the first of them on until the last one leaves.

    Args:
        callback: takes the event.
        points: as for `listen`.

    >>> shared = Shared(print, points=False)
    >>> leave, leave_too = shared.join(), shared.join()
    >>> leave()
    >>> leave_too()
    """

    def __init__(self, callback: Listener, *, points: bool) -> None:
        self._callback, self._points = callback, points
        self._askers = 0
        self._stop: Callable[[], None] | None = None

    def join(self) -> Callable[[], None]:
        """Ask for it; call what comes back once it is not needed any more."""
        self._askers += 1
        if self._stop is None:
            self._stop = listen(self._callback, self._points)
        return self._leave

    def _leave(self) -> None:
        self._askers -= 1
        if not self._askers and self._stop is not None:
            self._stop()
            self._stop = None


def tell(event: Event) -> None:
    """Hand an event to every listener."""
    for callback in hearing_points if isinstance(event, Logged | LoggedBlock) else _listeners:
        try:
            callback(event)
        except Exception as error:  # noqa: BLE001  the shield around listeners: a training loop outlives them
            _drop(callback, error)


def _leave(callback: Listener) -> None:
    global _listeners, hearing_points
    _listeners = tuple(other for other in _listeners if other is not callback)
    hearing_points = tuple(other for other in hearing_points if other is not callback)


def _drop(callback: Listener, error: Exception) -> None:
    _leave(callback)
    warnings.warn(
        f"a listener of celltrail's runs failed and was removed ({type(error).__name__}: {error}); "
        "recording goes on without it",
        RuntimeWarning,
        stacklevel=3,
    )
