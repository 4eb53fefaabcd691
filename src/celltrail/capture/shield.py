"""The shield around capture: a fault of celltrail's never reaches the user's cell.

One of the two places in the package that catch everything. A fault becomes one warning per kernel
session, and its traceback is kept on the run.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from celltrail.errors import StopTraining

P = ParamSpec("P")
T = TypeVar("T")
Complain = Callable[[str, str], None]

_complain: Complain | None = None
_otherwise: Complain | None = None


def complain_to(complain: Complain | None) -> None:
    """Who hears of faults: called with one sentence and the whole traceback."""
    global _complain
    _complain = complain


def otherwise_to(complain: Complain) -> None:
    """Who hears of faults while nobody else does, as in a script."""
    global _otherwise
    _otherwise = complain


def shield(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T | None:
    """Call this; if it raises, tell the one who listens and return None.

    KeyboardInterrupt passes: it is the user's, not ours.

    >>> shield(int, "seven") is None
    True
    """
    try:
        return function(*args, **kwargs)
    except Exception as error:  # noqa: BLE001  the shield: see the module's first lines
        _tell(error)
        return None


def _tell(error: Exception) -> None:
    complain = _complain or _otherwise
    if complain is not None:
        # without the caller's frames: they show nothing but the user's machine
        complain(f"{type(error).__name__}: {error}", "".join(traceback.format_exception(error)))


def asks_to_stop(function: Callable[P, object], /, *args: P.args, **kwargs: P.kwargs) -> bool:
    """As `shield`, of what writes to a run while it trains: whether the run is asked to stop."""
    # not by way of `shield`: this is called at each round of a training, when every frame has to come to the caches
    try:
        function(*args, **kwargs)
    except StopTraining:
        return True
    except Exception as error:  # noqa: BLE001  the shield: see the module's first lines
        _tell(error)
    return False


def attempt(function: Callable[P, object], /, *args: P.args, **kwargs: P.kwargs) -> bool:
    """Look into an object that is not ours; whether that went well. What it raises is no fault to tell of.

    >>> attempt(int, "seven")
    False
    """
    try:
        function(*args, **kwargs)
    except Exception:  # noqa: BLE001  any library's object may raise anything while it is looked at
        return False
    return True
