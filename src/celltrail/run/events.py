"""What a run tells to whoever listens: it started, it logged, it ended."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

# `recording.Run`, which imports this file: naming it here would tie the two into a knot
Run: TypeAlias = Any


@dataclass(frozen=True, slots=True)
class Started:
    """The run exists in the trail."""

    run: Run


@dataclass(frozen=True, slots=True)
class Logged:
    """One ``log()`` call, already on disk: ``values[i]`` belongs to ``names[i]``."""

    run: Run
    names: tuple[str, ...]
    step: int
    t_us: int
    values: list[float]


@dataclass(frozen=True, slots=True)
class Ended:
    """The run has its final status."""

    run: Run


Event = Started | Logged | Ended
Listener = Callable[[Event], None]

# a tuple, replaced whole: `tell` walks it on every log() without a lock
_listeners: tuple[Listener, ...] = ()


def listen(callback: Listener) -> Callable[[], None]:
    """Call this with every event of every run of this process; returns the way to stop.

    It is called inside ``log()``, on the thread that logs: put the event away and return. A callback
    that raises is dropped with one warning, so that it can never break a training loop twice.

    >>> heard = []
    >>> stop = listen(heard.append)
    >>> stop()
    """
    global _listeners
    _listeners = (*_listeners, callback)

    def stop() -> None:
        global _listeners
        _listeners = tuple(other for other in _listeners if other is not callback)

    return stop


def tell(event: Event) -> None:
    """Hand an event to every listener."""
    for callback in _listeners:
        try:
            callback(event)
        except Exception as error:  # noqa: BLE001  the shield around listeners: a training loop outlives them
            _drop(callback, error)


def _drop(callback: Listener, error: Exception) -> None:
    global _listeners
    _listeners = tuple(other for other in _listeners if other is not callback)
    warnings.warn(
        f"a listener of celltrail's runs failed and was removed ({type(error).__name__}: {error}); "
        "recording goes on without it",
        RuntimeWarning,
        stacklevel=3,
    )
